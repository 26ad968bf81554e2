/** An answer of PostgREST that is an error: everything but what the database itself refuses. */
export class RestError extends Error {
  constructor(status, code, message, { details = null, hint = null, headers = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, details, hint, headers });
  }
}

/** What PostgREST itself has no answer to: bytes that are no UTF-8, a range that cannot be. It says 500 and no more. */
export class GivesUp extends Error {}

export const queryError = (message, details) => new RestError(400, "PGRST100", message, { details });
export const rpcMethod = (method) => new RestError(405, "PGRST101", `Cannot use the ${method} method on RPC`);
export const invalidBody = (message) => new RestError(400, "PGRST102", message);
export const invalidRange = (details) =>
  new RestError(416, "PGRST103", "Requested range not satisfiable", { details });
export const invalidFilters = () =>
  new RestError(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators");
export const invalidSchema = (schema, schemas) =>
  new RestError(406, "PGRST106", `Invalid schema: ${schema}`, {
    hint: `Only the following schemas are exposed: ${schemas.join(", ")}`,
  });
export const mediaTypes = (types) =>
  new RestError(406, "PGRST107", `None of these media types are available: ${types.join(", ")}`);
export const notEmbedded = (name) =>
  new RestError(400, "PGRST108", `'${name}' is not an embedded resource in this request`, {
    hint: `Verify that '${name}' is included in the 'select' query parameter.`,
  });
export const gucHeaders = () =>
  new RestError(
    500,
    "PGRST111",
    "response.headers guc must be a JSON array composed of objects with a single key and a string value",
  );
export const gucStatus = () =>
  new RestError(500, "PGRST112", "response.status guc must be a valid status code");
export const putLimit = () =>
  new RestError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT");
export const putKey = () =>
  new RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)");
export const notSingular = (rows) =>
  new RestError(406, "PGRST116", "Cannot coerce the result to a single JSON object", {
    details: `The result contains ${rows} rows`,
  });
export const unsupportedMethod = (method) =>
  new RestError(405, "PGRST117", `Unsupported HTTP method: ${method}`);
export const relatedOrder = (origin, target) =>
  new RestError(400, "PGRST118", `A related order on '${target}' is not possible`, {
    details: `'${origin}' and '${target}' do not form a many-to-one or one-to-one relationship`,
  });
export const invalidPreferences = (preferences) =>
  new RestError(400, "PGRST122", "Invalid preferences given with handling=strict", {
    details: `Invalid preferences: ${preferences.join(", ")}`,
  });
export const aggregatesOff = () =>
  new RestError(400, "PGRST123", "Use of aggregate functions is not allowed");
export const maxAffected = (rows) =>
  new RestError(400, "PGRST124", "Query result exceeds max-affected preference constraint", {
    details: `The query affects ${rows} rows`,
  });
export const invalidPath = () => new RestError(404, "PGRST125", "Invalid path specified in request URL");
export const spreadAggregates = () =>
  new RestError(400, "PGRST127", "Feature not implemented", {
    details: "Aggregates are not implemented for one-to-many or many-to-many spreads.",
  });
export const maxAffectedRpc = () =>
  new RestError(
    400,
    "PGRST128",
    "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
  );
export const unknownColumn = (table, column) =>
  new RestError(400, "PGRST204", `Could not find the '${column}' column of '${table}' in the schema cache`);
export const invalidToken = (code, message, details = null) =>
  new RestError(401, code, message, {
    details,
    headers: {
      "www-authenticate": `Bearer error="invalid_token", error_description=${JSON.stringify(message)}`,
    },
  });

const EXACT = {
  23503: 409,
  23505: 409,
  25006: 405,
  53400: 500,
  "57P01": 503,
  P0001: 400,
  "42P01": 404,
  "42P17": 500,
};
const BY_CLASS = {
  "08": 503,
  "09": 500,
  "0L": 403,
  "0P": 403,
  25: 500,
  28: 403,
  "2D": 500,
  38: 500,
  39: 500,
  "3B": 500,
  40: 500,
  53: 503,
  54: 500,
  55: 500,
  57: 500,
  58: 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
};

/** The HTTP status of an error that Postgres raised; a missing privilege is 401 for who is not signed in. */
export function httpStatus(code, message, signedIn) {
  if (/^PT\d+$/.test(code)) return Number(code.slice(2));
  if (code.startsWith("PT")) return 500;
  if (code === "42501") return signedIn ? 403 : 401;
  if (code === "42883") return message.startsWith("function xmlagg(") ? 406 : 404;
  if (code === "21000") return message.endsWith("requires a WHERE clause") ? 400 : 500;
  if (code === "22023") return /^role.*does not exist$/s.test(message) ? 401 : 400;
  return EXACT[code] ?? BY_CLASS[code.slice(0, 2)] ?? 400;
}

const parsedObject = (text) => {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
};
const isText = (value) => typeof value === "string";
const isTextOrNothing = (value) => value === undefined || value === null || isText(value);

function unreadable(details, hint) {
  const message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error";
  return new RestError(500, "PGRST121", message, { details, hint });
}

/** `raise sqlstate 'PGRST'`: the database says itself what is answered. */
function saidByDatabase({ message, detail }) {
  const body = parsedObject(message);
  if (
    !body ||
    !isText(body.code) ||
    !isText(body.message) ||
    ![body.details, body.hint].every(isTextOrNothing)
  )
    return unreadable(
      `Invalid JSON value for MESSAGE: '${message}'`,
      "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
    );
  const hint =
    "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
  if (detail === undefined || detail === null)
    return unreadable("DETAIL is missing in the RAISE statement", hint);
  const answer = parsedObject(detail);
  const headers = answer?.headers;
  const fine =
    Number.isInteger(answer?.status) &&
    isTextOrNothing(answer.status_text) &&
    headers !== null &&
    typeof headers === "object" &&
    !Array.isArray(headers) &&
    Object.values(headers).every(isText);
  if (!fine) return unreadable(`Invalid JSON value for DETAIL: '${detail}'`, hint);
  const { code, message: text, details = null, hint: advice = null } = body;
  const error = new RestError(answer.status, code, text, { details, hint: advice, headers });
  return Object.assign(error, { statusText: answer.status_text ?? undefined });
}

/**
 * What PostgREST answers when the driver failed.
 *
 * @param {Error} error of the driver
 * @param {boolean} signedIn whether the request's role is not the anonymous one
 */
export function fromDatabase(error, signedIn) {
  const { code, message } = error;
  if (typeof code !== "string") return null;
  if (error.severity === undefined || !/^[0-9A-Z]{5}$/.test(code))
    return /^(E[A-Z]+|CONNECT(ION)?_[A-Z_]+)$/.test(code)
      ? new RestError(503, "PGRST001", "Database client error. Retrying the connection.")
      : null;
  if (code === "PGRST") return saidByDatabase(error);
  const status = httpStatus(code, message, signedIn);
  const headers = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return new RestError(status, code, message, { details: error.detail, hint: error.hint, headers });
}

/** The answer for an error. */
export function errorResponse(error, method) {
  const { code, message, details = null, hint = null } = error;
  const body =
    method === "HEAD"
      ? null
      : JSON.stringify({ code, details: details ?? null, hint: hint ?? null, message });
  const headers = new Headers({
    "content-type": "application/json; charset=utf-8",
    "proxy-status": `PostgREST; error=${code}`,
  });
  for (const [name, value] of Object.entries(error.headers)) headers.set(name, value);
  return new Response(body, { status: error.status, statusText: error.statusText, headers });
}
