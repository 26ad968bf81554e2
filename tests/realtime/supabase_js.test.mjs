// Stock in real time through the real @supabase/supabase-js. Run by test_supabase_js.py, which gives addresses and tokens.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import { SignJWT, decodeJwt } from "jose";

const { SUPABASE_URL: url, SUPABASE_ANON_KEY: anonKey, MARKET } = process.env;
const { tokens, branches, variants, org } = JSON.parse(MARKET);
const [[north, northLocation], [south, southLocation]] = branches;
const clients = [];
const signedIn = new Set();

function client(token) {
  const made = createClient(url, anonKey, {
    ...(token && { accessToken: async () => token }),
    auth: { persistSession: false, autoRefreshToken: false },
  });
  clients.push(made);
  if (token) signedIn.add(made);
  return made;
}
after(() => Promise.all(clients.map((made) => made.removeAllChannels())));

/** Subscribes; resolves to the first status that decides, with the messages that came so far and will come. */
async function listen(made, topic, { config = { private: true }, event = "*" } = {}) {
  if (signedIn.has(made)) await made.realtime.setAuth();
  return new Promise((resolve) => {
    const messages = [];
    const statuses = [];
    const channel = made.channel(topic, { config });
    channel.on("broadcast", { event }, (message) => messages.push(message));
    channel.on("system", {}, (message) => messages.push(message));
    channel.subscribe((status, error) => {
      statuses.push(status);
      resolve({ channel, status, error, messages, statuses });
    });
  });
}

