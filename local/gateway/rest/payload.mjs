import { parse as parseCsv } from "./csv.mjs";
import { invalidBody } from "./errors.mjs";
import { mediaType } from "./media.mjs";
import { pairs } from "./query.mjs";

const NOTHING = { kind: "none", raw: null, keys: new Set() };

/** The keys of an object, or those that all objects of a list have; null when they differ. */
function commonKeys(value) {
  if (!Array.isArray(value)) return new Set(Object.keys(value));
  const [first] = value;
  const isObject = (entry) => entry !== null && typeof entry === "object" && !Array.isArray(entry);
  if (!isObject(first)) return null;
  const keys = Object.keys(first);
  const same = (entry) =>
    isObject(entry) &&
    Object.keys(entry).length === keys.length &&
    keys.every((key) => Object.hasOwn(entry, key));
  return value.every(same) ? new Set(keys) : null;
}

function fromJson(raw, value) {
  // Anything but an object or a list counts as an empty list.
  if (value === null || typeof value !== "object" || (Array.isArray(value) && value.length === 0))
    return { kind: "json", raw: "[]", keys: new Set() };
  const keys = commonKeys(value);
  if (keys === null) throw invalidBody("All object keys must match");
  return { kind: "json", raw, keys };
}

function parsed(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    throw invalidBody("Empty or invalid json");
  }
}

function fromCsv(raw) {
  const rows = parseCsv(raw, invalidBody);
  return fromJson(JSON.stringify(rows), rows);
}

function fromForm(raw, isFunction) {
  const values = pairs(raw).map(([name, value]) => [name, value ?? ""]);
  if (isFunction) return { kind: "form", values, raw: null, keys: new Set(values.map(([name]) => name)) };
  const object = Object.fromEntries(values);
  return { kind: "json", raw: JSON.stringify(object), keys: new Set(Object.keys(object)) };
}

/**
 * Reads the body of a request that may have one.
 *
 * @param {Buffer} body
 * @param {string | null} header Content-Type
 * @param {string[] | null} columns what `columns=` names: the body is then left to Postgres
 * @param {boolean} isFunction whether a function is called
 * @throws {RestError} 400 when it is not what it says
 */
export function readPayload(body, header, columns, isFunction) {
  const type = header === null ? "application/json" : mediaType(header);
  if (type === "application/json") {
    const raw = body.toString("utf8");
    if (columns !== null) return { type, kind: "json", raw, keys: new Set(columns) };
    if (raw === "" && isFunction) return { type, kind: "json", raw: "", keys: new Set() };
    return { type, ...fromJson(raw, parsed(raw)) };
  }
  if (type === "text/csv") return { type, ...fromCsv(body.toString("utf8")) };
  if (type === "application/x-www-form-urlencoded")
    return { type, ...fromForm(body.toString("utf8"), isFunction) };
  if (isFunction && ["text/plain", "text/xml", "application/octet-stream"].includes(type)) {
    const raw = type === "application/octet-stream" ? `\\x${body.toString("hex")}` : body.toString("utf8");
    return { type, kind: "raw", raw, keys: new Set() };
  }
  throw invalidBody(`Content-Type not acceptable: ${type}`);
}

export const noPayload = (header) => ({
  type: header === null ? "application/json" : mediaType(header),
  ...NOTHING,
});
