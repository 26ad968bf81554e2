import { GivesUp, invalidRange, putLimit } from "./errors.mjs";

/**
 * A range of rows: from `lower` up to and including `upper`, null being endless. An upper end of -1 is what `limit=0`
 * says; it is allowed where other empty ranges are not.
 */
export const ALL = { lower: 0n, upper: null };
const LIMIT_ZERO = { lower: 0n, upper: -1n };
const EMPTY = { lower: 1n, upper: 0n };

export const isAll = ({ lower, upper }) => lower === 0n && upper === null;
const isEmpty = ({ lower, upper }) => upper !== null && upper < lower;
export const limitOf = ({ lower, upper }) => (upper === null ? null : upper - lower + 1n);

function intersection(a, b) {
  if (isEmpty(a) || isEmpty(b)) return EMPTY;
  const lower = a.lower > b.lower ? a.lower : b.lower;
  const uppers = [a.upper, b.upper].filter((upper) => upper !== null);
  return { lower, upper: uppers.length === 0 ? null : uppers.reduce((x, y) => (x < y ? x : y)) };
}

/** At most `limit` rows of a range. */
export function restricted(range, limit) {
  if (limit === null) return range;
  const end = range.lower + BigInt(limit) - 1n;
  if (isEmpty(range) && range.upper !== -1n) throw new GivesUp();
  return range.upper === -1n
    ? LIMIT_ZERO
    : { ...range, upper: range.upper !== null && range.upper < end ? range.upper : end };
}

/** A whole number as PostgREST reads it, or null. */
function integer(text) {
  const match = /^\s*(-?)\s*(0[xX][0-9a-fA-F]+|0[oO][0-7]+|\d+)\s*$/.exec(text);
  if (!match) return null;
  return match[1] ? -BigInt(match[2]) : BigInt(match[2]);
}

function fromLimit(text) {
  const limit = integer(text);
  return limit === null ? ALL : { lower: 0n, upper: limit - 1n };
}

function fromOffset(text) {
  const offset = integer(text);
  return offset === null ? ALL : { lower: offset, upper: null };
}

/**
 * The ranges that `limit` and `offset` ask for.
 *
 * @param {[string, string][]} limits parameters that end in `limit`; the last of a name counts
 * @param {[string, string][]} offsets those that end in `offset`
 * @returns {Map<string, object>} by the path of the embed, "" being the rows themselves
 */
export function rangesOf(limits, offsets) {
  const path = (name) => name.split(".").slice(0, -1).join(".");
  const ranges = new Map(limits.map(([name, value]) => [path(name), fromLimit(value)]));
  const asked = new Map(offsets.map(([name, value]) => [path(name), fromOffset(value)]));
  for (const [name, { lower }] of asked) {
    const limit = ranges.get(name);
    ranges.set(name, limit ? { lower, upper: lower + (limitOf(limit) ?? 0n) - 1n } : { lower, upper: null });
  }
  return ranges;
}

function fromHeader(text) {
  const match = /^(\d+)-(\d*)$/.exec(text ?? "");
  return match ? { lower: BigInt(match[1]), upper: match[2] === "" ? null : BigInt(match[2]) } : ALL;
}

/**
 * The range of the rows themselves: what the query and, for GET, the header ask for.
 *
 * @throws {RestError} 416 when it can hold nothing; 400 when a PUT has one
 */
export function topRange(method, ranges, header) {
  const asked = ranges.get("") ?? ALL;
  const fromClient = method === "GET" ? fromHeader(header) : ALL;
  const top = asked.upper === -1n ? LIMIT_ZERO : intersection(fromClient, asked);
  if (isEmpty(top) && asked.upper !== -1n)
    throw invalidRange(
      isEmpty(fromClient)
        ? "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        : "Limit should be greater than or equal to zero.",
    );
  if (method === "PUT" && !isAll(top)) throw putLimit();
  return top;
}

export function contentRange(lower, upper, total) {
  const span = total !== 0n && lower <= upper ? `${lower}-${upper}` : "*";
  return `${span}/${total ?? "*"}`;
}

/** Status and Content-Range of rows that were read. */
export function rangeAnswer({ lower }, rows, total) {
  const upper = lower + BigInt(rows) - 1n;
  const all = total === null ? null : BigInt(total);
  const status = all === null ? 200 : lower > all ? 416 : upper - lower + 1n < all ? 206 : 200;
  return { status, range: contentRange(lower, upper, all) };
}

export const outOfBounds = ({ lower }, total) =>
  invalidRange(`An offset of ${lower} was requested, but there are only ${total ?? 0} rows.`);
