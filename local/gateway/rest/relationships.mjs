import { qualified } from "./catalogue.mjs";

/**
 * A relationship of a table, seen from it.
 *
 * `kind` is m2o (its rows point to one of the other table), o2m (the other way round), o2o, m2m (through a junction) or
 * `computed` (a function from the row to rows). `columns` pairs own and foreign columns.
 */
const relation = (kind, table, foreign, more) => ({
  kind,
  table,
  foreign,
  self: table.schema === foreign.schema && table.name === foreign.name,
  ...more,
});

/** All ways to take one column from each list. */
const choices = (lists) =>
  lists.reduce((rows, list) => rows.flatMap((row) => list.map((entry) => [...row, entry])), [[]]);

/** Every way in which a view shows the columns of one side of a key: views with their names of the columns. */
function showing(origins, oid, columns) {
  const shown = origins.filter((entry) => entry.table === oid && columns.includes(entry.shows));
  const views = new Map(shown.map(({ view }) => [qualified(view.schema, view.name), view]));
  return [...views.values()].flatMap((view) => {
    const own = shown.filter((entry) => entry.view.schema === view.schema && entry.view.name === view.name);
    const lists = columns.map((name) =>
      own.filter((entry) => entry.shows === name).map(({ column }) => column),
    );
    return lists.some((list) => list.length === 0) ? [] : choices(lists).map((names) => ({ view, names }));
  });
}

/** A foreign key between tables, and between the views that show its columns. */
function keyRelations(key, origins) {
  const from = { schema: key.from_schema, name: key.from_name };
  const to = { schema: key.to_schema, name: key.to_name };
  const own = key.columns.map(([column]) => column);
  const others = key.columns.map(([, column]) => column);
  const froms = [{ view: null, names: own }, ...showing(origins, key.from, own)];
  const tos = [{ view: null, names: others }, ...showing(origins, key.to, others)];
  return froms.flatMap((left) =>
    tos.map((right) =>
      relation(key.one_to_one ? "o2o" : "m2o", left.view ?? from, right.view ?? to, {
        constraint: key.name,
        columns: left.names.map((name, index) => [name, right.names[index]]),
        tableIsView: left.view !== null,
        foreignIsView: right.view !== null,
        isParent: false,
      }),
    ),
  );
}

const swapped = (columns) => columns.map(([a, b]) => [b, a]);

function inverse(rel) {
  return relation(rel.kind === "m2o" ? "o2m" : "o2o", rel.foreign, rel.table, {
    constraint: rel.constraint,
    columns: swapped(rel.columns),
    tableIsView: rel.foreignIsView,
    foreignIsView: rel.tableIsView,
    isParent: true,
  });
}

/** Two tables that a third one joins, whose primary key holds both foreign keys. */
function manyToMany(rels, tables) {
  const byTable = Map.groupBy(
    rels.filter(({ kind }) => kind === "m2o"),
    ({ table }) => qualified(table.schema, table.name),
  );
  return [...byTable].flatMap(([name, keys]) => {
    const primary = tables.get(name)?.key ?? [];
    return keys.flatMap((one) =>
      keys
        .filter(
          (other) =>
            one.constraint !== other.constraint &&
            [...one.columns, ...other.columns].every(([column]) => primary.includes(column)),
        )
        .map((other) =>
          relation("m2m", one.foreign, other.foreign, {
            junction: {
              table: one.table,
              constraints: [one.constraint, other.constraint],
              source: swapped(one.columns),
              target: swapped(other.columns),
            },
            tableIsView: one.foreignIsView,
            foreignIsView: other.foreignIsView,
          }),
        ),
    );
  });
}

/** Functions whose one argument is a row and that return rows: nobody can call them, but rows embed what they find. */
function computedRelations(defined) {
  return defined
    .filter(({ computed, arg_name: row }) => computed && row !== null)
    .map((entry) =>
      relation(
        "computed",
        { schema: entry.arg_schema, name: entry.arg_name },
        { schema: entry.type_schema, name: entry.type_name },
        { toOne: entry.single, function: { schema: entry.schema, name: entry.name } },
      ),
    );
}

/**
 * Every relationship between exposed tables and views, by the table it starts from.
 *
 * @returns {Map<string, object[]>} keyed as `qualified(schema, table)`
 */
export function relationshipsOf({ schemas, tables, defined, origins, keys }) {
  const direct = keys.flatMap((key) => keyRelations(key, origins));
  const all = [...direct, ...manyToMany(direct, tables), ...direct.map(inverse)];
  const exposed = all.filter(({ table, foreign, junction }) =>
    [table, foreign, junction?.table ?? table].every(({ schema }) => schemas.includes(schema)),
  );
  const computed = computedRelations(defined);
  // A function named as a related table stands in its place.
  const replaced = new Set(
    computed.map((rel) => `${qualified(rel.table.schema, rel.table.name)}\0${rel.function.name}`),
  );
  const kept = exposed.filter(
    ({ table, foreign }) => !replaced.has(`${qualified(table.schema, table.name)}\0${foreign.name}`),
  );
  return Map.groupBy([...kept, ...computed], ({ table }) => qualified(table.schema, table.name));
}

export const isToOne = (rel) => rel.kind === "m2o" || rel.kind === "o2o" || rel.toOne === true;

const single = (rel, side) => (rel.columns?.length === 1 ? rel.columns[0][side] : null);

/** Whether a relationship is what `target!hint` means; self references go by their own rules. */
function matches(rel, target, hint) {
  if (rel.kind === "computed") return target === rel.function.name;
  if (rel.self) {
    if (hint !== null) return target === rel.foreign.name && rel.kind === "o2m" && hint === single(rel, 1);
    return (
      (target === rel.foreign.name && rel.kind === "o2m") || (rel.kind === "m2o" && target === single(rel, 0))
    );
  }
  if (hint === null)
    return (
      target === rel.foreign.name ||
      (!rel.foreignIsView && (target === rel.constraint || target === single(rel, 0)))
    );
  return (
    target === rel.foreign.name &&
    (hint === rel.constraint ||
      hint === single(rel, 0) ||
      hint === single(rel, 1) ||
      hint === rel.junction?.table.name)
  );
}

/** The relationships that an embed may mean. */
export function candidates(relationships, schema, origin, target, hint) {
  return (relationships.get(qualified(schema, origin)) ?? []).filter(
    (rel) => rel.foreign.schema === schema && matches(rel, target, hint),
  );
}

const CARDINALITY = { m2o: "many-to-one", o2m: "one-to-many", o2o: "one-to-one", m2m: "many-to-many" };

/** How an ambiguous relationship is told to the client. */
export function described(rel) {
  const list = (columns, side) => `(${columns.map((pair) => pair[side]).join(", ")})`;
  const relationship = rel.junction
    ? `${rel.junction.table.name} using ${rel.junction.constraints[0]}${list(rel.junction.source, 1)}` +
      ` and ${rel.junction.constraints[1]}${list(rel.junction.target, 1)}`
    : `${rel.constraint} using ${rel.table.name}${list(rel.columns, 0)} and ${rel.foreign.name}${list(rel.columns, 1)}`;
  return {
    cardinality: CARDINALITY[rel.kind],
    embedding: `${rel.table.name} with ${rel.foreign.name}`,
    relationship,
  };
}

/** `target!hint` that names one relationship for certain. */
export const hinted = (rel) => `'${rel.foreign.name}!${rel.junction?.table.name ?? rel.constraint}'`;
