import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { AuthError, inRequestedFormat } from "./auth_error.mjs";
import { checkPassword } from "./passwords.mjs";
import { reissue, tagged } from "./tokens.mjs";
import { findUserByEmail, isBanned } from "./users.mjs";

/** A response that must reach the caller although the transaction is undone. */
class Refused extends Error {
  constructor(response) {
    super("refused");
    this.response = response;
  }
}

/** Endpoints that may open or refresh a session, and how the caller proves himself there. */
function sessionMethod(request, url) {
  const endpoint = `${request.method} ${url.pathname.slice("/auth/v1".length)}`;
  if (endpoint === "POST /signup") return "password";
  if (endpoint === "POST /verify" || endpoint === "GET /verify") return "otp";
  if (endpoint !== "POST /token") return null;
  return (
    { password: "password", refresh_token: "token_refresh", pkce: "oauth" }[
      url.searchParams.get("grant_type")
    ] ?? null
  );
}

/**
 * Serves /auth/v1 through the library, and adds what Supabase Auth does beside it: bans, complete tokens, the
 * access token hook, one transaction for each session.
 *
 * @param {{app: object, connection: object, settings: object}} parts
 * @returns {(request: Request) => Promise<Response>}
 */
export function createAuth({ app, connection, settings }) {
  async function handleSession(request, method) {
    const body = await request
      .clone()
      .json()
      .catch(() => ({}));
    try {
      return await connection.withAuthTransaction(async (transaction) => {
        await refuseBanned(tagged(transaction), method, body ?? {});
        const known = await knownAddress(tagged(transaction), settings, request, body ?? {});
        if (known) return known;
        const response = await app.fetch(request);
        if (response.status >= 500) throw new Refused(response);
        return withCompleteToken(transaction, response, method);
      });
    } catch (error) {
      if (error instanceof Refused) return error.response;
      if (error instanceof AuthError) return error.toResponse();
      throw error;
    }
  }

  /** A new password ends every session but the one it was set in; the library would leave them open. */
  async function changeOwnAccount(request) {
    const body = await request
      .clone()
      .json()
      .catch(() => ({}));
    const response = await app.fetch(request);
    if (response.status === 200 && body?.password) {
      // The library has just verified this token.
      const { sub, session_id: sessionId } = decodeJwt(
        request.headers.get("authorization").slice("Bearer ".length),
      );
      await connection.driver`delete from auth.sessions where user_id = ${sub} and id <> ${sessionId}`;
    }
    return response;
  }

  async function withCompleteToken(transaction, response, method) {
    const location = response.headers.get("location");
    const headers = new Headers(response.headers);
    if (location?.includes("#access_token=")) {
      const [target, fragment] = location.split("#");
      const members = new URLSearchParams(fragment);
      members.set(
        "access_token",
        (await reissue(transaction, settings, members.get("access_token"), method)).token,
      );
      headers.set("location", `${target}#${members}`);
      return new Response(null, { status: response.status, headers });
    }
    if (response.status !== 200) return response;
    const session = await response
      .clone()
      .json()
      .catch(() => null);
    if (!session?.access_token) return response;
    const { token, user } = await reissue(transaction, settings, session.access_token, method);
    headers.delete("content-length");
    return Response.json({ ...session, access_token: token, user }, { status: 200, headers });
  }

  return async (request) => {
    const url = new URL(request.url);
    const method = sessionMethod(request, url);
    let response;
    if (method) response = await handleSession(request, method);
    else if (request.method === "PUT" && url.pathname === "/auth/v1/user")
      response = await changeOwnAccount(request);
    else response = await app.fetch(request);
    return inRequestedFormat(request, response);
  };
}

/** The library never looks at banned_until. The refresh token is locked, so that two refreshes at once take turns. */
async function refuseBanned(database, method, body) {
  if (method === "password" && typeof body.email === "string") {
    const user = await findUserByEmail(database, body.email);
    if (user && isBanned(user)) throw new AuthError(400, "user_banned", "User is banned");
  }
  if (method === "token_refresh" && typeof body.refresh_token === "string") {
    await database`select 1 from auth.refresh_tokens where token = ${body.refresh_token} for update`;
    const [user] = await database`
      select u.banned_until from auth.refresh_tokens t join auth.users u on u.id = t.user_id
      where t.token = ${body.refresh_token}`;
    if (user && isBanned(user)) throw new AuthError(400, "user_banned", "Invalid Refresh Token: User Banned");
  }
}

/**
 * Signing up with an address that has a confirmed account looks like any other sign-up, so that nobody can find
 * out who has an account: Supabase Auth answers with an invented user without identities, and sends nothing.
 */
async function knownAddress(database, settings, request, body) {
  if (!new URL(request.url).pathname.endsWith("/signup") || !settings.auth.email.enable_confirmations)
    return null;
  if (typeof body.email !== "string" || typeof body.password !== "string") return null;
  const user = await findUserByEmail(database, body.email);
  if (!user?.email_confirmed_at) return null;
  checkPassword(body.password, settings.password);
  const now = new Date().toISOString();
  return Response.json({
    id: randomUUID(),
    aud: "authenticated",
    role: "",
    email: body.email.toLowerCase(),
    phone: "",
    confirmation_sent_at: now,
    app_metadata: { provider: "email", providers: ["email"] },
    user_metadata: body.data ?? {},
    identities: [],
    created_at: now,
    updated_at: now,
    is_anonymous: false,
  });
}
