/** The tables and functions of a schema that the current role may use, and what the schema says of itself. */
export const ACCESS = `
select (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition
      and (pg_has_role(c.relowner, 'usage')
        or has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(c.oid, 'select, insert, update, references'))) as tables,
  (select coalesce(json_agg(distinct p.proname), '[]') from pg_proc p
    where p.pronamespace = n.oid and has_function_privilege(p.oid, 'execute')) as functions,
  obj_description(n.oid, 'pg_namespace') as comment
from pg_namespace n where n.nspname = $1`;

const TYPES = {
  "character varying": "string",
  character: "string",
  text: "string",
  boolean: "boolean",
  smallint: "integer",
  integer: "integer",
  bigint: "integer",
  numeric: "number",
  real: "number",
  "double precision": "number",
  json: null,
  jsonb: null,
};

function swaggerType(type) {
  if (Object.hasOwn(TYPES, type)) return TYPES[type];
  return type.endsWith("[]") ? "array" : "string";
}

/** An object without its empty members. */
const filled = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

function itemsOf(type) {
  return swaggerType(type) === "array" ? filled({ type: swaggerType(type.slice(0, -2)) }) : null;
}

/** A column's default as JSON, where it is a plain value. */
function defaultOf({ plain, default: text }) {
  if (text === null) return undefined;
  if (swaggerType(plain) === "string") {
    const suffix = `::${plain}`;
    return text.endsWith(suffix) ? text.slice(0, -suffix.length).replace(/^'+|'+$/g, "") : text;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noteOf(table, { name, comment }, relationships) {
  const rels = (relationships ?? []).filter(
    ({ kind, columns, isParent }) =>
      (kind === "m2o" || (kind === "o2o" && !isParent)) && columns.length === 1 && columns[0][0] === name,
  );
  const rel = rels.find(({ foreignIsView }) => !foreignIsView) ?? rels[0];
  const notes = [
    ...(table.key.includes(name) ? ["This is a Primary Key.<pk/>"] : []),
    ...(rel
      ? [
          `This is a Foreign Key to \`${rel.foreign.name}.${rel.columns[0][1]}\`.` +
            `<fk table='${rel.foreign.name}' column='${rel.columns[0][1]}'/>`,
        ]
      : []),
  ];
  if (notes.length === 0) return comment;
  return `${comment === null ? "" : `${comment}\n\n`}${["Note:", ...notes].join("\n")}`;
}

function definition(table, relationships) {
  const properties = table.columns.map((column) => [
    column.name,
    filled({
      default: defaultOf(column),
      description: noteOf(table, column, relationships),
      enum: column.enum,
      format: column.plain,
      items: itemsOf(column.plain),
      maxLength: column.length,
      type: swaggerType(column.plain),
    }),
  ]);
  const required = table.columns.filter((column) => column.required).map(({ name }) => name);
  return filled({
    description: table.comment,
    required: required.length > 0 ? required : null,
    properties: Object.fromEntries(properties),
    type: "object",
  });
}

const ref = (name) => ({ $ref: `#/parameters/${name}` });
const textParameter = (name, place, description, more = {}) =>
  filled({ name, description, required: false, in: place, type: "string", ...more });
const prefer = (...values) =>
  textParameter("Prefer", "header", "Preference", values.length > 0 ? { enum: values } : {});

const COMMON = {
  preferParams: prefer(),
  preferReturn: prefer("return=representation", "return=minimal", "return=none"),
  preferCount: prefer("count=none"),
  preferPost: prefer(
    "return=representation",
    "return=minimal",
    "return=none",
    "resolution=ignore-duplicates",
    "resolution=merge-duplicates",
  ),
  select: textParameter("select", "query", "Filtering Columns"),
  on_conflict: textParameter("on_conflict", "query", "On Conflict"),
  order: textParameter("order", "query", "Ordering"),
  range: textParameter("Range", "header", "Limiting and Pagination"),
  rangeUnit: textParameter("Range-Unit", "header", "Limiting and Pagination", { default: "items" }),
  offset: textParameter("offset", "query", "Limiting and Pagination"),
  limit: textParameter("limit", "query", "Limiting and Pagination"),
};

function tableParameters({ name, columns }) {
  const body = {
    name,
    description: name,
    required: false,
    in: "body",
    schema: { $ref: `#/definitions/${name}` },
  };
  return [
    [`body.${name}`, body],
    ...columns.map((column) => [
      `rowFilter.${name}.${column.name}`,
      textParameter(column.name, "query", column.comment),
    ]),
  ];
}

/** The first line of a comment is its summary, the rest the description. */
function commented(comment) {
  if (comment === null) return {};
  const [summary, ...rest] = comment.split("\n");
  const description = rest.join("\n").replace(/^\n+/, "");
  return filled({ summary, description: description === "" ? null : description });
}

function tablePath({ name, columns, comment, insertable, updatable, deletable }) {
  const filters = columns.map((column) => ref(`rowFilter.${name}.${column.name}`));
  const common = { tags: [name], ...commented(comment) };
  const ok = { description: "OK", schema: { type: "array", items: { $ref: `#/definitions/${name}` } } };
  const reading = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"];
  const get = {
    ...common,
    parameters: [...filters, ...reading.map(ref)],
    responses: { 200: ok, 206: { description: "Partial Content" } },
  };
  if (!insertable && !updatable && !deletable) return { get };
  const write = (parameters, status, description) => ({
    ...common,
    parameters,
    responses: { [status]: { description } },
  });
  return {
    get,
    post: write([ref(`body.${name}`), ref("select"), ref("preferPost")], 201, "Created"),
    patch: write([...filters, ref(`body.${name}`), ref("preferReturn")], 204, "No Content"),
    delete: write([...filters, ref("preferReturn")], 204, "No Content"),
  };
}

const PRODUCES = [
  "application/json",
  "application/vnd.pgrst.object+json;nulls=stripped",
  "application/vnd.pgrst.object+json",
];

function getParameter({ name, type, required, variadic }) {
  const common = { name, required, in: "query" };
  if (!variadic) {
    const plain = swaggerType(type);
    return { ...common, type: plain === null || plain === "array" ? "string" : plain, format: type };
  }
  const inner = type.slice(0, -2);
  return {
    ...common,
    type: swaggerType(type) ?? "string",
    items: filled({ type: swaggerType(inner), format: inner }),
    collectionFormat: "multi",
  };
}

function functionPath(entry) {
  const required = entry.arguments.filter((argument) => argument.required).map(({ name }) => name);
  const schema = filled({
    description: entry.comment,
    required: required.length > 0 ? required : null,
    properties: Object.fromEntries(
      entry.arguments.map(({ name, type }) => [
        name,
        filled({ format: type, items: itemsOf(type), type: swaggerType(type) }),
      ]),
    ),
    type: "object",
  });
  const common = {
    tags: [`(rpc) ${entry.name}`],
    ...commented(entry.comment),
    produces: PRODUCES,
    responses: { 200: { description: "OK" } },
  };
  const post = {
    ...common,
    parameters: [{ name: "args", required: true, in: "body", schema }, ref("preferParams")],
  };
  return entry.volatility === "v"
    ? { post }
    : { get: { ...common, parameters: entry.arguments.map(getParameter) }, post };
}

/**
 * Describes the API as PostgREST's root does: what the asking role may use, in OpenAPI 2.
 *
 * @param {object} catalogue
 * @param {string} schema the exposed one
 * @param {{tables: string[], functions: string[], comment: string | null}} access what {@link ACCESS} found
 * @param {object} settings of the gateway
 */
export function describe(catalogue, schema, access, settings) {
  const tables = access.tables.flatMap((name) => catalogue.tables.get(`${schema}\0${name}`) ?? []);
  const functions = access.functions.flatMap((name) => catalogue.functions.get(`${schema}\0${name}`) ?? []);
  const { summary = "standard public schema", description } = commented(access.comment);
  const base = new URL(settings.publicUrl ?? `http://${settings.host}`);
  const introspection = {
    tags: ["Introspection"],
    summary: "OpenAPI description (this document)",
    produces: ["application/openapi+json", "application/json"],
    responses: { 200: { description: "OK" } },
  };
  return {
    swagger: "2.0",
    info: {
      title: summary,
      description: description ?? "This is a dynamic API generated by PostgREST",
      version: "14.17",
    },
    host: base.host,
    basePath: "/rest/v1",
    schemes: [base.protocol.slice(0, -1)],
    consumes: [...PRODUCES, "text/csv"],
    produces: [...PRODUCES, "text/csv"],
    paths: Object.fromEntries([
      ["/", { get: introspection }],
      ...tables.map((table) => [`/${table.name}`, tablePath(table)]),
      ...functions.map((entry) => [`/rpc/${entry.name}`, functionPath(entry)]),
    ]),
    definitions: Object.fromEntries(
      tables.map((table) => [
        table.name,
        definition(table, catalogue.relationships.get(`${schema}\0${table.name}`)),
      ]),
    ),
    parameters: { ...COMMON, ...Object.fromEntries(tables.flatMap(tableParameters)) },
    externalDocs: {
      description: "PostgREST Documentation",
      url: "https://postgrest.org/en/v14/references/api.html",
    },
  };
}
