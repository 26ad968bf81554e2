import { isCurrent, loadCatalogue, loadTimezones, qualified } from "./catalogue.mjs";
import {
  errorResponse,
  fromDatabase,
  GivesUp,
  invalidPath,
  invalidSchema,
  RestError,
  rpcMethod,
  unsupportedMethod,
} from "./errors.mjs";
import { inTransaction, runStatement } from "./execute.mjs";
import { unknownTable } from "./guesses.mjs";
import { accepted, negotiatedRoot } from "./media.mjs";
import { ACCESS, describe } from "./openapi.mjs";
import { noPayload, readPayload } from "./payload.mjs";
import { readPreferences } from "./prefer.mjs";
import { readQuery, segments } from "./query.mjs";
import { ALL, topRange } from "./ranges.mjs";
import { allowed, answer } from "./respond.mjs";
import { called, callStatement, readStatement, writeStatement } from "./statement.mjs";
import { createJudge } from "./token.mjs";

export const LOGIN = "authenticator";
const PREFIX = "/rest/v1";
/** Answers that a catalogue read before the last migration would also give. */
const STALE = new Set(["PGRST200", "PGRST202", "PGRST204", "PGRST205"]);
const READS = new Set(["GET", "HEAD", "OPTIONS"]);
const CONTENT_PROFILE = new Set(["POST", "PATCH", "PUT", "DELETE"]);

function cookiesOf(header) {
  const pairs = (header ?? "").split(";").map((part) => part.trim().split("="));
  return Object.fromEntries(
    pairs.filter(([name]) => name !== "").map(([name, ...value]) => [name, value.join("=")]),
  );
}

function resourceOf(path) {
  const parts = segments(path);
  if (parts.length === 0) return { kind: "root", name: "" };
  if (parts.length === 1) return { kind: "table", name: parts[0] };
  if (parts.length === 2 && parts[0] === "rpc") return { kind: "function", name: parts[1] };
  throw invalidPath();
}

function schemaOf(method, headers, schemas) {
  const asked = headers.get(CONTENT_PROFILE.has(method) ? "content-profile" : "accept-profile");
  if (asked === null) return schemas[0];
  if (!schemas.includes(asked)) throw invalidSchema(asked, schemas);
  return asked;
}

function refuseMethod({ kind }, method) {
  if (kind === "function" && !["GET", "HEAD", "POST", "OPTIONS"].includes(method)) throw rpcMethod(method);
  if (!READS.has(method) && (kind === "root" || (kind === "table" && !CONTENT_PROFILE.has(method))))
    throw unsupportedMethod(method);
}

/** Everything that the request itself says, before the database is asked. */
function readRequest({ method, headers, url, body, schemas }) {
  const path = url.pathname.slice(PREFIX.length);
  const resource = resourceOf(path);
  const schema = schemaOf(method, headers, schemas);
  refuseMethod(resource, method);
  const isCall = resource.kind === "function";
  // A key may come as a parameter; PostgREST never sees it.
  const search = url.search.slice(1).replace(/(^|&)apikey=[^&]*/g, "");
  const query = readQuery(search, isCall && READS.has(method));
  const top = resource.kind === "root" ? ALL : topRange(method, query.ranges, headers.get("range"));
  const hasBody = method === "POST" || method === "PATCH" || method === "PUT";
  const columns = method === "PUT" ? null : query.columns;
  const { cookie, ...others } = Object.fromEntries(headers);
  return {
    ...resource,
    method,
    schema,
    path,
    query,
    top,
    accept: headers.get("accept"),
    headers: others,
    cookies: cookiesOf(cookie),
    payload: hasBody
      ? readPayload(body, headers.get("content-type"), columns, isCall)
      : noPayload(headers.get("content-type")),
  };
}

function tableMethods(catalogue, { schema, name }) {
  const table = catalogue.tables.get(qualified(schema, name));
  if (!table) throw unknownTable(catalogue, schema, name);
  const { insertable, updatable, deletable, key } = table;
  return [
    ...["OPTIONS", "GET", "HEAD"],
    ...(insertable ? ["POST"] : []),
    ...(insertable && updatable && key.length > 0 ? ["PUT"] : []),
    ...(updatable ? ["PATCH"] : []),
    ...(deletable ? ["DELETE"] : []),
  ];
}

