import { RestError } from "./errors.mjs";
import { described, hinted } from "./relationships.mjs";

/** How alike two names are, from 0 to 1: the share of pairs of letters they have in common. */
function likeness(a, b) {
  const pairs = (text) => {
    const padded = `-${text.toLowerCase()}-`;
    return Array.from({ length: padded.length - 1 }, (_, index) => padded.slice(index, index + 2));
  };
  const [left, right] = [pairs(a), pairs(b)];
  const rest = [...right];
  const common = left.filter((pair) => {
    const at = rest.indexOf(pair);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
  return (2 * common.length) / (left.length + right.length);
}

function nearest(name, names, least) {
  const rated = names.map((candidate) => ({ candidate, rate: likeness(name, candidate) }));
  const best = rated.reduce((a, b) => (b.rate > a.rate ? b : a), { candidate: null, rate: 0 });
  return best.rate >= least ? best.candidate : null;
}

const inSchema = (map, schema) => [...map.values()].flat().filter((entry) => entry.schema === schema);

export function unknownTable(catalogue, schema, name) {
  const names = inSchema(catalogue.tables, schema).map((table) => table.name);
  const guess = nearest(name, names, 0.6);
  return new RestError(404, "PGRST205", `Could not find the table '${schema}.${name}' in the schema cache`, {
    hint: guess === null ? null : `Perhaps you meant the table '${schema}.${guess}'`,
  });
}

export function noRelationship(catalogue, schema, origin, { name, hint }) {
  const known = catalogue.relationships.get(`${schema}\0${origin}`);
  const names = known
    ? known.map(({ foreign }) => foreign.name)
    : [...catalogue.relationships.values()].flat().map(({ table }) => table.name);
  const wrong = known ? name : origin;
  const guess = known && names.includes(name) ? null : nearest(wrong, [...new Set(names)], 0.4);
  const using = hint === null ? "" : `' using the hint '${hint}`;
  return new RestError(
    400,
    "PGRST200",
    `Could not find a relationship between '${origin}' and '${name}' in the schema cache`,
    {
      details:
        `Searched for a foreign key relationship between '${origin}' and '${name}${using}' in the schema '${schema}',` +
        " but no matches were found.",
      hint: guess === null ? null : `Perhaps you meant '${guess}' instead of '${wrong}'.`,
    },
  );
}

export function ambiguousRelationship(origin, name, found) {
  return new RestError(
    300,
    "PGRST201",
    `Could not embed because more than one relationship was found for '${origin}' and '${name}'`,
    {
      details: found.map(described),
      hint:
        `Try changing '${name}' to one of the following: ${found.map(hinted).join(", ")}.` +
        " Find the desired relationship in the 'details' key.",
    },
  );
}

const UNNAMED = { "text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea" };

/** No function of that name takes these arguments. */
export function unknownFunction(catalogue, { schema, name, keys, type, isPost }) {
  const unnamed = isPost ? UNNAMED[type] : undefined;
  const list = keys.join(", ");
  const withKeys =
    keys.length === 0 ? " without parameters" : ` with parameter${keys.length > 1 ? "s" : ""} ${list}`;
  const searched = unnamed
    ? ` with a single unnamed ${unnamed} parameter`
    : withKeys +
      (isPost && type === "application/json" ? " or with a single unnamed json/jsonb parameter" : "");
  const asked = unnamed ? "" : keys.length === 0 ? " without parameters" : `(${list})`;
  const hint = unnamed ? null : functionHint(catalogue, schema, name, keys);
  return new RestError(
    404,
    "PGRST202",
    `Could not find the function ${schema}.${name}${asked} in the schema cache`,
    {
      details: `Searched for the function ${schema}.${name}${searched}, but no matches were found in the schema cache.`,
      hint,
    },
  );
}

function functionHint(catalogue, schema, name, keys) {
  const own = catalogue.functions.get(`${schema}\0${name}`);
  const signature = (names) => `(${names.toSorted().join(", ")})`;
  const guess = own
    ? nearest(
        signature(keys),
        own.map((entry) => signature(entry.arguments.map((argument) => argument.name))),
        0.33,
      )
    : nearest(
        name,
        inSchema(catalogue.functions, schema).map((entry) => entry.name),
        0.6,
      );
  if (guess === null) return null;
  return `Perhaps you meant to call the function ${schema}.${own ? name : ""}${guess}`;
}

export function ambiguousFunction(found) {
  const signatures = found.map(
    (entry) =>
      `${entry.schema}.${entry.name}(${entry.arguments.map(({ name, type }) => `${name} => ${type}`).join(", ")})`,
  );
  return new RestError(
    300,
    "PGRST203",
    `Could not choose the best candidate function between: ${signatures.join(", ")}`,
    {
      hint: "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    },
  );
}
