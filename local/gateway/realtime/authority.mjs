import { errors, jwtVerify } from "jose";
import { sql } from "kysely";

/** An answer of Realtime's to a join, or the reason for which it ends a channel. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  get reason() {
    return `${this.code}: ${this.message}`;
  }
}

const undo = Symbol("undo");

/**
 * Who a token is of, and what he may do on a topic: both as hosted Realtime finds out.
 *
 * May he listen? A probe is written to realtime.messages and looked at with his role and claims and with realtime.topic()
 * set: the policies for select decide. May he send? The probe is written as him: the policies for insert decide. The transaction
 * is rolled back.
 *
 * @param {{connection: object, settings: object}} parts
 */
export function createAuthority({ connection, settings }) {
  const secret = new TextEncoder().encode(settings.jwtSecret);

  /** Runs `work` in a transaction that leaves nothing behind, and resolves to what it returned. */
  async function probe(work) {
    let answer;
    try {
      await connection.runInTransaction(async (transaction) => {
        answer = await work(transaction);
        throw undo;
      });
    } catch (error) {
      if (error !== undo) throw error;
    }
    return answer;
  }

  async function become(transaction, claims, topic) {
    const role = claims.role || "anon";
    await sql`select set_config('session_authorization', 'authenticator', true), set_config('role', ${role}, true),
      set_config('realtime.topic', ${topic}, true), set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
      set_config('request.headers', '{}', true)`.execute(transaction);
  }

  /**
   * @param {string} token a JWT of Auth's, or one of the project's keys.
   * @returns {Promise<object>} its claims.
   * @throws {Refusal}
   */
  async function identify(token) {
    if (token === settings.anonKey) return { role: "anon" };
    if (token === settings.serviceKey) return { role: "service_role" };
    let claims;
    try {
      ({ payload: claims } = await jwtVerify(token, secret, { algorithms: ["HS256"] }));
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expired(error.payload.exp);
      if (error instanceof errors.JWSSignatureVerificationFailed)
        throw new Refusal("JwtSignatureError", "Failed to validate JWT signature");
      throw new Refusal("MalformedJWT", "The token provided is not a valid JWT");
    }
    if (typeof claims.role !== "string" || !Number.isInteger(claims.exp))
      throw new Refusal("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
    return claims;
  }

  /** @returns {Promise<boolean>} may the caller hear broadcasts on the topic? */
  async function mayListen(claims, topic) {
    return probe(async (transaction) => {
      const written =
        await sql`insert into realtime.messages (topic, extension) values (${topic}, 'broadcast')
        returning id, inserted_at::text`.execute(transaction);
      const [{ id, inserted_at: at }] = written.rows;
      await become(transaction, claims, topic);
      const seen = await sql`select 1 from realtime.messages
        where id = ${id} and inserted_at = ${at}::text::timestamp`.execute(transaction);
      return seen.rows.length > 0;
    }).catch(refusedByDatabase);
  }

  /** @returns {Promise<boolean>} may the caller send broadcasts on the topic? */
  async function maySend(claims, topic) {
    return probe(async (transaction) => {
      await become(transaction, claims, topic);
      await sql`insert into realtime.messages (topic, extension) values (${topic}, 'broadcast')`.execute(
        transaction,
      );
      return true;
    }).catch(refusedByDatabase);
  }

  return { identify, mayListen, maySend };
}

/** A policy that fails, a role that does not exist, a text that Postgres cannot hold: all mean no. A lost database does not. */
function refusedByDatabase(error) {
  if (/^(22|42|28|P0|PGRST)/.test(error.code ?? "")) return false;
  throw error;
}

export function expired(exp) {
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - exp));
  return new Refusal("InvalidJWTToken", `Token has expired ${seconds} seconds ago`);
}
