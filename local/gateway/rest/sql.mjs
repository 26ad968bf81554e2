import { isAll, limitOf } from "./ranges.mjs";

/** The bound parameters of a statement. Nothing that a client wrote as a value is ever part of the text. */
export class Parameters {
  values = [];

  /** Adds a text and returns its placeholder. Like libpq, a text ends at its first NUL. */
  add(value) {
    const end = value.indexOf("\0");
    this.values.push(end < 0 ? value : value.slice(0, end));
    return `$${this.values.length}`;
  }
}

export const ident = (name) => {
  const end = name.indexOf("\0");
  return `"${(end < 0 ? name : name.slice(0, end)).replaceAll('"', '""')}"`;
};
export const named = ({ schema, name }) => (schema === "" ? ident(name) : `${ident(schema)}.${ident(name)}`);
export const column = (table, name) => `${named(table)}.${name === "*" ? "*" : ident(name)}`;
/** A word of the database itself as a literal. */
export const literal = (text) =>
  (text.includes("\\") ? " E" : "") + `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

const PLAIN = {
  neq: "<>",
  cs: "@>",
  cd: "<@",
  ov: "&&",
  sl: "<<",
  sr: ">>",
  nxr: "&<",
  nxl: "&>",
  adj: "-|-",
  eq: "=",
  gte: ">=",
  gt: ">",
  lte: "<=",
  lt: "<",
  like: "like",
  ilike: "ilike",
  match: "~",
  imatch: "~*",
};
const SEARCHES = {
  fts: "to_tsquery",
  plfts: "plainto_tsquery",
  phfts: "phraseto_tsquery",
  wfts: "websearch_to_tsquery",
};
const TRUTHS = { null: "NULL", not_null: "NOT NULL", true: "TRUE", false: "FALSE", unknown: "UNKNOWN" };

function jsonPath(path, parameters) {
  return path
    .map(({ arrow, key, index }) =>
      index === undefined ? arrow + parameters.add(key) : `${arrow}${parameters.add(index)}::int`,
    )
    .join("");
}

/** A column, with its json path. */
export function fieldSql(table, { name, path, toJson, fullRow }, parameters) {
  if (fullRow) return named(table);
  const plain = column(table, name);
  if (path.length === 0) return plain;
  return (toJson ? `to_jsonb(${plain})` : plain) + jsonPath(path, parameters);
}

const withCast = (text, cast) => (cast === null ? text : `CAST( ${text} AS ${cast} )`);
export const withAggregate = (text, aggregate, cast) =>
  aggregate === null ? text : withCast(`${aggregate.toUpperCase()}(${text})`, cast);

export function selectSql(table, { field, cast, aggregate, aggregateCast, alias }, parameters) {
  const text = withAggregate(withCast(fieldSql(table, field, parameters), cast), aggregate, aggregateCast);
  return alias === null ? text : `${text} AS ${ident(alias)}`;
}

/** `{"a","b"}` as Postgres reads an array. */
const arrayText = (values) =>
  `{${values.map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
export { arrayText };

function searchSql(table, field, { op, language, value }, parameters) {
  const spoken = () => (language === null ? "" : `${parameters.add(language)}, `);
  const plain = fieldSql(table, field, parameters);
  const document = field.type === "tsvector" ? plain : `to_tsvector(${spoken()}${plain})`;
  return `${document} @@ ${SEARCHES[op]}(${spoken()}${parameters.add(value)})`;
}

function comparison(table, field, operation, parameters) {
  const { op, value, values, quantifier } = operation;
  if (Object.hasOwn(SEARCHES, op)) return searchSql(table, field, operation, parameters);
  const left = fieldSql(table, field, parameters);
  if (op === "is") return `${left} IS ${TRUTHS[value]}`;
  if (op === "isdistinct") return `${left} IS DISTINCT FROM ${parameters.add(value)}`;
  if (op === "in") {
    if (values.length === 1 && values[0] === "") return `${left} = ANY('{}')`;
    return `${left} = ANY(${parameters.add(arrayText(values))})`;
  }
  const text = op === "like" || op === "ilike" ? value.replaceAll("*", "%") : value;
  const right = parameters.add(text);
  return `${left} ${PLAIN[op]} ${quantifier ? `${quantifier.toUpperCase()}(${right})` : right}`;
}

/**
 * A condition.
 *
 * @param {object} table what the columns belong to
 * @param {object} tree filter, tree of filters, or the question whether an embed has rows
 * @param {Parameters} parameters
 * @param {(embed: object) => string} embedSql writes the last kind
 */
export function conditionSql(table, tree, parameters, embedSql = nullEmbedSql) {
  if (tree.type === "tree") {
    const parts = tree.trees.map((part) => conditionSql(table, part, parameters, embedSql));
    return `${tree.negated ? "NOT" : ""} (${parts.join(` ${tree.op.toUpperCase()} `)})`;
  }
  if (tree.type === "embed") return embedSql(tree);
  const { field, operation } = tree;
  return `${operation.negated ? "NOT " : ""}${comparison(table, field, operation, parameters)}`;
}

const nullEmbedSql = ({ alias, negated }) => `${ident(alias)} IS ${negated ? "" : "NOT "}DISTINCT FROM NULL`;

export function orderTermSql(table, { relation, field, direction, nulls }, parameters) {
  const owner = relation === null ? table : { schema: "", name: relation };
  const order = { asc: " ASC", desc: " DESC" }[direction] ?? "";
  const placed = { nullsfirst: " NULLS FIRST", nullslast: " NULLS LAST" }[nulls] ?? "";
  return fieldSql(owner, field, parameters) + order + placed;
}

export function orderSql(table, order, parameters) {
  if (order.length === 0) return "";
  return ` ORDER BY ${order.map((term) => orderTermSql(table, term, parameters)).join(", ")}`;
}

export function rangeSql(range, parameters) {
  if (isAll(range)) return "";
  const limit = limitOf(range);
  return ` LIMIT ${limit === null ? "ALL" : parameters.add(String(limit))} OFFSET ${parameters.add(String(range.lower))}`;
}
