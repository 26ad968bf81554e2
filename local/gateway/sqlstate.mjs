/**
 * The HTTP status PostgREST gives for a Postgres error, by SQLSTATE.
 *
 * The embedded library knows only some of these and answers 500 "SUP" for the rest, a raised exception (P0001)
 * and a check violation (23514) among them.
 */
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

/** Codes whose status depends on the caller, or whose message the library completes: it answers them itself. */
const LEFT_TO_LIBRARY = /^(PT...|PGRST|42501|42703|42883)$/;

export function httpStatus(code, message) {
  if (code === "21000") return message.endsWith("requires a WHERE clause") ? 400 : 500;
  if (code === "22023") return /^role .* does not exist$/.test(message) ? 401 : 400;
  return EXACT[code] ?? BY_CLASS[code.slice(0, 2)] ?? 400;
}

/**
 * Restates a database error so that the library answers it as PostgREST does.
 *
 * The library passes an error with code "PGRST" through: message is the body, detail the status, both as JSON.
 */
export function asPostgrestError(error) {
  const code = error?.code;
  if (typeof code !== "string") return error;
  if (/^[0-9A-Z]{5}$/.test(code) && error.severity !== undefined) {
    if (LEFT_TO_LIBRARY.test(code)) return error;
    const body = { code, message: error.message, details: error.detail ?? null, hint: error.hint ?? null };
    return restated(error, body, httpStatus(code, error.message));
  }
  if (/^(E[A-Z]+|CONNECT(ION)?_[A-Z_]+)$/.test(code)) {
    const body = {
      code: "PGRST001",
      message: "Database client error. Retrying the connection.",
      details: null,
      hint: null,
    };
    return restated(error, body, 503);
  }
  return error;
}

function restated(cause, body, status) {
  const error = new Error(JSON.stringify(body), { cause });
  return Object.assign(error, { code: "PGRST", detail: JSON.stringify({ status, headers: {} }), hint: null });
}
