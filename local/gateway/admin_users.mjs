import { randomBytes, randomUUID } from "node:crypto";
import { jwtVerify } from "jose";
import { AuthError, inRequestedFormat, unexpectedFailure, validationFailed } from "./auth_error.mjs";
import { log } from "./log.mjs";
import { checkPassword, hashPassword } from "./passwords.mjs";
import { findUser, findUserByEmail, userJson } from "./users.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NIL_UUID = "00000000-0000-0000-0000-000000000000";
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const ADMIN_ROLES = new Set(["service_role", "supabase_admin"]);
const PER_PAGE = 50;

/** Seconds of each unit of Go's `time.ParseDuration`, in which Auth expects `ban_duration`. */
const UNITS = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** @returns {number | null} seconds; null when the text is no Go duration. */
export function parseDuration(text) {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (text === "0") return 0;
  if (!match) return null;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(amount) * UNITS[unit];
  return match[1] === "-" ? -seconds : seconds;
}

/**
 * Serves /auth/v1/admin/users: create, list, read, update, delete, for the service key only.
 *
 * Paths, bodies and error codes are those of Supabase Auth, with one difference: a password that breaks the
 * rules is refused at creation too, where Supabase Auth trusts the administrator.
 *
 * @param {{database: import("postgres").Sql, settings: object}} parts
 * @returns {(request: Request) => Promise<Response>}
 */
