import { invalidMimeType, invalidRequest, StorageError, tooLarge } from "./storage_error.mjs";

/** What a multipart body may have around the file: boundaries, the other fields. */
const ENVELOPE_BYTES = 64 * 1024;

/** Reads a body up to `limit` bytes; one byte more and the rest is not read at all. */
async function readUpTo(request, limit) {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  const chunks = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseMetadata(text) {
  if (text === null || text === undefined || text === "") return null;
  try {
    const metadata = JSON.parse(text);
    return metadata !== null && typeof metadata === "object" ? metadata : null;
  } catch {
    throw invalidRequest("Metadata is not JSON");
  }
}

async function readForm(request, contentType, limit) {
  const body = await readUpTo(request, limit + ENVELOPE_BYTES);
  const form = await new Response(body, { headers: { "content-type": contentType } })
    .formData()
    .catch(() => null);
  const file = form && [...form.values()].find((value) => typeof value !== "string");
  if (!file) throw invalidRequest("No file provided");
  if (file.size > limit) throw tooLarge();
  const seconds = form.get("cacheControl");
  return {
    content: Buffer.from(await file.arrayBuffer()),
    mimeType: file.type || "application/octet-stream",
    cacheControl: typeof seconds === "string" && seconds !== "" ? `max-age=${seconds}` : "no-cache",
    userMetadata: parseMetadata(form.get("metadata")),
  };
}

async function readBinary(request, contentType, limit) {
  const encoded = request.headers.get("x-metadata");
  return {
    content: await readUpTo(request, limit),
    mimeType: contentType || "application/octet-stream",
    cacheControl: request.headers.get("cache-control") ?? "no-cache",
    userMetadata: parseMetadata(encoded && Buffer.from(encoded, "base64").toString()),
  };
}

/** `image/*` in a bucket's list stands for every image type; parameters such as the charset do not count. */
function isAllowed(mimeType, allowed) {
  if (!allowed?.length) return true;
  const type = mimeType.split(";")[0].trim().toLowerCase();
  return allowed.some((one) => one === type || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))));
}

/**
 * Reads what a client uploads, within the bucket's limits.
 *
 * @param {Request} request multipart form (a browser's Blob) or the file as the whole body.
 * @param {{file_size_limit: number | null, allowed_mime_types: string[] | null}} bucket
 * @param {number} largest the project's limit in bytes, which no bucket's limit exceeds.
 * @returns {Promise<{content: Buffer, mimeType: string, cacheControl: string, userMetadata: object | null}>}
 */
export async function readUpload(request, bucket, largest) {
  const limit = Math.min(bucket.file_size_limit ?? largest, largest);
  const contentType = request.headers.get("content-type") ?? "";
  const isForm = contentType.toLowerCase().startsWith("multipart/form-data");
  if (!isForm && !isAllowed(contentType || "application/octet-stream", bucket.allowed_mime_types))
    throw invalidMimeType(contentType);
  const upload = await (isForm ? readForm : readBinary)(request, contentType, limit);
  if (!isAllowed(upload.mimeType, bucket.allowed_mime_types)) throw invalidMimeType(upload.mimeType);
  return upload;
}

/** Parses a size such as "50MiB" of config.toml. */
export function parseSize(text) {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?)(i?)B?$/i.exec(String(text));
  if (!match) throw new Error(`not a size: ${text}`);
  const power = { "": 0, K: 1, M: 2, G: 3 }[match[2].toUpperCase()];
  return Math.floor(Number(match[1]) * (match[3] ? 1024 : 1000) ** power);
}

const SAFE_KEY = /^(\w|\/|!|-|\.|\*|'|\(|\)| |&|\$|@|=|;|:|\+|,|\?)*$/;

/** The characters Storage takes in a key, and no segment that a program on the way could read as a way up. */
export function mustBeValidKey(key) {
  if (typeof key !== "string" || key === "" || key.length > 1024 || !SAFE_KEY.test(key) || dotted(key))
    throw new StorageError(400, "InvalidKey", `Invalid key: ${key}`);
}

const dotted = (key) => key.split("/").some((segment) => segment === "." || segment === "..");
