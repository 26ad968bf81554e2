import { AsyncLocalStorage } from "node:async_hooks";
import { Kysely, sql } from "kysely";
import { PostgresJSDialect } from "kysely-postgres-js";
import { PostgresConnection } from "@supabase/lite/postgres";
import { createPool } from "./pool.mjs";
import { POSTGRES_TYPES } from "./values.mjs";

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
 * - Every Storage request is one transaction whose login role is `authenticator`, as in hosted Supabase: which role
 *   a token may take is Postgres' decision, and all settings are local to the transaction, so nothing is left
 *   on a pooled connection. REST does the same with statements of its own (rest/execute.mjs).
 * - Auth requests run in one transaction too, so that a refused hook leaves neither a session nor a used token.
 */
export class GatewayConnection extends PostgresConnection {
  #connections;
  #pool;
  #searchPath;

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

  /** Connections for REST, which has statements of its own. */
  get connections() {
    return this.#connections;
  }

  async withContext(vars, work) {
    if (!vars) return work(this.kysely);
    return this.#pool.transaction().execute(async (transaction) => {
      await this.#enter(transaction, vars);
      return work(transaction);
    });
  }

  async #enter(transaction, vars) {
    const claims = vars.auth?.jwt ?? { role: "anon" };
    const role = claims.role || "anon";
    const request = scope.getStore()?.request ?? { method: "GET", path: "/", headers: {} };
    const settings = [
      ["session_authorization", "authenticator"],
      ["role", role],
      ["search_path", this.#searchPath],
      ["request.jwt.claims", JSON.stringify({ ...claims, role })],
      ["request.method", request.method],
      ["request.path", request.path],
      ["request.headers", JSON.stringify(request.headers)],
      ["transaction_read_only", READ_METHODS.has(request.method) ? "on" : "off"],
    ];
    const calls = settings.map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
    await sql`select ${sql.join(calls)}`.execute(transaction);
  }

  async close() {
    await Promise.all([this.#connections.end(), this.driver.end({ timeout: 0.5 })]);
  }
}
