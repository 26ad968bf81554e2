import { SignJWT, decodeJwt } from "jose";
import { sql } from "kysely";
import { customAccessToken } from "./hooks.mjs";
import { findUser, userJson } from "./users.mjs";

/** Kysely transaction as the tagged template that {@link findUser} takes. */
export const tagged =
  (transaction) =>
  async (parts, ...values) =>
    (await sql(parts, ...values).execute(transaction)).rows;

/**
 * Issues the access token again with the claims that Supabase Auth puts in, after the hook had its say.
 *
 * The library signs only sub, aud, role, email and session_id. User and session stay the same, so it accepts the
 * new token wherever it accepted its own.
 *
 * @param transaction Kysely transaction in which the library opened or refreshed the session.
 * @param {object} settings see settings.mjs; `issuer` is `<public url>/auth/v1`.
 * @param {string} issued the library's token.
 * @param {string} method how the caller proved himself: password, otp, token_refresh.
 * @returns {Promise<{token: string, user: object}>} the token and the user as Auth shows him.
 */
export async function reissue(transaction, settings, issued, method) {
  const { sub, session_id: sessionId, iat, exp } = decodeJwt(issued);
  const user = await findUser(tagged(transaction), sub);
  const claims = {
    iss: settings.issuer,
    sub,
    aud: user.aud,
    exp,
    iat,
    email: user.email ?? "",
    phone: user.phone ?? "",
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role,
    aal: "aal1",
    amr: await authenticationMethods(transaction, sessionId, method),
    session_id: sessionId,
    is_anonymous: user.is_anonymous,
  };
  const signed = settings.accessTokenHook
    ? await customAccessToken(transaction, settings.accessTokenHook, {
        user_id: sub,
        claims,
        authentication_method: method,
      })
    : claims;
  const token = await new SignJWT(signed)
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(settings.jwtSecret));
  return { token, user: userJson(user) };
}

/** A refresh keeps the methods of the sign-in; anything else adds its own. Newest first, times in Unix seconds. */
async function authenticationMethods(transaction, sessionId, method) {
  if (method !== "token_refresh") {
    await sql`insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
      values (gen_random_uuid(), ${sessionId}, now(), now(), ${method})
      on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at`.execute(
      transaction,
    );
  }
  const { rows } =
    await sql`select authentication_method as method, floor(extract(epoch from updated_at))::bigint as timestamp
    from auth.mfa_amr_claims where session_id = ${sessionId} order by updated_at desc`.execute(transaction);
  return rows;
}
