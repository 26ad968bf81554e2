import {
  column,
  conditionSql,
  fieldSql,
  ident,
  named,
  orderSql,
  orderTermSql,
  rangeSql,
  selectSql,
  withAggregate,
} from "./sql.mjs";

/** The name by which the columns of a node are called. */
function ownName({ rel, from, fromAlias }) {
  if (fromAlias !== null) return { schema: "", name: fromAlias };
  return rel?.kind === "computed" ? { schema: "", name: rel.function.name } : from;
}

function fromSql({ rel, from, fromAlias, parent }) {
  const source =
    rel?.kind === "computed"
      ? `${named(rel.function)}(${ident(parent.name)}::${named(rel.table)})`
      : named(from);
  const alias = fromAlias === null ? "" : ` AS ${ident(fromAlias)}`;
  return ` FROM ${source}${alias}${rel?.kind === "m2m" ? `, ${named(rel.junction.table)}` : ""}`;
}

const joinSql = ([left, right]) =>
  `${column(left.table, left.column)} = ${column(right.table, right.column)}`;

function spreadItem(alias, { name, aggregate, cast, alias: as }) {
  const full = `${ident(alias)}.${name === "*" ? "*" : ident(name)}`;
  return withAggregate(full, aggregate, cast) + (as === null ? "" : ` AS ${ident(as)}`);
}

function embedItems({ child, spread, name, many, empty }) {
  const alias = ident(child.aggAlias);
  if (spread) return spread.map((field) => spreadItem(child.aggAlias, field));
  if (empty) return [];
  return [
    many
      ? `COALESCE( ${alias}.${alias}, '[]') AS ${ident(name)}`
      : `row_to_json(${alias}.*)::jsonb AS ${ident(name)}`,
  ];
}

/** A column of rows that are spread into lists. */
function spreadList(child, { name, alias }, parameters) {
  const nameless = { schema: "", name: child.aggAlias };
  const order = child.spreadOrder.map((term) => orderTermSql(nameless, term, parameters)).join(", ");
  const field = name === "*" ? ident(child.aggAlias) : `${ident(child.aggAlias)}.${ident(name)}`;
  const ordered = order === "" ? "" : ` ORDER BY ${order}`;
  return `COALESCE(json_agg(${field}${ordered}),'[]')::jsonb AS ${ident(alias ?? name)}`;
}

function lateralSql({ child, spread, many }, parameters) {
  const alias = ident(child.aggAlias);
  const inner = selectQuery(child, parameters);
  const asRows = many || child.spread === "many";
  const lists =
    spread && child.spread === "many" ? spread.map((field) => spreadList(child, field, parameters)) : [];
  const rows = `SELECT ${[`json_agg(${alias})::jsonb AS ${alias}`, ...lists].join(", ")} FROM (${inner} ) AS ${alias}`;
  const kind = child.join === "inner" ? "INNER" : "LEFT";
  const condition = asRows && child.join === "inner" ? `${alias} IS NOT NULL` : "TRUE";
  return ` ${kind} JOIN LATERAL ( ${asRows ? rows : inner} ) AS ${alias} ON ${condition}`;
}

function groupTerm(name, { field, aggregate, alias }, parameters) {
  if (aggregate !== null) return [];
  return [alias === null ? fieldSql(name, field, parameters) : ident(alias)];
}

function groupSql(name, { select, embeds }, parameters) {
  const aggregated = [...select, ...embeds.flatMap(({ spread }) => spread ?? [])].some(
    ({ aggregate }) => aggregate !== null,
  );
  if (!aggregated) return "";
  const terms = [
    ...select.flatMap((item) => groupTerm(name, item, parameters)),
    ...embeds.flatMap(({ child, spread, name: embedded }) =>
      spread
        ? spread
            .filter(({ aggregate }) => aggregate === null)
            .map((field) => `${ident(child.aggAlias)}.${ident(field.alias ?? field.name)}`)
        : [ident(embedded)],
    ),
  ];
  return terms.length === 0 ? "" : ` GROUP BY ${terms.join(", ")}`;
}

function whereSql(conditions) {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

/** The query of a plan; see plan.mjs. */
export function selectQuery(node, parameters) {
  const name = ownName(node);
  const star = [
    { field: { name: "*", path: [] }, cast: null, aggregate: null, aggregateCast: null, alias: null },
  ];
  const own = node.select.length === 0 && node.children.length === 0 ? star : node.select;
  const items = [
    ...own.map((item) => selectSql(name, item, parameters)),
    ...node.spreadExtra.map(({ relation, field, alias }) => {
      const owner = relation === null ? name : { schema: "", name: relation };
      return `${fieldSql(owner, field, parameters)} AS ${ident(alias)}`;
    }),
    ...node.embeds.flatMap(embedItems),
  ];
  const laterals = node.embeds.map((embed) => lateralSql(embed, parameters)).join("");
  const conditions = [
    ...node.where.map((tree) => conditionSql(name, tree, parameters)),
    ...node.joins.map(joinSql),
  ];
  return (
    `SELECT ${items.join(", ")}${fromSql(node)}${laterals}${whereSql(conditions)}` +
    groupSql(name, node, parameters) +
    orderSql(name, node.order, parameters) +
    rangeSql(node.range, parameters)
  );
}

/**
 * The rows that a plan's root has, without range and embeds, for counting them. An inner join asks whether there is a
 * row, and so does a question for an embed.
 */
export function countQuery(node, parameters) {
  const name = ownName(node);
  const exists = ({ child, negated }) => `${negated ? "" : "NOT "}EXISTS (${countQuery(child, parameters)})`;
  const conditions = [
    ...node.where.map((tree) => conditionSql(name, tree, parameters, exists)),
    ...node.joins.map(joinSql),
    ...node.children
      .filter(({ join }) => join === "inner")
      .map((child) => `EXISTS (${countQuery(child, parameters)} )`),
  ];
  return `SELECT 1${fromSql(node)}${whereSql(conditions)}`;
}
