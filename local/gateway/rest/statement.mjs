import { qualified } from "./catalogue.mjs";
import { callSql, findFunction, returnsRow, returnsScalar, returnsScalars } from "./call.mjs";
import { invalidFilters, invalidPreferences, maxAffectedRpc, unknownColumn } from "./errors.mjs";
import { unknownTable } from "./guesses.mjs";
import { accepted, negotiated } from "./media.mjs";
import { neededColumns, readPlan, resolvedFilter, resolvedTree, returnedColumns, SOURCE } from "./plan.mjs";
import { countQuery, selectQuery } from "./read.mjs";
import { literal, Parameters } from "./sql.mjs";
import { deleteSql, insertSql, updateSql } from "./write.mjs";

const SETTINGS =
  "nullif(current_setting('response.headers', true), '') AS response_headers, " +
  "nullif(current_setting('response.status', true), '') AS response_status";

const CSV =
  "(SELECT coalesce(string_agg(a.k, ','), '') FROM (SELECT json_object_keys(r)::text as k" +
  ` FROM (SELECT row_to_json(hh) as r from ${SOURCE} as hh limit 1) s) a) || E'\\n' || ` +
  "coalesce(string_agg(substring(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), E'\\n'), '')";
const GEOJSON =
  "json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))";

/** How Postgres puts the rows together: every body is made by the database, so numbers keep their digits. */
function bodySql({ format, strip }, entry = null) {
  if (format === "none") return "''";
  if (format === "csv") return CSV;
  if (format === "geojson") return GEOJSON;
  const scalar = entry !== null && returnsScalar(entry);
  const scalars = entry !== null && returnsScalars(entry);
  const value = scalar || (scalars && format === "json") ? "_postgrest_t.pgrst_scalar" : "_postgrest_t";
  const one = format === "object" || scalar || (entry !== null && returnsRow(entry));
  const rows = `json_agg(${value})${one ? "->0" : ""}`;
  return `coalesce(${strip ? `json_strip_nulls(${rows})` : rows}, '${one ? "null" : "[]"}')`;
}

const NONE = { format: "none", strip: false };

function refuseInvalid({ handling, invalid }) {
  if (handling === "strict" && invalid.length > 0) throw invalidPreferences(invalid);
}

const counts = ({ count }) => count === "exact" || count === "estimated";

/** The common table that counts, and what reads it. */
function counting(plan, preferences, maxRows, parameters) {
  if (!counts(preferences)) return { table: "", total: "null::bigint" };
  const limit = preferences.count === "estimated" && maxRows !== null ? ` LIMIT ${maxRows + 1}` : "";
  const table = `, pgrst_source_count AS (${countQuery(plan, parameters)}${limit})`;
  return { table, total: "(SELECT pg_catalog.count(*) FROM pgrst_source_count)" };
}

/** The query whose estimate stands for the number of rows. */
function estimate(plan) {
  const parameters = new Parameters();
  return { text: `EXPLAIN (FORMAT JSON) ${countQuery(plan, parameters)}`, values: parameters.values };
}

function knownTable(catalogue, { schema, name }) {
  const table = catalogue.tables.get(qualified(schema, name));
  if (!table) throw unknownTable(catalogue, schema, name);
  return table;
}

const planOptions = ({ catalogue, request, limits }, more) => [
  catalogue,
  { schema: request.schema, name: request.name },
  request.query,
  { isWrite: false, isCall: false, top: request.top, ...limits, ...more },
];

/** GET and HEAD of a table or view. */
export function readStatement(context) {
  const { catalogue, request, preferences, limits } = context;
  knownTable(catalogue, request);
  const plan = readPlan(...planOptions(context));
  const media = negotiated(accepted(request.accept));
  refuseInvalid(preferences);
  const parameters = new Parameters();
  const source = selectQuery(plan, parameters);
  const { table, total } = counting(plan, preferences, limits.maxRows, parameters);
  const body = bodySql(request.method === "HEAD" ? NONE : media);
  const text =
    `WITH ${SOURCE} AS ( ${source} )${table} SELECT ${total} AS total, pg_catalog.count(_postgrest_t) AS rows, ` +
    `(${body})::text AS body, ${SETTINGS} FROM ( SELECT * FROM ${SOURCE} ) _postgrest_t`;
  const explain = ["planned", "estimated"].includes(preferences.count) ? estimate(plan) : null;
  return { kind: "read", readOnly: true, media, text, values: parameters.values, explain };
}

function writtenFields(table, names) {
  return [...names].sort().map((name) => {
    const found = table.columns.find((column) => column.name === name);
    if (!found) throw unknownColumn(table.name, name);
    return { name, type: found.type, default: found.default };
  });
}

/** The rows that PATCH and DELETE mean; PUT has them as conditions of the body. */
function ownConditions(table, { filters, logic }) {
  const own = ({ embed }) => embed.length === 0;
  return [
    ...filters.filter(own).map(({ filter }) => resolvedFilter(table, filter)),
    ...logic.map(({ tree }) => resolvedTree(table, tree)),
  ];
}

function isKeyFilter(table, query) {
  const names = query.filterNames;
  const same = names.size === table.key.length && table.key.every((name) => names.has(name));
  const plain = query.filters.every(
    ({ filter: { operation } }) => operation.op === "eq" && !operation.negated && !operation.quantifier,
  );
  return query.logic.length === 0 && table.key.length > 0 && same && plain;
}

