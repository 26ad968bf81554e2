// The gateway seen by the real @supabase/supabase-js. Run by test_gateway_process.py, which gives the addresses.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";

const { SUPABASE_URL: url, SUPABASE_ANON_KEY: anonKey, SUPABASE_SERVICE_ROLE_KEY: serviceKey } = process.env;
const PASSWORD = "Correct1Horse";
const ORG = "00000000-0000-4000-8000-000000000001";
const connect = (key = anonKey) =>
  createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
const admin = connect(serviceKey);

async function signedIn() {
  const email = `${randomUUID()}@shop.example`;
  const made = await admin.auth.admin.createUser({ email, password: PASSWORD, email_confirm: true });
  assert.equal(made.error, null);
  const client = connect();
  const { data, error } = await client.auth.signInWithPassword({ email, password: PASSWORD });
  assert.equal(error, null);
  return { client, user: made.data.user, email, session: data.session };
}

test("a user signs in, refreshes, changes himself and signs out", async () => {
  const { client, user, session } = await signedIn();
  assert.equal(session.user.id, user.id);
  const { data: claims } = await client.auth.getClaims();
  assert.equal(claims.claims.iss, `${url}/auth/v1`);
  assert.equal(claims.claims.asked_as, "password");
  assert.equal((await client.auth.getUser()).data.user.id, user.id);
  const refreshed = await client.auth.refreshSession();
  assert.equal(refreshed.error, null);
  assert.notEqual(refreshed.data.session.refresh_token, session.refresh_token);
  const updated = await client.auth.updateUser({ data: { shirt: "M" } });
  assert.equal(updated.data.user.user_metadata.shirt, "M");
  assert.equal((await client.auth.signOut()).error, null);
  const again = await connect().auth.refreshSession({ refresh_token: refreshed.data.session.refresh_token });
  assert.equal(again.error.code, "refresh_token_not_found");
});

test("the admin API answers as the client expects", async () => {
  const { user, email } = await signedIn();
  const listed = await admin.auth.admin.listUsers({ page: 1, perPage: 1 });
  assert.equal(listed.data.users.length, 1);
  assert.ok(listed.data.total >= 1);
  const twice = await admin.auth.admin.createUser({ email, password: PASSWORD });
  assert.deepEqual([twice.error.status, twice.error.code], [422, "email_exists"]);
  const weak = await admin.auth.admin.updateUserById(user.id, { password: "weak" });
  assert.deepEqual([weak.error.code, weak.error.reasons], ["weak_password", ["length", "characters"]]);
  const banned = await admin.auth.admin.updateUserById(user.id, { ban_duration: "1h" });
  assert.ok(banned.data.user.banned_until);
  const refused = await connect().auth.signInWithPassword({ email, password: PASSWORD });
  assert.equal(refused.error.code, "user_banned");
  assert.equal((await connect().auth.admin.listUsers()).error.code, "not_admin");
  assert.equal((await admin.auth.admin.deleteUser(user.id)).error, null);
  assert.equal((await admin.auth.admin.getUserById(user.id)).error.code, "user_not_found");
});

test("rows are written, counted, paged, embedded and upserted", async () => {
  const { client } = await signedIn();
  const prefix = randomUUID().slice(0, 8);
  const rows = Array.from({ length: 6 }, (_, n) => ({ org_id: ORG, sku: `${prefix}-${n}`, price: n }));
  const inserted = await client.from("gw_items").insert(rows).select("id, sku");
  assert.deepEqual([inserted.status, inserted.data.length], [201, 6]);
  const page = await client
    .from("gw_items")
    .select("sku", { count: "exact" })
    .like("sku", `${prefix}-%`)
    .order("sku")
    .range(2, 3);
  assert.deepEqual(
    [page.status, page.count, page.data.map((row) => row.sku)],
    [206, 6, [`${prefix}-2`, `${prefix}-3`]],
  );
  const head = await client
    .from("gw_items")
    .select("*", { count: "exact", head: true })
    .like("sku", `${prefix}-%`);
  assert.deepEqual([head.count, head.data], [6, null]);
  const beyond = await client
    .from("gw_items")
    .select("sku", { count: "exact" })
    .like("sku", `${prefix}-%`)
    .range(50, 60);
  assert.deepEqual([beyond.status, beyond.error?.code], [416, "PGRST103"]);
  const upserted = await client
    .from("gw_items")
    .upsert({ org_id: ORG, sku: `${prefix}-0`, price: 9 }, { onConflict: "org_id,sku" })
    .select("price");
  assert.deepEqual(upserted.data, [{ price: 9 }]);
  const ignored = await client
    .from("gw_items")
    .upsert(
      { org_id: ORG, sku: `${prefix}-0`, price: 1 },
      { onConflict: "org_id,sku", ignoreDuplicates: true },
    )
    .select();
  assert.deepEqual(ignored.data, []);
  const embedded = await client
    .from("gw_items")
    .select("sku, shop:gw_shops(name), gw_parts(id, quantity)")
    .eq("sku", "SOFA")
    .single();
  assert.deepEqual(embedded.data.shop, { name: "North" });
  assert.deepEqual(
    embedded.data.gw_parts.find((part) => part.id === 1),
    { id: 1, quantity: 4 },
  );
  const filtered = await client
    .from("gw_items")
    .select("sku")
    .or(`sku.eq.SOFA,sku.eq.${prefix}-1`)
    .in("price", [1, 1180])
    .order("price");
  assert.deepEqual(
    filtered.data.map((row) => row.sku),
    [`${prefix}-1`, "SOFA"],
  );
});

test("errors keep their status, code and details", async () => {
  const { client } = await signedIn();
  const raised = await client.rpc("gw_raise", { p_code: "PT409" });
  assert.deepEqual(
    [raised.status, raised.error.code, JSON.parse(raised.error.details)],
    [409, "PT409", { code: "insufficient_stock" }],
  );
  const forbidden = await client.from("gw_items").delete().eq("id", 1);
  assert.deepEqual([forbidden.status, forbidden.error.code], [403, "42501"]);
  assert.equal((await connect().from("gw_items").select()).status, 401);
  const written = await client.rpc("gw_write", { p_id: 4711 }, { get: true });
  assert.deepEqual([written.status, written.error.code], [405, "25006"]);
});
