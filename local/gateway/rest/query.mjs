import { GivesUp } from "./errors.mjs";
import {
  parseArgument,
  parseColumns,
  parseFilter,
  parseLogic,
  parseOnConflict,
  parseOrder,
  parseSelect,
  parseTreePath,
} from "./parse.mjs";
import { rangesOf } from "./ranges.mjs";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decoded(text) {
  if (!/[%\u0080-\uffff]/.test(text)) return text;
  const bytes = Buffer.from(text, "utf8");
  const out = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const hex = bytes[at] === 0x25 ? bytes.toString("latin1", at + 1, at + 3) : "";
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      out.push(Number.parseInt(hex, 16));
      at += 2;
    } else out.push(bytes[at]);
  }
  try {
    return decoder.decode(Uint8Array.from(out));
  } catch {
    throw new GivesUp();
  }
}

/** The segments of a path, decoded. */
export const segments = (path) => (path === "" || path === "/" ? [] : path.slice(1).split("/").map(decoded));

/** The parameters of a query string in their order; a name without `=` has the value null. */
export function pairs(text) {
  return text
    .split(/[&;]/)
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      const [name, value] = at < 0 ? [part, null] : [part.slice(0, at), part.slice(at + 1)];
      return [
        decoded(name.replaceAll("+", " ")),
        value === null ? null : decoded(value.replaceAll("+", " ")),
      ];
    });
}

const RESERVED = new Set(["select", "columns", "on_conflict"]);
const EMBEDDABLE = new Set(["order", "limit", "offset", "and", "or"]);
const lastWord = (name) => name.slice(name.lastIndexOf(".") + 1);

/**
 * Reads the query string.
 *
 * @param {string} text without the question mark
 * @param {boolean} isCall whether a function is called by GET: what is no filter is then an argument
 * @throws {RestError} PGRST100
 */
export function readQuery(text, isCall) {
  const all = pairs(text);
  const given = all.filter(([, value]) => value !== null);
  const lookup = (name) => all.find(([key]) => key === name)?.[1] ?? null;
  const ending = (...words) => given.filter(([name]) => words.includes(lastWord(name)));
  const order = ending("order").map(([name, value]) => ({
    embed: parseTreePath(name).embed,
    terms: parseOrder(value),
  }));
  const logic = ending("and", "or").map(([name, value]) => parseLogic(name, value));
  const columns = lookup("columns");
  const columnNames = columns === null ? null : parseColumns(columns);
  const select = parseSelect(lookup("select") ?? "*");
  const filters = [];
  const args = [];
  const names = new Set();
  for (const [name, value] of given) {
    if (RESERVED.has(name) || EMBEDDABLE.has(lastWord(name))) continue;
    names.add(name);
    const { embed, name: column, path } = parseTreePath(name);
    const operation = isCall ? parseArgument(value) : parseFilter(value);
    if (operation === null) args.push([column, value]);
    else filters.push({ embed, filter: { type: "filter", name: column, path, operation } });
  }
  const onConflict = lookup("on_conflict");
  return {
    order,
    logic,
    columns: columnNames,
    select,
    filters,
    args,
    filterNames: names,
    onConflict: onConflict === null ? null : parseOnConflict(onConflict),
    ranges: rangesOf(ending("limit"), ending("offset")),
  };
}