function methodsOf(catalogue, request) {
  if (request.kind === "root") return ["OPTIONS", "GET", "HEAD"];
  if (request.kind === "table") return tableMethods(catalogue, request);
  const { entry } = called(catalogue, request);
  return entry.volatility === "v" ? ["OPTIONS", "POST"] : ["OPTIONS", "GET", "HEAD", "POST"];
}

async function root(context) {
  const { request, catalogue, settings } = context;
  negotiatedRoot(accepted(request.accept));
  const first = { text: ACCESS, values: [request.schema] };
  const access = await inTransaction(context, { readOnly: true, first }, async ([row]) => row);
  const body =
    request.method === "HEAD" ? null : JSON.stringify(describe(catalogue, request.schema, access, settings));
  return new Response(body, { headers: { "content-type": "application/openapi+json; charset=utf-8" } });
}

const READERS = new Set(["GET", "HEAD"]);

async function perform(context) {
  const { request, catalogue } = context;
  if (request.method === "OPTIONS") return allowed(methodsOf(catalogue, request));
  if (request.kind === "root") return root(context);
  const onTable = READERS.has(request.method) ? readStatement : writeStatement;
  const statement = (request.kind === "function" ? callStatement : onTable)(context);
  const row = await runStatement(context, statement);
  return answer({ ...context, statement, row, schemas: catalogue.schemas });
}

/**
 * Serves /rest/v1 as PostgREST does.
 *
 * The catalogue is read at start, when the database says that it changed, and when a request names something unknown:
 * nothing was written by it, and a migration need not be followed by a pause.
 *
 * @param {{pool: object, settings: object}} parts pool: connections whose login is the superuser's, see pool.mjs
 * @returns {Promise<{handle: (request: Request) => Promise<Response>, reload: () => Promise<void>}>}
 */
export async function createRest({ pool, settings }) {
  const { schemas } = settings;
  const judge = createJudge(settings);
  const searchPath = settings.searchPath.slice(1);
  let catalogue = await loadCatalogue(pool, schemas, LOGIN);
  const timezones = await loadTimezones(pool);
  let loading = null;
  let next = null;

  /** Reads the catalogue as it is now, not as a read that is already under way saw it; those who wait share one. */
  function reload() {
    next ??= (async () => {
      await loading?.catch(() => {});
      next = null;
      loading = loadCatalogue(pool, schemas, LOGIN);
      catalogue = await loading;
    })();
    return next;
  }

  async function attempt(request, caller, preferences) {
    const { config } = catalogue;
    const maxRows = config.db_max_rows ? Number(config.db_max_rows) : settings.maxRows;
    const limits = { maxRows, aggregates: config.db_aggregates_enabled === "true" };
    return perform({
      request,
      caller,
      preferences,
      limits,
      catalogue,
      pool,
      settings,
      searchPath,
      login: LOGIN,
    });
  }

  async function respond(request, url) {
    const caller = await judge(request, url);
    if (caller.refusal) return caller.refusal;
    const { method, headers } = request;
    const body = READS.has(method) ? null : Buffer.from(await request.arrayBuffer());
    const preferences = readPreferences(headers.get("prefer"), timezones);
    try {
      const read = readRequest({ method, headers, url, body, schemas });
      try {
        return await attempt(read, caller, preferences);
      } catch (error) {
        if (!STALE.has(error.code) || (await isCurrent(pool, catalogue))) throw error;
        await reload();
        return await attempt(read, caller, preferences);
      }
    } catch (error) {
      const known = error instanceof RestError ? error : fromDatabase(error, caller.role !== "anon");
      if (known === null) throw error;
      return errorResponse(known, method);
    }
  }

  async function handle(request) {
    try {
      return await respond(request, new URL(request.url));
    } catch (error) {
      if (error instanceof RestError) return errorResponse(error, request.method);
      if (error instanceof GivesUp)
        return new Response("Something went wrong", {
          status: 500,
          headers: { "content-type": "text/plain; charset=utf-8" },
        });
      throw error;
    }
  }

  return { handle, reload };
}
