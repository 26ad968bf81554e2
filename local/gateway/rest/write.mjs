import { column, conditionSql, ident, literal, named } from "./sql.mjs";

const BODY = { schema: "", name: "pgrst_body" };

/**
 * The rows of a JSON body as `pgrst_body`.
 *
 * @param {string} raw the body; Postgres parses it, so numbers keep their digits
 * @param {{name: string, type: string, default: string | null}[]} fields what is taken from it
 * @param {{select?: boolean, one?: boolean, defaults?: boolean}} options select: begin with `SELECT`; one: only the
 *   first row; defaults: missing keys get the column's default
 */
export function bodySql(raw, fields, parameters, { select = false, one = false, defaults = false }) {
  const isObject = /^[ \t\r\n]*\{/.test(raw);
  const kind = defaults ? "jsonb" : "json";
  const names = fields.map(({ name }) => ident(name)).join(", ");
  const typed = fields.map(({ name, type }) => `${ident(name)} ${type}`).join(", ");
  const body = defaults ? "pgrst_json_defs.val" : "pgrst_payload.json_data";
  const values = fields
    .filter((field) => field.default !== null)
    .map((field) => `${literal(field.name)}, ${field.default}`)
    .join(", ");
  const given = isObject
    ? `SELECT jsonb_build_object(${values}) || pgrst_payload.json_data AS val`
    : `SELECT jsonb_agg(jsonb_build_object(${values}) || elem) AS val FROM jsonb_array_elements(pgrst_payload.json_data) elem`;
  const record = `${kind}_to_record${isObject ? "" : "set"}(${body}) AS _(${typed})${one ? " LIMIT 1" : ""}`;
  const rows = isObject ? "(values(1)) _" : `${kind}_array_elements(${body}) _`;
  return (
    (select ? `SELECT ${fields.map(({ name }) => column(BODY, name)).join(", ")} ` : "") +
    `FROM (SELECT ${parameters.add(raw)}::${kind} AS json_data) pgrst_payload, ` +
    (defaults ? `LATERAL (${given}) pgrst_json_defs, ` : "") +
    `LATERAL (SELECT ${names} FROM ${fields.length === 0 ? rows : record}) pgrst_body`
  );
}

const returningSql = (table, columns) =>
  columns.length === 0
    ? " RETURNING 1"
    : ` RETURNING ${columns.map((name) => column(table, name)).join(", ")}`;

/** Counts inserted rows: one more for each that is tried, one less for each that turns into an update. */
const counted = (sign, word) =>
  `set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) ${sign} 1)::text, true) <> '${word}'`;
const INSERTED = counted("+", "0");
const UPDATED = counted("-", "-1");

function conflictSql({ resolution, columns }, fields) {
  if (columns.length === 0) return "";
  const target = ` ON CONFLICT(${columns.map(ident).join(", ")})`;
  if (resolution === "ignore-duplicates" || fields.length === 0) return `${target} DO NOTHING`;
  const sets = fields.map(({ name }) => `${ident(name)} = EXCLUDED.${ident(name)}`).join(", ");
  return `${target} DO UPDATE SET ${sets} WHERE ${UPDATED}`;
}

/**
 * @param {{table: object, fields: object[], raw: string, conflict: object | null, key: object[], returning: string[],
 *   defaults: boolean}} plan `key`: for PUT, the conditions that the row must meet
 */
export function insertSql({ table, fields, raw, conflict, key, returning, defaults }, parameters) {
  const merges = conflict?.resolution === "merge-duplicates";
  const conditions = [
    ...(key.length > 0 || merges ? [INSERTED] : []),
    ...key.map((tree) => conditionSql(BODY, tree, parameters)),
  ];
  return (
    `INSERT INTO ${named(table)}${fields.length === 0 ? " " : `(${fields.map(({ name }) => ident(name)).join(", ")}) `}` +
    bodySql(raw, fields, parameters, { select: true, defaults }) +
    (conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "") +
    (conflict === null ? "" : conflictSql(conflict, fields)) +
    returningSql(table, returning)
  );
}

const whereSql = (table, where, parameters) =>
  where.length === 0
    ? ""
    : ` WHERE ${where.map((tree) => conditionSql(table, tree, parameters)).join(" AND ")}`;

export function updateSql({ table, fields, raw, where, returning, defaults }, parameters) {
  if (fields.length === 0) {
    // There is nothing to set; the columns are still to be right.
    const columns = returning.map((name) => column({ schema: "", name: table.name }, name)).join(", ");
    return `SELECT ${columns || "NULL"} FROM ${named(table)} WHERE false`;
  }
  const sets = fields.map(({ name }) => `${ident(name)} = ${column(BODY, name)}`).join(", ");
  return (
    `UPDATE ${named(table)} SET ${sets} ${bodySql(raw, fields, parameters, { defaults })}` +
    whereSql(table, where, parameters) +
    returningSql(table, returning)
  );
}

export function deleteSql({ table, where, returning }, parameters) {
  return `DELETE FROM ${named(table)}${whereSql(table, where, parameters)}${returningSql(table, returning)}`;
}
