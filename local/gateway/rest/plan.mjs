import { qualified } from "./catalogue.mjs";
import { aggregatesOff, notEmbedded, relatedOrder, spreadAggregates } from "./errors.mjs";
import { ambiguousRelationship, noRelationship } from "./guesses.mjs";
import { ALL, restricted } from "./ranges.mjs";
import { candidates, isToOne } from "./relationships.mjs";

export const SOURCE = "pgrst_source";

/** What of a column is needed to write it: whether a json path has to turn it into json first. */
export function resolvedField(table, { name, path }) {
  const type = table?.types.get(name) ?? "";
  return { name, path, type, toJson: type !== "json" && type !== "jsonb" };
}

export function resolvedFilter(table, { operation, ...filter }) {
  return { type: "filter", field: resolvedField(table, filter), operation };
}

export function resolvedTree(table, tree) {
  return tree.type === "filter"
    ? resolvedFilter(table, tree)
    : { ...tree, trees: tree.trees.map((part) => resolvedTree(table, part)) };
}

function node(schema, name, depth, more) {
  return {
    from: { schema, name },
    fromAlias: null,
    name,
    alias: null,
    hint: null,
    join: null,
    spread: null,
    depth,
    select: [],
    where: [],
    order: [],
    range: ALL,
    rel: null,
    aggAlias: "",
    joins: [],
    children: [],
    embeds: [],
    spreadExtra: [],
    spreadOrder: [],
    ...more,
  };
}

function grow(catalogue, schema, parent, items) {
  const table = catalogue.tables.get(qualified(parent.from.schema, parent.from.name));
  for (const item of items) {
    if (item.type === "field") {
      const { alias, cast, aggregate, aggregateCast } = item;
      parent.select.push({ field: resolvedField(table, item), alias, cast, aggregate, aggregateCast });
      continue;
    }
    const { name, alias, hint, join } = item;
    const spread = item.type === "spread" ? "one" : null;
    const child = node(schema, name, parent.depth + 1, { alias, hint, join, spread });
    grow(catalogue, schema, child, item.select);
    parent.children.push(child);
  }
  return parent;
}

const calledAs = ({ name, alias }) => alias ?? name;

/** Applies `change` to the node that `path` leads to. */
function at(root, path, change) {
  let current = root;
  for (const step of path) {
    const index = current.children.findIndex(({ name, alias }) => name === step || alias === step);
    if (index < 0) throw notEmbedded(step);
    // Whoever was named last is found first, as in PostgREST.
    const [found] = current.children.splice(index, 1);
    current.children.unshift(found);
    current = found;
  }
  change(current);
}

/** Says of every embed which relationship it means, and how it joins. */
function relate(catalogue, schema, parent) {
  const origin = parent.depth === 0 ? (parent.fromAlias ?? parent.from.name) : parent.from.name;
  for (const child of parent.children) {
    const found = candidates(catalogue.relationships, schema, origin, child.name, child.hint);
    if (found.length === 0) throw noRelationship(catalogue, schema, origin, child);
    if (found.length > 1) throw ambiguousRelationship(origin, child.name, found);
    const [rel] = found;
    const parentName = parent.fromAlias === null ? parent.from : { schema: "", name: parent.fromAlias };
    child.rel = rel;
    child.from = rel.foreign;
    child.aggAlias = `${rel.table.name}_${calledAs(child)}_${child.depth}`;
    if (child.spread && !isToOne(rel)) child.spread = "many";
    if (rel.kind === "m2m") child.joins = junctionJoins(rel, parentName);
    else {
      child.fromAlias = `${rel.foreign.name}_${child.depth}`;
      child.parent = parent.fromAlias === null ? rel.table : parentName;
      if (rel.kind !== "computed")
        child.joins = rel.columns.map(([own, other]) => [
          { table: { schema: "", name: child.fromAlias }, column: other },
          { table: parentName, column: own },
        ]);
    }
    relate(catalogue, schema, child);
  }
}

function junctionJoins({ junction, foreign }, parentName) {
  return [
    ...junction.target.map(([column, joined]) => [
      { table: junction.table, column: joined },
      { table: foreign, column },
    ]),
    ...junction.source.map(([column, joined]) => [
      { table: junction.table, column: joined },
      { table: parentName, column },
    ]),
  ];
}

