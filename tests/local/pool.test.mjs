// A connection lost in the middle of a transaction. Run by test_gateway_process.py, which gives the address.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createPool } from "../../local/gateway/pool.mjs";

const pool = createPool(process.env.TEST_DATABASE_URL, 2, { backoff: () => 0.05, onnotice: () => {} });
after(() => pool.end());

test("nothing of a broken transaction runs on the next connection", async () => {
  const [victim, witness] = [await pool.reserve(), await pool.reserve()];
  await witness.unsafe("create table public.gw_pool (id int)", []);
  await victim.unsafe("begin", []);
  const [{ pid }] = await victim.unsafe("select pg_backend_pid() as pid", []);
  await witness.unsafe("select pg_terminate_backend($1, 5000)", [pid]);
  // The first statements may still find the dying connection; none may find the next one.
  const outcomes = [];
  for (let turn = 0; turn < 30; turn += 1) {
    const outcome = victim.unsafe("insert into public.gw_pool values (1)", []);
    outcomes.push(await outcome.then(() => "ran").catch((error) => error.code));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(!outcomes.includes("ran"), outcomes.join());
  assert.equal((await witness.unsafe("select * from public.gw_pool", [])).length, 0);
  victim.release();
  const again = await pool.reserve();
  assert.equal((await again.unsafe("select 1 as one", []))[0].one, 1);
  again.release();
  await witness.unsafe("drop table public.gw_pool", []);
  witness.release();
});