async function until(condition, what = "the condition") {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A cashier's token that expires soon. */
const soonExpired = () =>
  new SignJWT({ ...decodeJwt(tokens.cashier0), exp: Math.floor(Date.now() / 1000) + 2 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(process.env.SUPABASE_JWT_SECRET));

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function sell(made, branch, location, pieces = 1) {
  const lines = variants.slice(0, pieces).map((variant_id) => ({ variant_id, quantity: 1 }));
  const { error } = await made.rpc("post_sale", {
    p_id: crypto.randomUUID(),
    p_branch_id: branch,
    p_location_id: location,
    p_customer_id: null,
    p_lines: lines,
    p_payments: [{ method: "cash", amount: 118 * pieces }],
  });
  assert.equal(error, null);
}

test("a sale in one branch is seen by whoever listens there, and only there", async () => {
  const boss = client(tokens.admin);
  const hears = await listen(boss, `branch:${south}:stock`);
  const elsewhere = await listen(client(tokens.cashier0), `branch:${north}:stock`);
  assert.deepEqual([hears.status, elsewhere.status], ["SUBSCRIBED", "SUBSCRIBED"]);
  await sell(client(tokens.cashier1), south, southLocation, 2);
  await until(() => hears.messages.length > 0, "the message");
  await pause(200);
  assert.equal(hears.messages.length, 1);
  assert.equal(elsewhere.messages.length, 0);
  const { event, payload } = hears.messages[0];
  assert.equal(event, "stock");
  assert.deepEqual([payload.branch_id, payload.catch_up], [south, false]);
  assert.deepEqual(
    payload.changes
      .map((change) => [change.location_id, change.variant_id, change.on_hand, change.available])
      .sort(),
    variants
      .slice(0, 2)
      .map((variant) => [southLocation, variant, 99, 99])
      .sort(),
  );
});

for (const [who, token, topic] of [
  ["another branch's cashier", tokens.cashier1, `branch:${north}:stock`],
  ["another business", tokens.stranger, `branch:${north}:stock`],
  ["somebody without a membership", tokens.nobody, `branch:${north}:stock`],
  ["a visitor", null, `branch:${north}:stock`],
  ["a cashier on the notices", tokens.cashier0, `org:${org}:notices`],
  ["anybody on a topic that is none", tokens.admin, "branch:not-a-uuid:stock"],
  ["anybody on an empty topic part", tokens.admin, "branch::stock"],
  ["anybody on a quoted topic", tokens.admin, `branch:'${north}'::uuid:stock`],
  ["anybody on a topic of another kind", tokens.admin, `branch:${north}:prices`],
]) {
  test(`${who} cannot join`, async () => {
    const { status, error } = await listen(client(token), topic);
    assert.equal(status, "CHANNEL_ERROR");
    assert.match(error.message, /Unauthorized: You do not have permissions to read from this Channel topic/);
  });
}

test("public channels are closed", async () => {
  const { status, error } = await listen(client(tokens.admin), `branch:${north}:stock`, {
    config: { private: false },
  });
  assert.equal(status, "CHANNEL_ERROR");
  assert.match(error.message, /PrivateOnly: This project only allows private channels/);
});

test("nobody can forge a message", async () => {
  const hears = await listen(client(tokens.cashier0), `branch:${north}:stock`);
  const forger = client(tokens.admin);
  const forges = await listen(forger, `branch:${north}:stock`, {
    config: { private: true, broadcast: { ack: false, self: true } },
  });
  assert.equal(forges.status, "SUBSCRIBED");
  const forged = { branch_id: north, changes: [], catch_up: false };
  assert.equal(await forges.channel.send({ type: "broadcast", event: "stock", payload: forged }), "ok");
  await forges.channel.send({ type: "broadcast", event: "stock", payload: new Uint8Array([1, 2]).buffer });
  const acknowledged = await listen(client(tokens.cashier0), `branch:${north}:stock`, {
    config: { private: true, broadcast: { ack: true } },
  });
  const dropped = acknowledged.channel.send(
    { type: "broadcast", event: "stock", payload: forged },
    { timeout: 300 },
  );
  assert.equal(await dropped, "timed out");
  const sent = await forger
    .schema("realtime")
    .rpc("send", { payload: forged, event: "stock", topic: `branch:${north}:stock` });
  assert.equal(sent.error.code, "PGRST106");
  const called = await forger.rpc("send", {
    payload: forged,
    event: "stock",
    topic: `branch:${north}:stock`,
  });
  assert.equal(called.status, 404);
  const written = await forger
    .schema("realtime")
    .from("messages")
    .insert({ topic: "x", extension: "broadcast" });
  assert.equal(written.error.code, "PGRST106");
  assert.equal((await forger.from("stock_events").select()).status, 404);
  assert.equal((await forger.from("messages").select()).status, 404);
  // One true message proves that the way was open all the time.
  await sell(forger, north, northLocation);
  await until(() => hears.messages.length > 0);
  await pause(200);
  assert.deepEqual(
    [hears.messages.length, forges.messages.length, hears.messages[0].payload.changes.length],
    [1, 1, 1],
  );
});

test("leaving ends the messages, and one may come back", async () => {
  const made = client(tokens.cashier0);
  const first = await listen(made, `branch:${north}:stock`);
  assert.equal(await made.removeChannel(first.channel), "ok");
  const second = await listen(made, `branch:${north}:stock`);
  assert.equal(second.status, "SUBSCRIBED");
  await sell(client(tokens.admin), north, northLocation);
  await until(() => second.messages.length > 0);
  assert.equal(first.messages.length, 0);
});

test("a token that expires closes the channel; a renewed one keeps it open", async () => {
  const short = client();
  const long = client();
  const token = await soonExpired();
  await short.realtime.setAuth(token);
  await long.realtime.setAuth(token);
  const ends = await listen(short, `branch:${north}:stock`);
  const stays = await listen(long, `branch:${north}:stock`);
  assert.deepEqual([ends.status, stays.status], ["SUBSCRIBED", "SUBSCRIBED"]);
  await long.realtime.setAuth(tokens.cashier0);
  await until(() => ends.statuses.includes("CLOSED"), "the end");
  const [system] = ends.messages;
  assert.deepEqual([system.extension, system.status], ["system", "error"]);
  assert.match(system.message, /Token has expired \d+ seconds ago/);
  await sell(client(tokens.admin), north, northLocation);
  await until(() => stays.messages.length > 0);
  assert.equal(stays.statuses.at(-1), "SUBSCRIBED");
});

test("a new token that may not listen closes the channel", async () => {
  const made = client();
  await made.realtime.setAuth(tokens.cashier0);
  const { status, statuses, messages } = await listen(made, `branch:${north}:stock`);
  assert.equal(status, "SUBSCRIBED");
  await made.realtime.setAuth(tokens.stranger);
  await until(() => statuses.includes("CLOSED"));
  assert.match(messages[0].message, /permissions to read/);
});

test("the library's heartbeat is answered", async () => {
  const made = client(tokens.cashier0);
  await listen(made, `branch:${north}:stock`);
  const seen = [];
  made.realtime.onHeartbeat((status) => seen.push(status));
  await made.realtime.sendHeartbeat();
  await until(() => seen.includes("ok"), "the answer");
});
