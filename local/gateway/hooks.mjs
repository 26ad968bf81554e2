import { sql } from "kysely";
import { AuthError, unexpectedFailure } from "./auth_error.mjs";
import { log } from "./log.mjs";

const TIMEOUT_MS = 2000;

/** Claims that Supabase Auth insists on after the hook, with the JSON type each must have. */
const REQUIRED = {
  aud: ["string", "array"],
  exp: ["integer"],
  iat: ["integer"],
  sub: ["string"],
  email: ["string"],
  phone: ["string"],
  role: ["string"],
  aal: ["string"],
  session_id: ["string"],
  is_anonymous: ["boolean"],
};
const OPTIONAL = {
  jti: ["string"],
  iss: ["string"],
  nbf: ["integer"],
  app_metadata: ["object"],
  user_metadata: ["object"],
  amr: ["array"],
  client_id: ["string"],
};

function jsonType(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/** @throws {AuthError} 500 that lists what is missing or of the wrong type. */
export function checkClaims(claims) {
  const faults = [];
  for (const [name, types] of Object.entries({ ...OPTIONAL, ...REQUIRED })) {
    if (claims?.[name] === undefined) {
      if (name in REQUIRED) faults.push(`- (root): ${name} is required`);
    } else if (!types.includes(jsonType(claims[name]))) {
      faults.push(`- ${name}: Invalid type. Expected: ${types.join("/")}, given: ${jsonType(claims[name])}`);
    }
  }
  if (faults.length > 0)
    throw unexpectedFailure(`output claims do not conform to the expected schema: \n${faults.join("\n")}\n`);
}

/**
 * Calls the custom access token function as Supabase Auth does: role supabase_auth_admin, its search_path, two
 * seconds, inside the transaction that opens or refreshes the session.
 *
 * @param transaction Kysely transaction of the sign-in.
 * @param {{schema: string, name: string, uri: string}} hook
 * @param {{user_id: string, claims: object, authentication_method: string}} event
 * @returns {Promise<object>} the claims to sign.
 * @throws {AuthError} what the hook answered as `error`, or 500 when it failed or broke the claims.
 */
export async function customAccessToken(transaction, hook, event) {
  let answer;
  try {
    await sql`select set_config('role', 'supabase_auth_admin', true), set_config('search_path', 'auth', true),
      set_config('statement_timeout', ${String(TIMEOUT_MS)}, true)`.execute(transaction);
    const call = sql`select ${sql.id(hook.schema, hook.name)}(${JSON.stringify(event)}::text::jsonb) as answer`;
    answer = (await call.execute(transaction)).rows[0].answer;
  } catch (error) {
    log("error", "hook_failed", { hook: hook.uri, code: error.code, message: error.message });
    throw unexpectedFailure(`Error running hook URI: ${hook.uri}`);
  }
  if (answer?.error?.message) {
    const status = answer.error.http_code || 500;
    throw new AuthError(status, status === 500 ? "unexpected_failure" : "unknown", answer.error.message);
  }
  checkClaims(answer?.claims);
  return answer.claims;
}
