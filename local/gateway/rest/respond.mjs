import { errorResponse, gucHeaders, gucStatus } from "./errors.mjs";
import { contentType } from "./media.mjs";
import { applied } from "./prefer.mjs";
import { contentRange, outOfBounds, rangeAnswer } from "./ranges.mjs";

/** `[{"X-Name": "value"}, ...]` that the database set as response.headers. */
function ownHeaders(text) {
  if (text === null) return [];
  let list;
  try {
    list = JSON.parse(text);
  } catch {
    throw gucHeaders();
  }
  if (!Array.isArray(list)) throw gucHeaders();
  return list.map((entry) => {
    const pairs =
      entry !== null && typeof entry === "object" && !Array.isArray(entry) ? Object.entries(entry) : [];
    if (pairs.length !== 1 || typeof pairs[0][1] !== "string") throw gucHeaders();
    return pairs[0];
  });
}

function ownStatus(text) {
  if (text === null) return null;
  const digits = /^\d+/.exec(text);
  if (!digits) throw gucStatus();
  return Number(digits[0]);
}

const BODILESS = new Set([101, 204, 205, 304]);

function response({ status, headers, body, row, request, schemas }) {
  const said = ownStatus(row.response_status) ?? status;
  const own = ownHeaders(row.response_headers);
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) if (value !== null) all.set(name, value);
  if (schemas.length > 1 && headers["content-type"]) all.set("content-profile", request.schema);
  const replaced = new Set();
  for (const [name, value] of own) {
    const key = name.toLowerCase();
    if (replaced.has(key)) all.append(name, value);
    else all.set(name, value);
    replaced.add(key);
  }
  const empty = request.method === "HEAD" || BODILESS.has(said);
  return new Response(empty ? null : body, { status: said, headers: all });
}

function locationOf({ name }, text) {
  if (text === null) return null;
  const encoded = (part) =>
    encodeURIComponent(part).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const query = JSON.parse(text).map(([key, value]) => `${encoded(key)}=${encoded(value)}`);
  return `/${name}?${query.join("&")}`;
}

function rows(context, preferenceNames, isVoid = false) {
  const { request, preferences, statement, row } = context;
  const { status, range } = rangeAnswer(request.top, row.rows, row.total);
  const headers = {
    "content-range": range,
    "content-type": isVoid ? null : contentType(statement.media.type),
    "preference-applied": applied(preferences, preferenceNames),
  };
  if (isVoid) return response({ ...context, status: 204, headers, body: null });
  if (status !== 416) return response({ ...context, status, headers, body: row.body });
  // The range is known to hold nothing only after the rows were read.
  const { body } = errorResponse(outOfBounds(request.top, row.total));
  return response({ ...context, status, headers, body });
}

const counted = ({ count }, number) => (count === "exact" || count === "estimated" ? BigInt(number) : null);

function written(context) {
  const { request, preferences, statement, row } = context;
  const represents = preferences.return === "representation";
  const media = represents ? contentType(statement.media.type) : null;
  const total = counted(preferences, row.rows);
  const range = {
    POST: contentRange(1n, 0n, total),
    PATCH: contentRange(0n, BigInt(row.rows) - 1n, total),
    PUT: null,
    DELETE: contentRange(1n, 0n, total),
  }[statement.kind];
  const names = {
    POST: [
      "return",
      "count",
      "missing",
      "handling",
      "timezone",
      ...(statement.hasTarget ? ["resolution"] : []),
    ],
    PATCH: ["return", "count", "missing", "handling", "timezone", "maxAffected"],
    PUT: ["return", "count", "handling", "timezone"],
    DELETE: ["return", "count", "handling", "timezone", "maxAffected"],
  }[statement.kind];
  const headers = {
    "content-range": range,
    "content-type": media,
    location: locationOf(request, row.location),
    "preference-applied": applied(preferences, names),
  };
  return response({
    ...context,
    status: writtenStatus(context, represents),
    headers,
    body: represents ? row.body : null,
  });
}

function writtenStatus({ statement, row }, represents) {
  if (statement.kind === "POST") {
    // Every row that was tried turned into an update; nothing was tried for an empty list.
    const updated = statement.upserts && (row.inserted === null || row.inserted <= 0);
    return updated ? 200 : 201;
  }
  if (!represents) return 204;
  return statement.kind === "PUT" && row.inserted > 0 ? 201 : 200;
}

/**
 * The answer to a statement that went well.
 *
 * @param {{request: object, preferences: object, statement: object, row: object, schemas: string[]}} context
 */
export function answer(context) {
  const { kind, entry } = context.statement;
  if (kind === "read") return rows(context, ["count", "handling", "timezone"]);
  if (kind === "call") return rows(context, ["count", "handling", "timezone", "maxAffected"], entry.isVoid);
  return written(context);
}

/** What OPTIONS tells. */
export function allowed(methods) {
  return new Response(null, { status: 200, headers: { allow: methods.join(",") } });
}
