import { log } from "./log.mjs";
import { createFiles } from "./storage_files.mjs";
import { invalidKey, invalidRequest, isRefusal, noSuchBucket, noSuchKey, StorageError } from "./storage_error.mjs";
import { createObjects } from "./storage_objects.mjs";
import { claimsOf, createSigner } from "./storage_tokens.mjs";
import { mustBeValidKey, readUpload } from "./storage_upload.mjs";

const SIGNED_UPLOAD_SECONDS = 7200;
const SERVICE = { role: "service_role" };
const iso = (time) => (time ? new Date(time).toISOString() : null);

/** `/object/list/a/b%20c` becomes ["object", "list", "a", "b c"]; a slash that was encoded is then part of a segment. */
function segmentsOf(url) {
  try {
    return url.pathname.slice("/storage/v1/".length).split("/").map(decodeURIComponent);
  } catch {
    throw invalidKey(url.pathname);
  }
}

/** An object's row as Storage shows it. */
function shown(row) {
  const { path_tokens: _tokens, ...rest } = row;
  return {
    ...rest,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    last_accessed_at: iso(row.last_accessed_at),
  };
}

async function jsonOf(request) {
  const body = await request.json().catch(() => null);
  if (body === null || typeof body !== "object") throw invalidRequest("body must be object");
  return body;
}

function positive(value, name) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw invalidRequest(`body/${name} must be integer`);
  return number;
}

/**
 * Serves /storage/v1: what the storage clients of Supabase ask, over `storage.objects` and a folder of files.
 *
 * A file is written before its row and deleted after it, so that a row always has its file; a file without a row is
 * removed at once when the database refused, else at the next start.
 *
 * @param {{connection: object, settings: object}} parts settings.storage is {folder, largest}.
 */
