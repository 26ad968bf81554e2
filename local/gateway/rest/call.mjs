import { qualified } from "./catalogue.mjs";
import { ambiguousFunction, unknownFunction } from "./guesses.mjs";
import { arrayText, column, ident, named } from "./sql.mjs";
import { bodySql } from "./write.mjs";

const RAW_TYPES = {
  "application/json": ["json", "jsonb"],
  "text/plain": ["text"],
  "text/xml": ["xml"],
  "application/octet-stream": ["bytea"],
};

function takes(entry, keys, isRaw) {
  if (entry.arguments.length === 0) return keys.size === 0 && !isRaw;
  const names = new Set(entry.arguments.map(({ name }) => name));
  const required = entry.arguments.filter((argument) => argument.required);
  return required.every(({ name }) => keys.has(name)) && [...keys].every((key) => names.has(key));
}

/**
 * Finds the function that takes these arguments. One whose only parameter has no name takes a whole body.
 *
 * @param {object} catalogue
 * @param {{schema: string, name: string, keys: Set<string>, type: string, isPost: boolean}} asked type: of the body
 * @throws {RestError} when none or more than one does
 */
export function findFunction(catalogue, asked) {
  const { schema, name, keys, type, isPost } = asked;
  const overloads = catalogue.functions.get(qualified(schema, name)) ?? [];
  const isRaw = isPost && type !== "application/json" && Object.hasOwn(RAW_TYPES, type);
  const wholeBody = (entry) =>
    isPost && entry.arguments.length === 1 && (RAW_TYPES[type] ?? []).includes(entry.arguments[0].type);
  const named_ = overloads.filter((entry) => takes(entry, keys, isRaw));
  const unnamed = overloads.filter((entry) => !takes(entry, keys, isRaw) && wholeBody(entry));
  const found = named_.length > 0 ? named_ : unnamed;
  if (found.length === 0) throw unknownFunction(catalogue, { ...asked, keys: [...keys].sort() });
  if (found.length > 1) throw ambiguousFunction(found);
  return found[0];
}

export const returnsScalar = (entry) => !entry.composite && !entry.set;
export const returnsScalars = (entry) => !entry.composite && entry.set;
export const returnsRow = (entry) => entry.composite && !entry.set;

/** Arguments of a query string by name; those of a variadic parameter are gathered, of others the last counts. */
function gathered(entry, values) {
  const result = new Map();
  for (const [name, value] of values) {
    const variadic = entry.arguments.some((argument) => argument.name === name && argument.variadic);
    result.set(name, variadic ? [...(result.get(name) ?? []), value] : value);
  }
  return result;
}

const passed = (argument) => `${argument.variadic ? "VARIADIC " : ""}${ident(argument.name)} := `;

function directArguments(used, values, parameters) {
  return used
    .map((argument) => {
      const value = values.get(argument.name);
      const text = Array.isArray(value) ? arrayText(value) : value;
      return `${passed(argument)}${parameters.add(text)}::${argument.cast}`;
    })
    .join(", ");
}

/**
 * The query that calls a function.
 *
 * @param {object} entry see catalogue.mjs
 * @param {{keys: Set<string>, values: [string, string][] | null, raw: string | null}} given values: of a query string or
 *   a form; otherwise the body
 * @param {string[]} returning the columns that are needed of what it returns
 */
export function callSql(entry, { keys, values, raw }, returning, parameters) {
  const scalar = !entry.composite;
  const call = (args) =>
    scalar
      ? `(SELECT ${named(entry)}(${args}) pgrst_scalar) pgrst_call`
      : `${named(entry)}(${args}) pgrst_call`;
  const columns =
    returning.length === 0
      ? "*"
      : returning.map((name) => column({ schema: "", name: "pgrst_call" }, name)).join(", ");
  const select = `SELECT ${scalar ? "pgrst_call.pgrst_scalar" : columns} `;
  const [only] = entry.arguments;
  if (entry.arguments.length === 1 && only.name === "") {
    const text = raw ?? JSON.stringify(Object.fromEntries(values ?? []));
    return `${select}FROM ${call(`${parameters.add(text)}::${only.type}`)}`;
  }
  const used = entry.arguments.filter(({ name }) => keys.has(name));
  if (used.length === 0) return `${select}FROM ${call("")}`;
  if (values !== null)
    return `${select}FROM ${call(directArguments(used, gathered(entry, values), parameters))}`;
  const fields = used.map(({ name, cast }) => ({ name, type: cast, default: null }));
  const args = used.map((argument) => `${passed(argument)}pgrst_body.${ident(argument.name)}`).join(", ");
  return `${select}${bodySql(raw, fields, parameters, { one: true })}, LATERAL ${call(args)}`;
}
