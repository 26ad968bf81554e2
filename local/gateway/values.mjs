/**
 * Turns Postgres' text into what `to_json` would print, which is what hosted PostgREST answers.
 *
 * `JSON.rawJSON` keeps a number's own digits (1180.00 stays 1180.00); a JavaScript number would drop the zeros
 * and round what does not fit in 53 bits.
 */
const NUMBER = /^-?\d+(\.\d+)?$/;

function exactNumber(text) {
  return NUMBER.test(text) ? JSON.rawJSON(text) : text;
}

/** Parses json text, keeping every number that JavaScript would print differently as its own digits. */
export function parseJson(text) {
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && String(value) !== context.source ? JSON.rawJSON(context.source) : value,
  );
}

/** `2026-11-21 02:43:48.5+00` becomes `2026-11-21T02:43:48.5+00:00`; infinity and BC dates stay as they are. */
export function isoTimestamp(text) {
  return text.replace(
    /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::?(\d\d))?)?$/,
    (_all, day, time, hours, minutes) =>
      hours === undefined ? `${day}T${time}` : `${day}T${time}${hours}:${minutes ?? "00"}`,
  );
}

// A text that is JSON already is marked by a character that no Postgres text can hold, so nothing is mistaken for it.
const READY = "\u0000json:";
const asJson = (value) =>
  typeof value === "string" && value.startsWith(READY) ? value.slice(READY.length) : JSON.stringify(value);
const asText = (value) => String(value);
const asIs = (value) => value;

/** The driver's types, by the names the embedded library gives them; what is not here it parses itself. */
export const POSTGRES_TYPES = {
  bigint: {
    to: 20,
    from: [20],
    serialize: asText,
    parse: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : JSON.rawJSON(text)),
  },
  numeric: { to: 1700, from: [1700], serialize: asText, parse: exactNumber },
  json: { to: 114, from: [114], serialize: asJson, parse: parseJson },
  jsonb: { to: 3802, from: [3802], serialize: asJson, parse: parseJson },
  bytea: { to: 17, from: [17], serialize: asIs, parse: asIs },
  date: { to: 1082, from: [1082], serialize: asIs, parse: asIs },
  time: { to: 1083, from: [1083], serialize: asIs, parse: asIs },
  timetz: { to: 1266, from: [1266], serialize: asIs, parse: asIs },
  timestamp: { to: 1114, from: [1114], serialize: asIs, parse: isoTimestamp },
  timestamptz: { to: 1184, from: [1184], serialize: asIs, parse: isoTimestamp },
};

const isList = (value) => typeof value === "string" && value.startsWith("[");

/**
 * Marks the json arguments of a function call as they were sent.
 *
 * The library hands objects on as JSON text but strings as they are, which the driver cannot tell apart. Of a GET's
 * arguments the library has read some as JSON and left lists as text.
 *
 * @param {object} call the library's description of the call; its `args` are changed in place
 * @param {object[]} functions the catalogue's functions
 */
export function markJsonArguments(call, functions) {
  if (call.type !== "rpc" || !call.args || Array.isArray(call.args)) return;
  const names = Object.keys(call.args);
  const called = functions.find(
    (entry) => entry.name === call.function && names.every((name) => entry.arg_names.includes(name)),
  );
  for (const name of names) {
    const type = called?.arg_types[called.arg_names.indexOf(name)];
    const value = call.args[name];
    if ((type !== "json" && type !== "jsonb") || value === null) continue;
    call.args[name] = READY + (call.httpMethod === "GET" && isList(value) ? value : JSON.stringify(value));
  }
}
