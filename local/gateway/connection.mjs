import { AsyncLocalStorage } from "node:async_hooks";
import { Kysely, sql } from "kysely";
import { PostgresJSDialect } from "kysely-postgres-js";
import { PostgresConnection } from "@supabase/lite/postgres";
import { createPool } from "./pool.mjs";
import { asPostgrestError } from "./sqlstate.mjs";
import { markJsonArguments, POSTGRES_TYPES } from "./values.mjs";

/** What the current HTTP request is, and the transaction its Auth statements belong to. */
export const scope = new AsyncLocalStorage();

const OPTIONS = {
  backoff: () => 0.1,
  connect_timeout: 5,
  onnotice: () => {},
  connection: { application_name: "postgrest", TimeZone: "UTC" },
  types: POSTGRES_TYPES,
};
/** Connections of the administration of users and of the watch on the catalogue, besides the pool. */
const OWN_CONNECTIONS = 2;

const READ_METHODS = new Set(["GET", "HEAD"]);

/**
 * The library's Postgres connection, held to what hosted Supabase does.
 *
 * - `ensureRlsContext` of the library grants ALL on every table of a schema with row-level security to the API
 *   roles; here nothing is granted, the migrations' grants decide.
 * - Every REST request is one transaction whose login role is `authenticator`, as in hosted Supabase: which role
 *   a token may take is Postgres' decision, and all settings are local to the transaction, so nothing is left
 *   on a pooled connection.
 * - Auth requests run in one transaction too, so that a refused hook leaves neither a session nor a used token.
 */
export class GatewayConnection extends PostgresConnection {
  #connections;
  #pool;
  #searchPath;
  #loading = null;

  constructor({ url, poolSize, searchPath }) {
    super({ url, postgresOptions: { ...OPTIONS, max: OWN_CONNECTIONS } });
    this.#searchPath = searchPath.map((name) => `"${name.replaceAll('"', '""')}"`).join(", ");
    this.#connections = createPool(url, poolSize, OPTIONS);
    this.#pool = new Kysely({ dialect: new PostgresJSDialect({ postgres: this.#connections }) });
    Object.defineProperty(this, "kysely", { get: () => scope.getStore()?.transaction ?? this.#pool });
  }

  async ensureRlsContext() {
    this.rlsState = "active";
    return true;
  }

  /** The catalogue as the library sees it; concurrent readers of an empty cache share one read. */
  async introspect(options) {
    if (options?.useCache && this.introspection) return this.introspection;
    this.#loading ??= super.introspect({ useCache: false }).finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** Reads the catalogue as it is now, not as a read that is already under way saw it. */
  async reload() {
    await this.#loading?.catch(() => null);
    return this.introspect({ useCache: false });
  }

  normalizeDbError(error) {
    return asPostgrestError(error);
  }

  async onPostgrestAST(ast) {
    if (ast.type === "rpc") markJsonArguments(ast, (await this.introspect({ useCache: true })).functions ?? []);
    return super.onPostgrestAST(ast);
  }

  async runInTransaction(work) {
    const { transaction } = scope.getStore() ?? {};
    return transaction ? work(transaction) : this.#pool.transaction().execute(work);
  }

  /** Runs `work` in one transaction that every statement of the library joins; it is undone when `work` throws. */
  async withAuthTransaction(work) {
    return this.#pool
      .transaction()
      .execute((transaction) => scope.run({ transaction }, () => work(transaction)));
  }

  async withContext(vars, work, options) {
    if (!vars) return work(this.kysely);
    if (options?.transaction) {
      await this.#enter(options.transaction, vars, options);
      return work(options.transaction);
    }
    return this.#pool.transaction().execute(async (transaction) => {
      await this.#enter(transaction, vars, options);
      return work(transaction);
    });
  }

  async #enter(transaction, vars, options) {
    const claims = vars.auth?.jwt ?? { role: "anon" };
    const role = claims.role || "anon";
    const request = scope.getStore()?.request ?? { method: "GET", path: "/", headers: {} };
    const settings = [
      ["session_authorization", "authenticator"],
      ["role", role],
      ["search_path", this.#searchPath],
      ["request.jwt.claims", JSON.stringify({ ...claims, role })],
      ["request.jwt.claim.sub", String(claims.sub ?? "")],
      ["request.jwt.claim.role", role],
      ["request.jwt.claim.email", String(claims.email ?? "")],
      ["request.method", request.method],
      ["request.path", request.path],
      ["request.headers", JSON.stringify(request.headers)],
      ["request.cookies", "{}"],
      ["response.status", ""],
      ["response.headers", ""],
    ];
    if (READ_METHODS.has(request.method) || this.#isReadOnlyCall(options?.rpc))
      settings.push(["transaction_read_only", "on"]);
    const calls = settings.map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
    await sql`select ${sql.join(calls)}`.execute(transaction);
  }

  /** PostgREST runs a function in a read-only transaction unless it is volatile, whatever the method. */
  #isReadOnlyCall(rpc) {
    if (!rpc) return false;
    const name = rpc.path.slice("/rpc/".length);
    const overloads = (this.introspection?.functions ?? []).filter((entry) => entry.name === name);
    return overloads.length > 0 && overloads.every((entry) => entry.volatility !== "v");
  }

  async close() {
    await Promise.all([this.#connections.end(), this.driver.end({ timeout: 0.5 })]);
  }
}
