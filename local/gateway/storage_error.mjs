/**
 * An error as Supabase Storage answers it: HTTP 400 (or 500) whatever it is, the real status within the body.
 *
 * `code` is for programs; `error` is what older clients compare, where Storage kept an older word for it.
 */
export class StorageError extends Error {
  constructor(status, code, message, error = code) {
    super(message);
    this.status = status;
    this.code = code;
    this.error = error;
  }

  toResponse() {
    const body = {
      statusCode: String(this.status),
      error: this.error,
      message: this.message,
      code: this.code,
    };
    return Response.json(body, { status: this.status >= 500 ? 500 : 400 });
  }
}

export const noSuchBucket = () => new StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found");
export const noSuchKey = () => new StorageError(404, "NoSuchKey", "Object not found", "not_found");
export const invalidKey = (key) => new StorageError(400, "InvalidKey", `Invalid key: ${key}`);
export const invalidRequest = (message) => new StorageError(400, "InvalidRequest", message);
export const invalidSignature = (message = "Invalid signature") =>
  new StorageError(400, "InvalidSignature", message);
export const accessDenied = (message) => new StorageError(403, "AccessDenied", message, "Unauthorized");
export const tooLarge = () =>
  new StorageError(
    413,
    "EntityTooLarge",
    "The object exceeded the maximum allowed size",
    "Payload too large",
  );
export const invalidMimeType = (type) =>
  new StorageError(415, "InvalidMimeType", `mime type ${type} is not supported`, "invalid_mime_type");

/** Whether Postgres itself refused: nothing was written then, for certain. */
export const isRefusal = (error) => /^[0-9A-Z]{5}$/.test(error?.code ?? "") && error.severity !== undefined;

/** What Storage makes of an error of the database; anything unknown stays as it is. */
export function asStorageError(error) {
  if (!isRefusal(error)) return error;
  if (error.code === "42501") {
    const byPolicy = error.message.includes("row-level security");
    return accessDenied(byPolicy ? "new row violates row-level security policy" : error.message);
  }
  if (error.code === "23505")
    return new StorageError(409, "ResourceAlreadyExists", "The resource already exists", "Duplicate");
  if (error.code === "23503") return new StorageError(404, "InvalidRequest", "The related resource does not exist");
  if (error.code === "22P02") return new StorageError(400, "InvalidParameter", error.message);
  // A token may ask only for the roles that the login role was given.
  if (error.code === "22023") return accessDenied(error.message);
  return new StorageError(500, "DatabaseError", `database error, code: ${error.code}`);
}
