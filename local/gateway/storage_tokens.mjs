import { createHmac } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { accessDenied, invalidSignature, StorageError } from "./storage_error.mjs";

const HS256 = { algorithms: ["HS256"] };

/**
 * Who asks: the claims of the bearer token, or the role that an API key stands for.
 *
 * @param {boolean} lenient whether a token that is not valid counts as none: files of public buckets are for everybody.
 * @returns {Promise<{role: string, sub?: string} | null>} null for nobody: neither token nor known key.
 */
export async function claimsOf(request, settings, lenient) {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
  if (bearer && !bearer.startsWith("sb_")) {
    try {
      const { payload } = await jwtVerify(bearer, new TextEncoder().encode(settings.jwtSecret), HS256);
      return { ...payload, role: typeof payload.role === "string" ? payload.role : "anon" };
    } catch (error) {
      if (lenient) return null;
      throw accessDenied(error.message);
    }
  }
  const key = bearer ?? request.headers.get("apikey");
  if (key === settings.serviceKey) return { role: "service_role" };
  return key === settings.anonKey ? { role: "anon" } : null;
}

/**
 * Signs and reads the tokens of signed addresses.
 *
 * Their key is derived, not the one of access tokens: an address that was handed out must never pass as a sign-in.
 */
export function createSigner(settings) {
  const key = createHmac("sha256", settings.jwtSecret).update("storage signed addresses").digest();
  return {
    sign: (payload, seconds) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(key),

    /** @returns {Promise<object>} what was signed, if it was signed for this very use and key. */
    async read(token, use, url) {
      if (!token) throw new StorageError(400, "MissingParameter", "Missing Required Parameter token");
      const { payload } = await jwtVerify(token, key, HS256).catch((error) => {
        throw new StorageError(400, "InvalidJWT", error.message);
      });
      if (payload.use !== use || payload.url !== url) throw invalidSignature();
      return payload;
    },
  };
}
