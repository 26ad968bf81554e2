import { maxAffected, notSingular, putKey } from "./errors.mjs";
import { ident, named } from "./sql.mjs";

/** Refuses a result that is not what was asked for; what was written is undone. */
function check({ media, kind, entry }, { handling, maxAffected: most }, rows) {
  if (kind === "PUT") {
    if (rows !== 1) throw putKey();
    return;
  }
  if (media.singular && rows !== 1) throw notSingular(rows);
  const limited = kind === "PATCH" || kind === "DELETE" || entry !== undefined;
  if (limited && handling === "strict" && most !== null && BigInt(rows) > most) throw maxAffected(rows);
}

const ISOLATION = new Set(["read committed", "repeatable read", "serializable", "read uncommitted"]);

function beginSql(readOnly, isolation) {
  const level = ISOLATION.has(isolation?.toLowerCase()) ? ` isolation level ${isolation}` : "";
  return `begin${level} ${readOnly ? "read only" : "read write"}`;
}

/** The settings of the transaction: who asks, and what. The login role comes first, because it decides which role may be taken. */
function settingsOf({ catalogue, caller, request, preferences, login, searchPath }, entry) {
  const path = [...new Set([request.schema, ...searchPath])].map(ident).join(", ");
  const { default_transaction_isolation: _isolation, ...own } = catalogue.roles.get(caller.role) ?? {};
  return [
    ["session_authorization", login],
    ["search_path", path],
    ...Object.entries(own),
    ["role", caller.role],
    ["request.jwt.claims", JSON.stringify({ ...caller.claims, role: caller.role })],
    ["request.method", request.method],
    ["request.path", request.path],
    ["request.headers", JSON.stringify(request.headers)],
    ["request.cookies", JSON.stringify(request.cookies)],
    ...(preferences.timezone === null ? [] : [["timezone", preferences.timezone]]),
    ...(entry?.settings ?? []),
  ];
}

const settingsSql = (count) =>
  `select ${Array.from({ length: count }, (_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`).join(", ")}`;

const explained = (row) => Number(Object.values(row)[0][0].Plan["Plan Rows"]);

async function totalOf(run, { explain }, { count }, { maxRows }, total) {
  if (explain === null || explain === undefined) return total;
  if (count === "estimated" && (maxRows === null || Number(total) <= maxRows)) return total;
  const [row] = await run(explain.text, explain.values);
  const planned = explained(row);
  return count === "planned" ? planned : Math.max(Number(total), planned);
}

function preRequest({ catalogue }) {
  const name = catalogue.config.db_pre_request;
  if (!name) return [];
  const parts = name.split(".");
  const [schema, func] = parts.length === 2 ? parts : ["", name];
  return [{ text: `select ${named({ schema, name: func })}()`, values: [] }];
}

/**
 * Runs `work` in a transaction of the caller.
 *
 * Beginning, settings and the first statement go out together. The end waits for their outcome, so that nothing can run
 * outside of the transaction, where the connection is the superuser's.
 *
 * @param {object} context see server.mjs
 * @param {{readOnly: boolean, entry?: object, first: {text: string, values: string[]}}} asked
 * @param {(rows: object[], run: Function) => Promise<any>} work what is made of the first statement's rows
 */
export async function inTransaction(context, { readOnly, entry, first }, work) {
  const borrowed = await context.pool.reserve();
  const isolation =
    entry?.isolation ?? context.catalogue.roles.get(context.caller.role)?.default_transaction_isolation;
  const settings = settingsOf(context, entry);
  let ended = false;
  const end = async (text) => {
    ended = true;
    await borrowed.unsafe(text, [], false);
  };
  try {
    const answers = await borrowed.together([
      { text: beginSql(readOnly, isolation), values: [], prepare: false },
      { text: settingsSql(settings.length), values: settings.flat(), prepare: true },
      ...preRequest(context),
      first,
    ]);
    const result = await work(answers.at(-1), borrowed.unsafe);
    await end("commit");
    return result;
  } catch (error) {
    if (!ended) await end("rollback").catch(() => {});
    throw error;
  } finally {
    borrowed.release();
  }
}

/** Runs a statement of statement.mjs and returns its one row. */
export function runStatement(context, statement) {
  const { preferences, limits } = context;
  const { text, values, readOnly, entry } = statement;
  return inTransaction(context, { readOnly, entry, first: { text, values } }, async ([row], run) => {
    check(statement, preferences, Number(row.rows));
    const total = await totalOf(run, statement, preferences, limits, row.total ?? null);
    return { ...row, rows: Number(row.rows), total };
  });
}
