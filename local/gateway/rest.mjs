import { scope } from "./connection.mjs";

/** Answers that a catalogue read before the last migration would also give. */
const STALE = new Set(["PGRST200", "PGRST202", "PGRST204", "PGRST205"]);
const STALE_PLAN = "0A000";

async function errorCode(response) {
  if (response.status !== 400 && response.status !== 404 && response.status !== 500) return null;
  const body = await response
    .clone()
    .json()
    .catch(() => null);
  return body?.code ?? null;
}

/** PostgREST calls a bearer token that is no JWT an error; the library would treat its bearer as anonymous. */
function malformedBearer(request) {
  const token = /^Bearer\s+(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]?.trim();
  if (!token || token.startsWith("sb_")) return null;
  const parts = token.split(".").length;
  if (parts === 3) return null;
  const body = {
    code: "PGRST301",
    details: null,
    hint: null,
    message: `Expected 3 parts in JWT; got ${parts}`,
  };
  return Response.json(body, {
    status: 401,
    headers: { "www-authenticate": `Bearer error="invalid_token", error_description="${body.message}"` },
  });
}

/**
 * Serves /rest/v1 through the library.
 *
 * A request that names something unknown, or meets a plan made before the last migration, is tried again with a
 * fresh catalogue: nothing was written by it, and a migration need not be followed by a restart or a pause.
 *
 * @param {{app: object, connection: object, settings: object}} parts
 */
export function createRest({ app, connection, settings }) {
  return async (request) => {
    const refused = malformedBearer(request);
    if (refused) return refused;
    const body =
      request.method === "GET" || request.method === "HEAD" ? undefined : await request.arrayBuffer();
    const path = new URL(request.url).pathname.slice("/rest/v1".length);
    const store = { request: { method: request.method, path, headers: Object.fromEntries(request.headers) } };
    const attempt = () =>
      scope.run(store, () =>
        app.fetch(new Request(request.url, { method: request.method, headers: request.headers, body })),
      );
    let response = await attempt();
    for (let tries = 0; tries <= settings.poolSize; tries += 1) {
      const code = await errorCode(response);
      if (STALE.has(code) && tries === 0) await connection.reload();
      else if (code !== STALE_PLAN) break;
      response = await attempt();
    }
    return response;
  };
}
