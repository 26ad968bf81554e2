// Errors as the real @supabase/supabase-js gives them. Run by test_gateway_errors.py, which gives the refusals.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";

const { SUPABASE_URL: url, SUPABASE_ANON_KEY: key, REFUSALS } = process.env;
const client = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });

for (const [status, code, facts] of JSON.parse(REFUSALS)) {
  test(`${status} ${code}`, async () => {
    const refused = await client.rpc("gw_fail", { p_status: status, p_code: code, p_facts: facts });
    assert.deepEqual([refused.status, refused.error.code], [status, code]);
    assert.equal(refused.error.message, 'No "stock"');
    assert.deepEqual(JSON.parse(refused.error.details), facts);
    assert.equal(refused.error.hint !== null, code === "changed_meanwhile");
  });
}