/** `*` becomes the list of columns where an aggregate or a spread into lists has to name them. */
function expandStars(catalogue, current, inherited = false) {
  const expands =
    inherited || current.spread === "many" || current.select.some(({ aggregate }) => aggregate !== null);
  if (expands) {
    const owner = current.from.name === SOURCE ? current.owner : current.from;
    const table = catalogue.tables.get(qualified(owner.schema, owner.name));
    current.select = current.select.flatMap((item) => {
      if (item.field.name !== "*" || item.field.path.length > 0) return [item];
      if (item.aggregate === null)
        return (table?.columns ?? []).map(({ name }) => ({
          ...item,
          field: resolvedField(table, { name, path: [] }),
        }));
      return current.spread ? [{ ...item, field: { ...item.field, fullRow: true } }] : [item];
    });
  }
  for (const child of current.children) expandStars(catalogue, child, expands);
}

function nameJsonPaths(current) {
  for (const item of current.select) {
    if (item.alias !== null) continue;
    if (item.aggregate !== null) {
      if (current.spread) item.alias = item.aggregate;
      continue;
    }
    const keys = item.field.path.map(({ key }) => key).filter((key) => key !== undefined);
    if (item.field.path.length > 0) item.alias = keys.at(-1) ?? item.field.name;
  }
  for (const child of current.children) nameJsonPaths(child);
}

/** `order=embed(column)` names the lateral join of that embed, which must be to one row. */
function relateOrders(current) {
  current.order = current.order.map((term) => {
    if (term.relation === null) return term;
    const child = current.children.find((entry) => calledAs(entry) === term.relation);
    if (!child) throw notEmbedded(term.relation);
    if (!isToOne(child.rel)) throw relatedOrder(current.from.name, calledAs(child));
    return { ...term, relation: child.aggAlias };
  });
  for (const child of current.children) relateOrders(child);
}

/** `embed=is.null` asks whether there is an embedded row. */
function nullEmbeds(current) {
  const change = (tree) => {
    if (tree.type === "tree") return { ...tree, trees: tree.trees.map(change) };
    const { field, operation } = tree;
    const child =
      tree.type === "filter" && field.path.length === 0
        ? current.children.find((entry) => calledAs(entry) === field.name)
        : undefined;
    return child && operation.op === "is" && operation.value === "null"
      ? { type: "embed", negated: operation.negated, alias: child.aggAlias, child }
      : tree;
  };
  current.where = current.where.map(change);
  for (const child of current.children) nullEmbeds(child);
}

const isEmptySelect = ({ select, children }) => select.length === 0 && children.every(isEmptySelect);

/** What each child adds to the select list of its parent. */
function addEmbeds(current) {
  for (const child of current.children) addEmbeds(child);
  current.embeds = current.children.map((child) =>
    child.spread
      ? { child, spread: spreadFields(child) }
      : { child, name: calledAs(child), many: !isToOne(child.rel), empty: isEmptySelect(child) },
  );
}

function spreadFields({ select, embeds }) {
  const plain = (name) => ({ name, aggregate: null, cast: null, alias: null });
  return [
    ...select.map(({ field, alias }) => plain(alias ?? field.name)),
    ...embeds.flatMap((embed) => embed.spread ?? [plain(embed.name)]),
  ];
}

function refuseAggregates(allowed, current) {
  if (!allowed && current.select.some(({ aggregate }) => aggregate !== null)) throw aggregatesOff();
  for (const child of current.children) refuseAggregates(allowed, child);
}

/**
 * Aggregates of a row that is spread belong to whoever spreads it: they move up to the first node that is no spread.
 *
 * @returns {object[]} what moves on to the parent
 */
function hoistAggregates(current) {
  const below = current.children.flatMap(hoistAggregates);
  const hoisted = [];
  if (current.depth > 0 && current.spread === "one")
    current.select = current.select.map((item) => {
      if (item.aggregate === null) return item;
      const { aggregate, aggregateCast, alias } = item;
      hoisted.push({
        from: current.aggAlias,
        name: alias ?? item.field.name,
        aggregate,
        cast: aggregateCast,
        alias,
      });
      return { ...item, aggregate: null, aggregateCast: null };
    });
  if (current.spread === "one")
    return [...hoisted, ...below.map((entry) => ({ ...entry, from: current.aggAlias }))];
  for (const embed of current.embeds)
    embed.spread = embed.spread?.map((field) => {
      const found = below.find(({ from, name }) => from === embed.child.aggAlias && name === field.name);
      return found ? { ...field, aggregate: found.aggregate, cast: found.cast, alias: found.alias } : field;
    });
  return [];
}