export function createAdminUsers({ database, settings }) {
  const actions = {
    "GET list": listUsers,
    "POST list": createUser,
    "GET one": async (_request, user) => Response.json(userJson(user)),
    "PUT one": updateUser,
    "DELETE one": deleteUser,
  };

  async function listUsers(request) {
    const url = new URL(request.url);
    const page = positive(url.searchParams.get("page"), 1);
    const perPage = positive(url.searchParams.get("per_page"), PER_PAGE);
    const [{ total }] =
      await database`select count(*)::int as total from auth.users where aud = 'authenticated'`;
    const rows = await database`
      select id from auth.users where aud = 'authenticated'
      order by created_at desc, id limit ${perPage} offset ${(page - 1) * perPage}`;
    const users = await Promise.all(rows.map(({ id }) => findUser(database, id)));
    const headers = {
      link: pageLinks(url, page, Math.ceil(total / perPage)),
      "x-total-count": String(total),
    };
    return Response.json({ users: users.filter(Boolean).map(userJson), aud: "authenticated" }, { headers });
  }

  async function createUser(request) {
    const body = await bodyOf(request);
    if (!body.email && !body.phone)
      throw validationFailed("Cannot create a user without either an email or phone");
    const email = body.email ? validEmail(body.email) : null;
    if (email && (await findUserByEmail(database, email))) {
      throw new AuthError(422, "email_exists", "A user with this email address has already been registered");
    }
    if (body.phone) {
      const [holder] = await database`select 1 from auth.users where phone = ${body.phone}`;
      if (holder) throw new AuthError(422, "phone_exists", "Phone number already registered by another user");
    }
    if (body.password && body.password_hash)
      throw validationFailed("Only a password or a password hash should be provided");
    if (body.id !== undefined && body.id !== "" && !UUID.test(body.id))
      throw validationFailed("ID must conform to the uuid v4 format");
    if (body.id === NIL_UUID) throw validationFailed("ID cannot be a nil uuid");
    if (body.password) checkPassword(body.password, settings.password);
    const ban = banSeconds(body.ban_duration);
    const encrypted =
      body.password_hash || (await hashPassword(body.password || randomBytes(32).toString("base64url")));
    const id = body.id || randomUUID();
    const providers = [...(email ? ["email"] : []), ...(body.phone ? ["phone"] : [])];
    await attempt("Database error creating new user", () =>
      database.begin(async (transaction) => {
        await transaction`insert into auth.users
        (id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data)
        values (${id}, ${body.aud || "authenticated"}, ${body.role || "authenticated"}, ${email}, ${body.phone || null}, ${encrypted},
          ${merged({ provider: providers[0], providers }, body.app_metadata)}, ${merged({}, body.user_metadata)})`;
        if (email) await addIdentity(transaction, id, "email", { email });
        if (body.phone) await addIdentity(transaction, id, "phone", { phone: body.phone });
        if (body.email_confirm) await confirm(transaction, id, "email");
        if (body.phone_confirm) await confirm(transaction, id, "phone");
        if (ban !== null) await setBan(transaction, id, ban);
      }),
    );
    return Response.json(userJson(await findUser(database, id)));
  }

  async function updateUser(request, user) {
    const body = await bodyOf(request);
    const email = body.email ? validEmail(body.email) : null;
    const ban = banSeconds(body.ban_duration);
    if (typeof body.password === "string") checkPassword(body.password, settings.password);
    const encrypted = typeof body.password === "string" ? await hashPassword(body.password) : null;
    await attempt("Error updating user", () =>
      database.begin(async (transaction) => {
        if (body.role) await transaction`update auth.users set role = ${body.role} where id = ${user.id}`;
        if (body.email_confirm) await confirm(transaction, user.id, "email");
        if (body.phone_confirm) await confirm(transaction, user.id, "phone");
        if (encrypted) {
          await transaction`update auth.users set encrypted_password = ${encrypted}, recovery_token = null, recovery_sent_at = null
          where id = ${user.id}`;
          await transaction`delete from auth.sessions where user_id = ${user.id}`;
        }
        if (email) await changeContact(transaction, user, "email", email, body.email_confirm === true);
        if (body.phone)
          await changeContact(transaction, user, "phone", body.phone, body.phone_confirm === true);
        if (body.app_metadata) {
          await transaction`update auth.users set raw_app_meta_data = ${merged(user.raw_app_meta_data, body.app_metadata)} where id = ${user.id}`;
        }
        if (body.user_metadata) {
          const [{ current }] =
            await transaction`select raw_user_meta_data as current from auth.users where id = ${user.id}`;
          await transaction`update auth.users set raw_user_meta_data = ${merged(current, body.user_metadata)} where id = ${user.id}`;
        }
        if (ban !== null) await setBan(transaction, user.id, ban);
        await transaction`update auth.users set updated_at = now() where id = ${user.id}`;
      }),
    );
    return Response.json(userJson(await findUser(database, user.id)));
  }

  async function deleteUser(request, user) {
    const body = await bodyOf(request, true);
    await attempt("Database error deleting user", () =>
      database.begin(async (transaction) => {
        await transaction`delete from auth.refresh_tokens where user_id = ${user.id}`;
        if (body.should_soft_delete !== true) {
          await transaction`delete from auth.users where id = ${user.id}`;
          return;
        }
        if (user.deleted_at) return;
        await transaction`delete from auth.sessions where user_id = ${user.id}`;
        await transaction`update auth.users set deleted_at = now(), encrypted_password = '', raw_app_meta_data = '{}', raw_user_meta_data = '{}',
        email = encode(sha256(convert_to(id::text || coalesce(email, ''), 'utf8')), 'base64'),
        phone = case when phone is null then null else left(encode(sha256(convert_to(id::text || phone, 'utf8')), 'hex'), 15) end
        where id = ${user.id}`;
        await transaction`update auth.identities set identity_data = '{}',
        provider_id = encode(sha256(convert_to(user_id::text || provider_id, 'utf8')), 'base64') where user_id = ${user.id}`;
      }),
    );
    return Response.json({});
  }

  async function route(request) {
    await requireAdmin(request, settings);
    const rest = new URL(request.url).pathname.slice("/auth/v1/admin/users".length).replace(/^\//, "");
    const action = actions[`${request.method} ${rest === "" ? "list" : "one"}`];
    if (!action)
      return new Response(null, {
        status: 405,
        headers: { allow: rest === "" ? "GET, POST" : "GET, PUT, DELETE" },
      });
    if (rest === "") return action(request);
    if (!UUID.test(rest)) throw new AuthError(404, "validation_failed", "user_id must be an UUID");
    const user = await findUser(database, rest);
    if (!user) throw new AuthError(404, "user_not_found", "User not found");
    return action(request, user);
  }

  return async (request) => {
    try {
      return await inRequestedFormat(request, await route(request));
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      return inRequestedFormat(request, error.toResponse());
    }
  };
}

/**
 * The service key may arrive as `apikey` or as bearer; a bearer that is a user's token decides over the key, as it
 * does in hosted Supabase, where the key only stands in for a missing token.
 */
async function requireAdmin(request, settings) {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
  const key = request.headers.get("apikey");
  let role = null;
  if (bearer && !bearer.startsWith("sb_")) {
    try {
      const { payload } = await jwtVerify(bearer, new TextEncoder().encode(settings.jwtSecret), {
        algorithms: ["HS256"],
      });
      role = payload.role;
    } catch (error) {
      throw new AuthError(
        403,
        "bad_jwt",
        `invalid JWT: unable to parse or verify signature, ${error.message}`,
      );
    }
  } else if (request.headers.has("authorization") && !bearer) {
    throw new AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token");
  } else {
    role = key === settings.serviceKey ? "service_role" : "anon";
  }
  if (!ADMIN_ROLES.has(role)) throw new AuthError(403, "not_admin", "User not allowed");
}

async function bodyOf(request, mayBeEmpty = false) {
  const text = await request.text();
  if (text === "" && mayBeEmpty) return {};
  let body;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new AuthError(400, "bad_json", `Could not parse request body as JSON: ${error.message}`);
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new AuthError(400, "bad_json", "Could not parse request body as JSON: not an object");
  }
  return body;
}