function mutation(method, table, { query, payload, preferences, returning }) {
  const defaults = preferences.missing === "default";
  const common = { table, raw: payload.raw, returning };
  if (method === "DELETE") return [deleteSql, { table, where: ownConditions(table, query), returning }];
  if (method === "PUT" && !isKeyFilter(table, query)) throw invalidFilters();
  const fields = writtenFields(table, payload.keys);
  if (method === "PATCH")
    return [updateSql, { ...common, fields, defaults, where: ownConditions(table, query) }];
  if (method === "PUT") {
    const conflict = { resolution: "merge-duplicates", columns: table.key };
    return [insertSql, { ...common, fields, conflict, key: ownConditions(table, query), defaults: false }];
  }
  const { resolution } = preferences;
  const conflict = resolution === null ? null : { resolution, columns: query.onConflict ?? table.key };
  return [insertSql, { ...common, fields, conflict, key: [], defaults }];
}

/** Where the one inserted row is found, as a JSON list of its key. */
const locationSql = (key) =>
  `CASE WHEN pg_catalog.count(_postgrest_t) = 1 THEN (SELECT json_agg(json_build_array(json_data.key, ` +
  `coalesce('eq.' || json_data.value, 'is.null')))::text FROM (SELECT row_to_json(_) AS row FROM ${SOURCE} AS _ LIMIT 1) ` +
  `data CROSS JOIN json_each_text(data.row) AS json_data WHERE json_data.key IN (${key.map(literal).join(", ")})) END`;

/** POST, PATCH, PUT and DELETE of a table or view. */
export function writeStatement(context) {
  const { catalogue, request, preferences } = context;
  const { method, query, payload } = request;
  const table = knownTable(catalogue, request);
  const plan = readPlan(...planOptions(context, { isWrite: true }));
  const represents = preferences.return === "representation";
  const returning = represents || preferences.return === "headers-only" ? neededColumns(plan, table.key) : [];
  const parameters = new Parameters();
  const [write, what] = mutation(method, table, { query, payload, preferences, returning });
  refuseInvalid(preferences);
  const media = negotiated(accepted(request.accept));
  const source = write(what, parameters);
  const isInsert = method === "POST" || method === "PUT";
  const upserts = method === "PUT" || (isInsert && preferences.resolution === "merge-duplicates");
  const located = method === "POST" && preferences.return === "headers-only" && table.key.length > 0;
  const text =
    `WITH ${SOURCE} AS (${source}) SELECT pg_catalog.count(_postgrest_t) AS rows, ` +
    `${located ? locationSql(table.key) : "null::text"} AS location, ` +
    `(${bodySql(represents ? media : NONE)})::text AS body, ${SETTINGS}, ` +
    `${upserts ? "nullif(current_setting('pgrst.inserted', true), '')::int" : "null::int"} AS inserted ` +
    `FROM (${represents ? selectQuery(plan, parameters) : `SELECT * FROM ${SOURCE}`}) _postgrest_t`;
  const hasTarget = table.key.length > 0 || query.onConflict !== null;
  return { kind: method, readOnly: false, media, text, values: parameters.values, hasTarget, upserts };
}

/** What a request calls: the function and its arguments. */
export function called(catalogue, { schema, name, method, query, payload }) {
  const isPost = method === "POST";
  const values = isPost ? (payload.kind === "form" ? payload.values : null) : query.args;
  const keys = isPost ? payload.keys : new Set(query.args.map(([key]) => key));
  const entry = findFunction(catalogue, { schema, name, keys, type: payload.type, isPost });
  return { entry, given: { keys, values, raw: payload.raw } };
}

/** A call of a function. */
export function callStatement(context) {
  const { catalogue, request, preferences, limits } = context;
  const { entry, given } = called(catalogue, request);
  const target = { ...request, name: entry.composite ? entry.type.name : entry.name };
  const plan = readPlan(...planOptions({ ...context, request: target }, { isCall: true }));
  const media = negotiated(accepted(request.accept));
  refuseInvalid(preferences);
  if (!entry.set && preferences.handling === "strict" && preferences.maxAffected !== null)
    throw maxAffectedRpc();
  const parameters = new Parameters();
  const source = callSql(entry, given, returnedColumns(plan), parameters);
  const { table, total } = counting(
    plan,
    { ...preferences, count: preferences.count && "exact" },
    null,
    parameters,
  );
  const counted = preferences.count === "planned" ? { table: "", total: "null::bigint" } : { table, total };
  const body = bodySql(request.method === "HEAD" ? NONE : media, entry);
  const text =
    `WITH ${SOURCE} AS (${source})${counted.table} SELECT ${counted.total} AS total, ` +
    `${entry.set ? "pg_catalog.count(_postgrest_t)" : "1"} AS rows, (${body})::text AS body, ${SETTINGS} ` +
    `FROM (${selectQuery(plan, parameters)}) _postgrest_t`;
  const readOnly = request.method !== "POST" || entry.volatility !== "v";
  return { kind: "call", readOnly, media, text, values: parameters.values, entry, explain: null, limits };
}
