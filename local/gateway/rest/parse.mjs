import { readFileSync } from "node:fs";
import peggy from "peggy";
import { queryError } from "./errors.mjs";
import { Recent } from "./recent.mjs";

const parser = peggy.generate(readFileSync(new URL("grammar.peggy", import.meta.url), "utf8"), {
  allowedStartRules: ["Select", "Order", "Columns", "TreePath", "LogicPath", "Filter", "Argument", "Logic"],
});
const parsed = new Recent(2000);

const OPERATORS = new Set(
  "in. is. isdistinct. fts plfts phfts wfts neq cs cd ov sl sr nxr nxl adj eq gte gt lte lt like ilike match imatch any all".split(
    " ",
  ),
);
const OPERATOR = "operator (eq, gt, ...)";
const LOGIC = {
  not: "negation operator (not)",
  and: "logic operator (and, or)",
  or: "logic operator (and, or)",
};

/** How an expectation reads; character classes without a name of their own go unsaid. */
function describe({ type, text, description }) {
  if (type !== "literal") return type === "other" ? description : null;
  return OPERATORS.has(text) ? OPERATOR : JSON.stringify(text);
}

/** PostgREST names some groups of words by what they are for. */
function grouped(expected) {
  const texts = expected.map(({ text }) => text);
  const isLogic = texts.includes("and") && texts.includes("or");
  const words = expected.map((entry) => (isLogic && LOGIC[entry.text]) || describe(entry));
  // After the name of an operator only the rest of it can follow.
  const isOperator =
    words.includes("delimiter (.)") && texts.includes("(") && words.filter(Boolean).length === 2;
  return isOperator ? [OPERATOR] : words;
}

function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** Haskell's way of showing a character. */
function shown(character, quote) {
  const code = character.codePointAt(0);
  if (code === 0) return `${quote}\\NUL${quote}`;
  if (character === quote || character === "\\") return `${quote}\\${character}${quote}`;
  return code < 32 || code > 126 ? `${quote}\\${code}${quote}` : `${quote}${character}${quote}`;
}

function explain(error, text) {
  const { offset } = error.location.start;
  const words = [...new Set(grouped(error.expected ?? []).filter(Boolean))];
  const end = words.indexOf("end of input");
  if (end >= 0) words.push(...words.splice(end, 1));
  const found =
    offset >= text.length
      ? "end of input"
      : shown(String.fromCodePoint(text.codePointAt(offset)), end >= 0 ? "'" : '"');
  return `unexpected ${found}${words.length > 0 ? ` expecting ${listed(words)}` : ""}`;
}

/**
 * Parses one parameter.
 *
 * @param {string} startRule of grammar.peggy
 * @param {string} text what is parsed
 * @param {string} source how PostgREST calls it, such as `failed to parse order (id.ac)`
 * @throws {RestError} PGRST100 with what was not expected and where.
 */
function parse(startRule, text, source) {
  const key = `${startRule}\0${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  try {
    const result = parser.parse(text, { startRule, inLogic: startRule === "Logic" });
    parsed.set(key, result);
    return result;
  } catch (error) {
    if (!(error instanceof parser.SyntaxError)) throw error;
    const { line, column } = error.location.start;
    throw queryError(`"${source}" (line ${line}, column ${column})`, explain(error, text));
  }
}

export const parseSelect = (text) => parse("Select", text, `failed to parse select parameter (${text})`);
export const parseOrder = (text) => parse("Order", text, `failed to parse order (${text})`);
export const parseColumns = (text) => parse("Columns", text, `failed to parse columns parameter (${text})`);
export const parseOnConflict = (text) =>
  parse("Columns", text, `failed to parse on_conflict parameter (${text})`);
export const parseTreePath = (text) => parse("TreePath", text, `failed to parse tree path (${text})`);
export const parseFilter = (text) => parse("Filter", text, `failed to parse filter (${text})`);
/** A filter, or null when it is a plain argument. */
export const parseArgument = (text) => parse("Argument", text, `failed to parse filter (${text})`);

/** `and=(...)` and its kin: where it belongs and what it says. */
export function parseLogic(name, value) {
  const path = parse("LogicPath", name, `failed to parse logic path (${name})`);
  const operator = path.at(-1);
  const embed = path.slice(0, -1).filter((part) => part !== "not");
  const negation = path.includes("not") ? "not." : "";
  const tree = parse("Logic", `${negation}${operator}${value}`, `failed to parse logic tree (${value})`);
  return { embed, tree };
}
