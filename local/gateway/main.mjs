/**
 * Supabase's Auth, REST, Realtime and Storage on one port, over one Postgres database, without Docker: for development and
 * tests.
 *
 * Configured by environment only, see settings.mjs. Prints `{"ready": true, "port": n}` on stdout when it serves.
 */
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createSupabase } from "./lite.mjs";
import { captureConsole, log } from "./log.mjs";
import { readSettings } from "./settings.mjs";

const METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS";
const EXPOSED =
  "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Link, Location, Preference-Applied, Range-Unit, X-Total-Count, sb-error-code, x-sb-error-code";
const CLOSE_AFTER_MS = 300;

function preflight(request) {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
      "access-control-max-age": "3600",
    },
  });
}

function unavailable(error) {
  log("error", "request_failed", { code: error.code, message: error.message });
  const status = /^(E[A-Z]+|CONNECT|57P0)/.test(error.code ?? "") ? 503 : 500;
  return Response.json(
    {
      code: status === 503 ? "PGRST001" : "unexpected_failure",
      message:
        status === 503
          ? "Database client error. Retrying the connection."
          : "Unexpected failure, please check server logs for more information",
      details: null,
      hint: null,
    },
    { status },
  );
}

/** Hosted Supabase's gateway asks every caller but a browser following an e-mailed link for a key. */
function withoutKey(request, url) {
  if (request.headers.has("apikey") || url.searchParams.has("apikey")) return null;
  const body = {
    message: "No API key found in request",
    hint: "No `apikey` request header or url param was found.",
  };
  return Response.json(body, { status: 401, headers: { "sb-error-code": "UNAUTHORIZED_MISSING_API_KEY" } });
}

function createHandler(supabase, settings) {
  function dispatch(request, url) {
    if (url.pathname === "/health") return Response.json({ status: "ok" });
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method"))
      return preflight(request);
    if (/^\/auth\/v1\/admin\/users(\/|$)/.test(url.pathname)) {
      const known = [settings.anonKey, settings.serviceKey].includes(
        request.headers.get("apikey") ?? url.searchParams.get("apikey"),
      );
      return withoutKey(request, url) ?? (known ? supabase.adminUsers(request) : supabase.auth(request));
    }
    if (url.pathname.startsWith("/auth/v1/")) return supabase.auth(request);
    if (/^\/rest\/v1(\/|$)/.test(url.pathname)) return supabase.rest(request);
    if (url.pathname.startsWith("/storage/v1/")) return supabase.storage(request);
    return Response.json({ message: "no Route matched with those values" }, { status: 404 });
  }

  return async (request, { outgoing }) => {
    const started = performance.now();
    const url = new URL(request.url);
    const response = await Promise.resolve()
      .then(() => dispatch(request, url))
      .catch(unavailable);
    const headers = new Headers(response.headers);
    headers.set("access-control-allow-origin", "*");
    headers.set("access-control-expose-headers", EXPOSED);
    if (url.pathname !== "/health") {
      const ms = Math.round(performance.now() - started);
      log("info", "request", {
        method: request.method,
        path: url.pathname,
        status: response.status,
        ms,
        request_id: request.headers.get("x-request-id") ?? undefined,
      });
    }
    if (response.body === null && !headers.has("content-type")) {
      // The adapter would say that nothing is text.
      outgoing.writeHead(response.status, Object.fromEntries(headers)).end();
      return RESPONSE_ALREADY_SENT;
    }
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  };
}

async function main() {
  const settings = readSettings(process.env);
  captureConsole();
  const supabase = await createSupabase(settings);
  const server = createServer(getRequestListener(createHandler(supabase, settings)));
  server.on("upgrade", supabase.realtime.upgrade);
  await new Promise((resolve, reject) =>
    server.once("error", reject).listen(settings.port, settings.host, resolve),
  );
  const { port } = server.address();
  settings.issuer = `${settings.publicUrl ?? `http://${settings.host}:${port}`}/auth/v1`;

  async function stop(signal) {
    log("info", "stopping", { signal });
    supabase.realtime.close();
    setTimeout(() => server.closeAllConnections(), CLOSE_AFTER_MS).unref();
    await new Promise((resolve) => server.close(resolve));
    await supabase.close();
    process.exit(0);
  }
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
}

main().catch((error) => {
  log("error", "start_failed", { code: error.code, message: error.message });
  process.exit(1);
});
