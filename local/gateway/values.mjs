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

// A text is sent as it is, whatever the type: REST sends every value so, and Auth's library hands JSON over as text.
const unlessText = (serialize) => (value) => (typeof value === "string" ? value : serialize(value));
const asJson = unlessText(JSON.stringify);
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
  boolean: {
    to: 16,
    from: [16],
    serialize: unlessText((value) => (value ? "t" : "f")),
    parse: (text) => text === "t",
  },
  bytea: { to: 17, from: [17], serialize: asIs, parse: asIs },
  date: { to: 1082, from: [1082], serialize: asIs, parse: asIs },
  time: { to: 1083, from: [1083], serialize: asIs, parse: asIs },
  timetz: { to: 1266, from: [1266], serialize: asIs, parse: asIs },
  timestamp: { to: 1114, from: [1114], serialize: asIs, parse: isoTimestamp },
  timestamptz: { to: 1184, from: [1184], serialize: asIs, parse: isoTimestamp },
};
