/** An error as Supabase Auth answers it: `status`, a stable `code`, a message. */
export class AuthError extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.extra = extra;
  }

  toResponse() {
    const body = { code: this.status, error_code: this.code, msg: this.message, ...this.extra };
    return Response.json(body, { status: this.status, headers: { "x-sb-error-code": this.code } });
  }
}

export const validationFailed = (message, status = 400) =>
  new AuthError(status, "validation_failed", message);
export const unexpectedFailure = (message) => new AuthError(500, "unexpected_failure", message);

const NEW_FORMAT = "2024-01-01";

/**
 * Clients that send `X-Supabase-Api-Version: 2024-01-01` or later get `{"code": "email_exists", "message": ...}`
 * for an error instead of the older `{"code": 422, "error_code": "email_exists", "msg": ...}`.
 */
export async function inRequestedFormat(request, response) {
  const version = request.headers.get("x-supabase-api-version");
  if (!version || version < NEW_FORMAT || response.status < 400) return response;
  const body = await response
    .clone()
    .json()
    .catch(() => null);
  if (typeof body?.error_code !== "string") return response;
  const { error_code: code, msg: message, code: _status, ...extra } = body;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.set("x-supabase-api-version", NEW_FORMAT);
  return Response.json({ code, message, ...extra }, { status: response.status, headers });
}