export async function createStorage({ connection, settings }) {
  const objects = createObjects(connection);
  const files = createFiles(settings.storage.folder);
  const signer = createSigner(settings);
  await objects
    .versions()
    .then((known) => files.sweep(known))
    .catch((error) => log("warning", "storage_sweep", { message: error.message }));

  async function actOf(request, operation, lenient = false) {
    const claims = await claimsOf(request, settings, lenient);
    if (claims === null && !lenient)
      throw new StorageError(400, "Error", "headers must have required property 'authorization'");
    return { request, operation, claims: claims ?? { role: "anon" }, signedIn: claims !== null };
  }

  async function bucketOf(id) {
    const bucket = await objects.bucket(id);
    if (!bucket) throw noSuchBucket();
    return bucket;
  }

  /** Writes a row for a file that is there already; the file goes when the database will not have the row. */
  async function keep(act, row, upsert) {
    try {
      const { id, replaced } = await objects.write(act, row, upsert);
      if (replaced) await files.remove(replaced);
      return { Id: id, Key: `${row.bucket}/${row.name}` };
    } catch (error) {
      if (isRefusal(error) || error instanceof StorageError) await files.remove(row.version);
      throw error;
    }
  }

  async function receive(act, bucketId, name, owner, upsert) {
    const upload = await readUpload(act.request, await bucketOf(bucketId), settings.storage.largest);
    const { version, eTag } = await files.write(upload.content);
    const metadata = {
      eTag,
      size: upload.content.length,
      mimetype: upload.mimeType,
      cacheControl: upload.cacheControl,
      lastModified: new Date().toISOString(),
      contentLength: upload.content.length,
      httpStatusCode: 200,
    };
    const row = { bucket: bucketId, name, owner, version, metadata, userMetadata: upload.userMetadata };
    return Response.json(await keep(act, row, upsert));
  }

  const ownerOf = (claims) => (claims.role === "service_role" ? null : (claims.sub ?? null));

  async function upload(request, bucketId, name, upsert) {
    mustBeValidKey(name);
    const act = await actOf(request, upsert ? "storage.object.upload_update" : "storage.object.upload");
    await bucketOf(bucketId);
    const owner = ownerOf(act.claims);
    // Asked before the body is read: who may not write does not get to send 50 MB first.
    await objects.probe(act, { bucket: bucketId, name, owner, version: "1" }, upsert);
    return receive(act, bucketId, name, owner, upsert);
  }

  async function signUpload(request, bucketId, name) {
    mustBeValidKey(name);
    const act = await actOf(request, "storage.object.sign_upload_url");
    const upsert = request.headers.get("x-upsert") === "true";
    await bucketOf(bucketId);
    const owner = ownerOf(act.claims);
    await objects.probe(act, { bucket: bucketId, name, owner, version: "1" }, upsert);
    const payload = { use: "upload", url: `${bucketId}/${name}`, owner, upsert };
    const token = await signer.sign(payload, SIGNED_UPLOAD_SECONDS);
    return Response.json({ url: `/object/upload/sign/${bucketId}/${name}?token=${token}`, token });
  }

  async function uploadSigned(request, bucketId, name, url) {
    const { owner, upsert } = await signer.read(url.searchParams.get("token"), "upload", `${bucketId}/${name}`);
    const act = { request, operation: "storage.object.upload_signed", claims: SERVICE };
    return receive(act, bucketId, name, owner, upsert);
  }

  /** Public buckets are read past the policies, private ones by them. */
  async function find(act, bucketId, name) {
    const bucket = await objects.bucket(bucketId);
    if (!bucket || (!bucket.public && !act.signedIn)) throw noSuchBucket();
    const found = bucket.public
      ? await objects.findTrusted(bucketId, name)
      : await objects.find(act, bucketId, name);
    if (!found) throw noSuchKey();
    return found;
  }

  async function send(request, url, found) {
    const content = await files.read(found.version);
    if (content === null) throw noSuchKey();
    const { mimetype, cacheControl, eTag } = found.metadata ?? {};
    const headers = new Headers({
      // A browser must not run what somebody uploaded under this address.
      "content-type": /^text\/html/i.test(mimetype ?? "") ? "text/plain" : (mimetype ?? "application/octet-stream"),
      "x-content-type-options": "nosniff",
      "content-length": String(content.length),
      "cache-control": cacheControl ?? "no-cache",
      "last-modified": new Date(found.updated_at).toUTCString(),
      "x-robots-tag": "none",
      ...(eTag ? { etag: eTag } : {}),
    });
    const download = url.searchParams.get("download");
    if (download !== null) {
      const name = encodeURIComponent(download || found.name.split("/").at(-1));
      headers.set("content-disposition", `attachment; filename*=UTF-8''${name}`);
    }
    if (eTag && request.headers.get("if-none-match") === eTag) {
      headers.delete("content-length");
      return new Response(null, { status: 304, headers });
    }
    return new Response(request.method === "HEAD" ? null : content, { headers });
  }

  async function download(request, bucketId, name, url, onlyPublic) {
    const act = await actOf(request, "storage.object.get_authenticated", true);
    if (onlyPublic && !(await objects.bucket(bucketId))?.public) throw noSuchBucket();
    return send(request, url, await find(act, bucketId, name));
  }

  async function downloadSigned(request, bucketId, name, url) {
    await signer.read(url.searchParams.get("token"), "download", `${bucketId}/${name}`);
    const found = await objects.findTrusted(bucketId, name);
    if (!found) throw noSuchKey();
    return send(request, url, found);
  }

  async function info(request, bucketId, name, onlyPublic) {
    const act = await actOf(request, "storage.object.info", true);
    if (onlyPublic && !(await objects.bucket(bucketId))?.public) throw noSuchBucket();
    const found = await find(act, bucketId, name);
    const metadata = found.metadata ?? {};
    return Response.json({
      id: found.id,
      name: found.name,
      version: found.version,
      bucket_id: found.bucket_id,
      size: metadata.size ?? null,
      content_type: metadata.mimetype ?? null,
      cache_control: metadata.cacheControl ?? null,
      etag: metadata.eTag ?? null,
      metadata: found.user_metadata,
      last_modified: iso(found.updated_at),
      created_at: iso(found.created_at),
    });
  }

  async function list(request, bucketId) {
    const act = await actOf(request, "storage.object.list");
    const body = await jsonOf(request);
    const prefix = String(body.prefix ?? "");
    const rows = await objects.list(act, bucketId, {
      prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
      search: String(body.search ?? ""),
      limit: positive(body.limit ?? 100, "limit"),
      offset: Math.max(0, Number(body.offset) || 0),
      column: body.sortBy?.column,
      order: body.sortBy?.order,
      deep: false,
    });
    return Response.json(rows.map(shown));
  }

  async function listV2(request, bucketId) {
    const act = await actOf(request, "storage.object.list_v2");
    const body = await jsonOf(request);
    const prefix = String(body.prefix ?? "");
    const folder = body.with_delimiter ? prefix.slice(0, prefix.lastIndexOf("/") + 1) : "";
    const limit = Math.min(positive(body.limit ?? 1000, "limit"), 1000);
    const offset = Number(Buffer.from(String(body.cursor ?? ""), "base64url").toString()) || 0;
    const rows = await objects.list(act, bucketId, {
      prefix: folder,
      search: prefix.slice(folder.length),
      limit: limit + 1,
      offset,
      column: body.sortBy?.column,
      order: body.sortBy?.order,
      deep: !body.with_delimiter,
    });
    const page = rows.slice(0, limit);
    const hasNext = rows.length > limit;
    return Response.json({
      hasNext,
      ...(hasNext ? { nextCursor: Buffer.from(String(offset + limit)).toString("base64url") } : {}),
      folders: page
        .filter((row) => row.id === null)
        .map((row) => ({ name: `${row.name}/`, key: `${folder}${row.name}/` })),
      objects: page.filter((row) => row.id !== null).map((row) => ({ ...shown(row), key: `${folder}${row.name}` })),
    });
  }

  async function remove(request, bucketId, names) {
    const act = await actOf(request, "storage.object.delete_many");
    if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string"))
      throw invalidRequest("body/prefixes must be a list of keys");
    const removed = await objects.remove(act, bucketId, names);
    for (const row of removed) await files.remove(row.version);
    return removed.map(shown);
  }

  async function removeOne(request, bucketId, name) {
    if ((await remove(request, bucketId, [name])).length === 0) throw noSuchKey();
    return Response.json({ message: "Successfully deleted" });
  }

  function placesOf(body) {
    const from = { bucket: String(body.bucketId ?? ""), name: body.sourceKey };
    const to = { bucket: String(body.destinationBucket ?? from.bucket), name: body.destinationKey };
    mustBeValidKey(from.name);
    mustBeValidKey(to.name);
    return [from, to];
  }

  async function move(request) {
    const act = await actOf(request, "storage.object.move");
    const [from, to] = placesOf(await jsonOf(request));
    if (!(await objects.find(act, from.bucket, from.name))) throw noSuchKey();
    const id = await objects.move(act, from, to);
    return Response.json({ message: "Successfully moved", Id: id, Key: `${to.bucket}/${to.name}` });
  }

  async function copy(request) {
    const act = await actOf(request, "storage.object.copy");
    const body = await jsonOf(request);
    const [from, to] = placesOf(body);
    const source = await objects.find(act, from.bucket, from.name);
    if (!source) throw noSuchKey();
    const upsert = request.headers.get("x-upsert") === "true";
    const row = {
      ...to,
      owner: ownerOf(act.claims),
      metadata: source.metadata,
      userMetadata: body.copyMetadata === false ? (body.metadata ?? null) : source.user_metadata,
      version: "1",
    };
    await objects.probe(act, row, upsert);
    const version = await files.copy(source.version);
    if (version === null) throw noSuchKey();
    return Response.json(await keep(act, { ...row, version }, upsert));
  }

  async function sign(request, bucketId, name) {
    const act = await actOf(request, "storage.object.sign");
    const seconds = positive((await jsonOf(request)).expiresIn, "expiresIn");
    if (!(await objects.find(act, bucketId, name))) throw noSuchKey();
    return Response.json({ signedURL: await addressOf(bucketId, name, seconds) });
  }

  async function addressOf(bucketId, name, seconds) {
    const token = await signer.sign({ use: "download", url: `${bucketId}/${name}` }, seconds);
    return `/object/sign/${bucketId}/${name}?token=${token}`;
  }

  async function signMany(request, bucketId) {
    const act = await actOf(request, "storage.object.sign_many");
    const { expiresIn, paths } = await jsonOf(request);
    const seconds = positive(expiresIn, "expiresIn");
    if (!Array.isArray(paths)) throw invalidRequest("body/paths must be array");
    const visible = await objects.findNames(act, bucketId, paths.map(String));
    const signed = paths.map(async (path) =>
      visible.has(path)
        ? { error: null, path, signedURL: await addressOf(bucketId, path, seconds) }
        : { error: "Either the object does not exist or you do not have access to it", path, signedURL: null },
    );
    return Response.json(await Promise.all(signed));
  }

  async function buckets(request, id = null) {
    const rows = await objects.buckets(await actOf(request, "storage.bucket.list"), id);
    const all = rows.map((row) => ({
      ...row,
      owner: row.owner ?? "",
      created_at: iso(row.created_at),
      updated_at: iso(row.updated_at),
    }));
    if (id !== null && all.length === 0) throw noSuchBucket();
    return Response.json(id === null ? all : all[0]);
  }

  /** Addresses below /object: the words that are not buckets come first, as in Storage's own router. */
  function object(request, url, [first, second, ...rest]) {
    const { method } = request;
    const key = rest.join("/");
    const reading = method === "GET" || method === "HEAD";
    if (method === "POST" && first === "move" && second === undefined) return move(request);
    if (method === "POST" && first === "copy" && second === undefined) return copy(request);
    if (method === "POST" && first === "list") return list(request, second);
    if (method === "POST" && first === "list-v2") return listV2(request, second);
    if (first === "upload" && second === "sign" && rest.length > 1) {
      const [bucketId, ...name] = rest;
      if (method === "POST") return signUpload(request, bucketId, name.join("/"));
      if (method === "PUT") return uploadSigned(request, bucketId, name.join("/"), url);
    }
    if (method === "POST" && first === "sign")
      return rest.length === 0 ? signMany(request, second) : sign(request, second, key);
    if (reading && first === "sign") return downloadSigned(request, second, key, url);
    if (reading && first === "info") {
      const whose = second === "public" || second === "authenticated" ? rest.shift() : second;
      return info(request, whose, rest.join("/"), second === "public");
    }
    if (reading && (first === "public" || first === "authenticated"))
      return download(request, second, key, url, first === "public");
    const name = [second, ...rest].join("/");
    if (reading && name) return download(request, first, name, url, false);
    if (method === "DELETE" && second === undefined)
      return jsonOf(request)
        .then(({ prefixes }) => remove(request, first, prefixes))
        .then((removed) => Response.json(removed));
    if (method === "DELETE") return removeOne(request, first, name);
    if (method === "POST" && name)
      return upload(request, first, name, request.headers.get("x-upsert") === "true");
    if (method === "PUT" && name) return upload(request, first, name, true);
    return null;
  }

  function route(request) {
    const url = new URL(request.url);
    const [area, ...rest] = segmentsOf(url);
    if (area === "status" && request.method === "GET") return Response.json({ status: "ok" });
    if (area === "bucket" && request.method === "GET") return buckets(request, rest[0]);
    if (area === "render")
      throw new StorageError(403, "FeatureNotEnabled", "feature not enabled for this tenant");
    return area === "object" ? object(request, url, rest) : null;
  }

  return async (request) => {
    try {
      const response = await route(request);
      if (response) return response;
      const { pathname } = new URL(request.url);
      const message = `Route ${request.method}:${pathname} not found`;
      return Response.json({ message, error: "Not Found", statusCode: 404 }, { status: 404 });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const answer = error.toResponse();
      return request.method === "HEAD" ? new Response(null, answer) : answer;
    }
  };
}
