import { createSecretKey } from "node:crypto";
import { compactVerify, decodeProtectedHeader } from "jose";
import { invalidToken } from "./errors.mjs";
import { Recent } from "./recent.mjs";

/** How far the clocks may differ, in seconds, as in PostgREST. */
const SKEW = 30;
const ALGORITHMS = ["HS256", "HS384", "HS512"];

const isNumber = (value) => typeof value === "number";
const isTexts = (value) => Array.isArray(value) && value.every((entry) => typeof entry === "string");

/** @throws {RestError} when the claims do not hold now. */
function checkClaims(claims) {
  const now = Date.now() / 1000;
  for (const name of ["exp", "nbf", "iat"])
    if (claims[name] !== undefined && claims[name] !== null && !isNumber(claims[name]))
      throw invalidToken("PGRST303", `The JWT '${name}' claim must be a number`);
  if (isNumber(claims.exp) && now - claims.exp > SKEW) throw invalidToken("PGRST303", "JWT expired");
  if (isNumber(claims.nbf) && claims.nbf - now > SKEW) throw invalidToken("PGRST303", "JWT not yet valid");
  if (isNumber(claims.iat) && claims.iat - now > SKEW) throw invalidToken("PGRST303", "JWT issued at future");
  const { aud } = claims;
  if (aud !== undefined && aud !== null && typeof aud !== "string" && !isTexts(aud))
    throw invalidToken("PGRST303", "The JWT 'aud' claim must be a string or an array of strings");
}

async function verified(token, key) {
  const parts = token.split(".").length;
  if (token === "") throw invalidToken("PGRST301", "Empty JWT is sent in Authorization header");
  if (parts !== 3) throw invalidToken("PGRST301", `Expected 3 parts in JWT; got ${parts}`);
  let payload;
  try {
    ({ payload } = await compactVerify(token, key, { algorithms: ALGORITHMS }));
  } catch {
    throw refused(token);
  }
  try {
    const claims = JSON.parse(Buffer.from(payload).toString("utf8"));
    if (claims !== null && typeof claims === "object" && !Array.isArray(claims)) return claims;
  } catch {
    // Said below.
  }
  throw invalidToken("PGRST303", "Parsing claims failed");
}

function refused(token) {
  try {
    if (ALGORITHMS.includes(decodeProtectedHeader(token).alg))
      return invalidToken(
        "PGRST301",
        "No suitable key or wrong key type",
        "None of the keys was able to decode the JWT",
      );
    return invalidToken("PGRST301", "Wrong or unsupported encoding algorithm");
  } catch {
    return invalidToken("PGRST301", "JWT cryptographic operation failed");
  }
}

const REFUSED_KEY = {
  message: "Invalid API key",
  hint: "Double check your Supabase `anon` or `service_role` API key.",
};

const refusal = (body, headers = {}) => ({ refusal: Response.json(body, { status: 401, headers }) });

/**
 * Makes the judge of who asks.
 *
 * @param {{jwtSecret: string, anonKey: string, serviceKey: string}} settings
 * @returns {(request: Request, url: URL) => Promise<{role: string, claims: object} | {refusal: Response}>}
 */
export function createJudge({ jwtSecret, anonKey, serviceKey }) {
  const key = createSecretKey(Buffer.from(jwtSecret, "utf8"));
  const known = new Recent(2000);
  const roles = new Map([
    [anonKey, "anon"],
    [serviceKey, "service_role"],
  ]);

  async function claimsOf(token) {
    const claims = known.get(token) ?? (await verified(token, key));
    checkClaims(claims);
    known.set(token, claims);
    return claims;
  }

  return async (request, url) => {
    const apiKey = request.headers.get("apikey") ?? url.searchParams.get("apikey");
    if (apiKey === null)
      return refusal(
        {
          message: "No API key found in request",
          hint: "No `apikey` request header or url param was found.",
        },
        { "sb-error-code": "UNAUTHORIZED_MISSING_API_KEY" },
      );
    if (!roles.has(apiKey)) return refusal(REFUSED_KEY);
    const bearer = /^Bearer(?: +(.*))?$/i.exec(request.headers.get("authorization")?.trim() ?? "");
    if (!bearer || bearer[1] === apiKey) return { role: roles.get(apiKey), claims: {} };
    const claims = await claimsOf(bearer[1]?.trim() ?? "");
    return { role: typeof claims.role === "string" ? claims.role : "anon", claims };
  };
}