/** Lists that rows are spread into are ordered while they are made: what orders them is selected beside. */
function orderSpreads(current) {
  if (current.spread === "many") {
    const aggregates = [...current.select, ...current.embeds.flatMap(({ spread }) => spread ?? [])];
    if (aggregates.some(({ aggregate }) => aggregate !== null)) throw spreadAggregates();
    current.order.forEach((term, index) => {
      const alias = `${current.aggAlias}_${term.field.name}_${index + 1}`;
      current.spreadExtra.push({ relation: term.relation, field: term.field, alias });
      current.spreadOrder.push({
        ...term,
        relation: null,
        field: { name: alias, path: [], type: "", toJson: true },
      });
    });
    current.order = [];
  }
  for (const child of current.children) orderSpreads(child);
}

function restrictRanges(current, maxRows) {
  current.range = restricted(current.range, maxRows);
  for (const child of current.children) restrictRanges(child, maxRows);
}

/**
 * Plans what is selected: a tree of tables, each with its filters, order and range, and how it joins its parent.
 *
 * @param {object} catalogue
 * @param {{schema: string, name: string}} table the root
 * @param {object} query see query.mjs
 * @param {{isWrite: boolean, isCall: boolean, top: object, maxRows: number | null, aggregates: boolean}} options
 * @throws {RestError} for what is not embedded, not related, not allowed
 */
export function readPlan(catalogue, table, query, { isWrite, isCall, top, maxRows, aggregates }) {
  const root = grow(catalogue, table.schema, node(table.schema, table.name, 0), query.select);
  const known = ({ from }) => catalogue.tables.get(qualified(from.schema, from.name));
  const own = ({ embed }) => isWrite && embed.length === 0;
  for (const { embed, filter } of query.filters.toReversed())
    if (!own({ embed }))
      at(root, embed, (target) => target.where.unshift(resolvedFilter(known(target), filter)));
  for (const { embed, terms } of query.order.toReversed())
    at(root, embed, (target) => {
      target.order = terms.map((term) => ({
        ...term,
        field: resolvedField(
          term.relation === null ? catalogue.tables.get(qualified(table.schema, table.name)) : null,
          term,
        ),
      }));
    });
  if (!isWrite)
    for (const [path, range] of query.ranges)
      at(root, path === "" ? [] : path.split("."), (target) => {
        target.range = range;
      });
  if (!isWrite) root.range = top;
  for (const { embed, tree } of query.logic.toReversed())
    if (!own({ embed })) at(root, embed, (target) => target.where.unshift(resolvedTree(known(target), tree)));
  if (isWrite || isCall) {
    root.owner = root.from;
    root.fromAlias = table.name;
  }
  relate(catalogue, table.schema, root);
  if (isWrite || isCall) root.from = { schema: "", name: SOURCE };
  expandStars(catalogue, root);
  nameJsonPaths(root);
  relateOrders(root);
  nullEmbeds(root);
  addEmbeds(root);
  refuseAggregates(aggregates, root);
  hoistAggregates(root);
  orderSpreads(root);
  if (!isWrite) restrictRanges(root, maxRows);
  return root;
}

/** The columns that a written or returned row must bring along, so that its embeds can be joined. */
export function neededColumns({ select, children }, keys) {
  const names = select.map(({ field }) => field.name);
  if (names.includes("*")) return ["*"];
  if (children.some(({ rel }) => rel.kind === "computed")) return ["*"];
  const joined = children.flatMap(({ rel }) => (rel.columns ?? rel.junction.source).map(([own]) => own));
  return [...new Set([...names, ...joined, ...keys])].sort();
}

const filterNames = (tree) => {
  if (tree.type === "tree") return tree.trees.flatMap(filterNames);
  return tree.type === "filter" ? [tree.field.name] : [];
};

/** The columns that a called function must return: those that are selected, joined by, and filtered by. */
export function returnedColumns(plan) {
  const needed = neededColumns(plan, []);
  if (needed.length === 0 || needed.includes("*")) return needed;
  return [...new Set([...needed, ...plan.where.flatMap(filterNames)])].sort();
}
