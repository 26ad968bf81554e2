// Storage seen by the real @supabase/supabase-js. Run by storage/test_files.py, which gives addresses, tokens and folders.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";

const {
  SUPABASE_URL: url,
  SUPABASE_ANON_KEY: anonKey,
  ADMIN_TOKEN,
  CASHIER_TOKEN,
  FOREIGN_TOKEN,
  SOFA,
  PUMP,
} = process.env;
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const connect = (token) =>
  createClient(url, anonKey, token ? { accessToken: async () => token } : { auth: { persistSession: false } });
const admin = connect(ADMIN_TOKEN).storage.from("product-images");
const cashier = connect(CASHIER_TOKEN).storage.from("product-images");
const foreign = connect(FOREIGN_TOKEN).storage.from("product-images");
const visitor = connect();
const fresh = () => `${SOFA}/${randomUUID()}.png`;
const png = () => new Blob([PNG], { type: "image/png" });
const bytes = async (blob) => Buffer.from(await blob.arrayBuffer());

test("a manager uploads, lists, signs, copies, moves and removes", async () => {
  const path = fresh();
  const uploaded = await admin.upload(path, png(), { cacheControl: "60", metadata: { shot: 1 } });
  assert.equal(uploaded.error, null);
  assert.deepEqual([uploaded.data.path, uploaded.data.fullPath], [path, `product-images/${path}`]);
  assert.match(uploaded.data.id, /^[0-9a-f-]{36}$/);

  const { data: listed } = await admin.list(SOFA, { search: path.split("/")[2] });
  assert.deepEqual([listed.length, listed[0].metadata.cacheControl], [1, "max-age=60"]);
  const { data: info } = await admin.info(path);
  assert.deepEqual([info.size, info.contentType, info.metadata], [PNG.length, "image/png", { shot: 1 }]);
  assert.deepEqual(await admin.exists(path), { data: true, error: null });
  assert.equal((await admin.exists(fresh())).data, false);
  assert.deepEqual(await bytes((await cashier.download(path)).data), PNG);

  const signed = await cashier.createSignedUrl(path, 60, { download: true });
  const answer = await fetch(signed.data.signedUrl);
  assert.match(answer.headers.get("content-disposition"), /^attachment/);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PNG);
  const many = await cashier.createSignedUrls([path, `${PUMP}/front.jpg`], 60);
  assert.ok(many.data[0].signedUrl);
  assert.equal(many.data[1].signedUrl, null);

  const copied = fresh();
  assert.equal((await admin.copy(path, copied)).data.path, `product-images/${copied}`);
  const moved = fresh();
  assert.equal((await admin.move(copied, moved)).error, null);
  const flat = await admin.listV2({ prefix: `${SOFA}/` });
  assert.ok(flat.data.objects.some((object) => object.key === moved));
  const removed = await admin.remove([path, moved]);
  assert.deepEqual(removed.data.map((row) => row.name).sort(), [path, moved].sort());
});

test("raw bytes, upsert and update", async () => {
  const path = fresh();
  assert.equal((await admin.upload(path, PNG, { contentType: "image/png" })).error, null);
  const twice = await admin.upload(path, PNG, { contentType: "image/png" });
  assert.deepEqual([twice.error.statusCode, twice.error.code], ["409", "ResourceAlreadyExists"]);
  assert.equal((await admin.upload(path, png(), { upsert: true })).error, null);
  assert.equal((await admin.update(path, png())).error, null);
  const untyped = await admin.upload(fresh(), PNG);
  assert.deepEqual([untyped.error.statusCode, untyped.error.code], ["415", "InvalidMimeType"]);
  const large = await admin.upload(fresh(), new Blob([Buffer.alloc(5 * 1024 ** 2 + 1)], { type: "image/png" }));
  assert.deepEqual([large.error.statusCode, large.error.code], ["413", "EntityTooLarge"]);
});

test("signed uploads need no sign-in", async () => {
  const path = fresh();
  const ticket = await admin.createSignedUploadUrl(path);
  assert.equal(ticket.error, null);
  const sent = await visitor.storage.from("product-images").uploadToSignedUrl(path, ticket.data.token, png());
  assert.equal(sent.error, null);
  assert.deepEqual(await bytes((await cashier.download(path)).data), PNG);
});

test("a cashier only reads, a stranger does not even", async () => {
  const path = fresh();
  await admin.upload(path, png());
  for (const files of [cashier, foreign]) {
    const refused = await files.upload(fresh(), png());
    assert.deepEqual([refused.error.statusCode, refused.error.code], ["403", "AccessDenied"]);
    assert.deepEqual((await files.remove([path])).data, []);
  }
  assert.deepEqual((await foreign.list(SOFA)).data, []);
  assert.equal((await foreign.download(path)).error.status, 400);
  assert.equal((await foreign.createSignedUrl(path, 60)).error.code, "NoSuchKey");
  assert.equal((await admin.upload(`${PUMP}/mine.png`, png())).error.code, "AccessDenied");
});

test("a visitor sees the storefront by its public address", async () => {
  const path = fresh();
  const storefront = connect(ADMIN_TOKEN).storage.from("storefront");
  assert.equal((await storefront.upload(path, png())).error, null);
  const { publicUrl } = visitor.storage.from("storefront").getPublicUrl(path).data;
  const answer = await fetch(publicUrl);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "image/png"]);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PNG);
  assert.deepEqual((await visitor.storage.from("storefront").list("")).data, []);
  assert.deepEqual((await visitor.storage.listBuckets()).data, []);
});