function validEmail(email) {
  if (typeof email !== "string" || !EMAIL.test(email))
    throw validationFailed("Unable to validate email address: invalid format");
  return email.toLowerCase();
}

function banSeconds(duration) {
  if (duration === undefined || duration === null || duration === "") return null;
  const seconds = duration === "none" ? 0 : parseDuration(String(duration));
  if (seconds === null)
    throw validationFailed(`invalid format for ban duration: time: invalid duration "${duration}"`);
  return seconds;
}

function positive(text, fallback) {
  if (text === null || text === "") return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1)
    throw validationFailed(`Bad Pagination Parameters: strconv.ParseUint: parsing "${text}": invalid syntax`);
  return value;
}

function pageLinks(url, page, lastPage) {
  const link = (number, relation) => {
    const query = new URLSearchParams(url.searchParams);
    query.set("page", String(number));
    return `<${url.pathname.slice("/auth/v1".length)}?${query}>; rel="${relation}"`;
  };
  return [...(lastPage > page ? [link(page + 1, "next")] : []), link(lastPage, "last")].join(", ");
}

/** Metadata is merged member by member; null removes a member. */
function merged(current, changes) {
  const result = { ...current };
  for (const [name, value] of Object.entries(changes ?? {})) {
    if (value === null) delete result[name];
    else result[name] = value;
  }
  return result;
}

async function attempt(message, work) {
  try {
    await work();
  } catch (error) {
    log("error", "admin_users", { code: error.code, message: error.message });
    throw unexpectedFailure(message);
  }
}

async function addIdentity(transaction, userId, provider, data) {
  const identity = { sub: userId, ...data, email_verified: false, phone_verified: false };
  await transaction`insert into auth.identities (id, provider, provider_id, user_id, identity_data)
    values (${randomUUID()}, ${provider}, ${userId}, ${userId}, ${identity})`;
}

async function confirm(transaction, userId, contact) {
  const verified = { [`${contact}_verified`]: true };
  await transaction`update auth.users set raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || ${verified}
    where id = ${userId}`;
  await transaction`update auth.identities set identity_data = identity_data || ${verified}, updated_at = now()
    where user_id = ${userId} and provider = ${contact}`;
  if (contact === "email") {
    await transaction`update auth.users set email_confirmed_at = coalesce(email_confirmed_at, now()), confirmation_token = null where id = ${userId}`;
  } else {
    await transaction`update auth.users set phone_confirmed_at = coalesce(phone_confirmed_at, now()) where id = ${userId}`;
  }
}

async function changeContact(transaction, user, contact, value, verified) {
  const data = { [contact]: value, [`${contact}_verified`]: verified };
  const updated =
    await transaction`update auth.identities set identity_data = identity_data || ${data}, updated_at = now()
    where user_id = ${user.id} and provider = ${contact} returning 1`;
  if (updated.length === 0) await addIdentity(transaction, user.id, contact, data);
  await transaction`update auth.users set ${transaction({ [contact]: value })} where id = ${user.id}`;
}

async function setBan(transaction, userId, seconds) {
  const until = seconds === 0 ? null : new Date(Date.now() + seconds * 1000).toISOString();
  await transaction`update auth.users set banned_until = ${until} where id = ${userId}`;
}
