import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { scope } from "./connection.mjs";
import { asStorageError, noSuchKey } from "./storage_error.mjs";
import { tagged } from "./tokens.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MOST_LISTED = 1500;
const SORTABLE = new Set(["name", "updated_at", "created_at", "last_accessed_at"]);

class Undo extends Error {}

/** What is known of an object before it is written; JSON goes as text, which Postgres casts. */
const json = (value) => (value === null || value === undefined ? null : JSON.stringify(value));

/**
 * The acts of Storage on `storage.objects` and `storage.buckets`, each in one transaction in the caller's role with the
 * caller's claims: row-level security decides, here as on the hosted platform.
 *
 * @param {import("./connection.mjs").GatewayConnection} connection
 */
export function createObjects(connection) {
  /**
   * Runs `work(database)` as the caller.
   *
   * @param {{claims: object, request: Request, operation: string}} act
   */
  async function asCaller(act, work) {
    const { method, headers, url } = act.request;
    const request = { method, path: new URL(url).pathname, headers: Object.fromEntries(headers) };
    try {
      return await scope.run({ request }, () =>
        connection.withContext({ auth: { jwt: act.claims } }, async (transaction) => {
          await sql`select set_config('storage.operation', ${act.operation}, true)`.execute(transaction);
          return work(tagged(transaction));
        }),
      );
    } catch (error) {
      throw asStorageError(error);
    }
  }

  /** Whoever writes a key waits for whoever writes it already, so that each knows which file it replaces. */
  const lockKey = (database, bucket, name) =>
    database`select pg_advisory_xact_lock(hashtextextended(${`${bucket}/${name}`}, 0))`;

  async function insert(database, row, upsert) {
    const owner = UUID.test(row.owner ?? "") ? row.owner : null;
    const id = randomUUID();
    // Without upsert nothing is read back: the policy for insert alone decides.
    if (!upsert) {
      await database`
        insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)
        values (${id}, ${row.bucket}, ${row.name}, ${owner}::uuid, ${row.owner ?? null}, ${row.version},
          ${json(row.metadata)}::text::jsonb, ${json(row.userMetadata)}::text::jsonb)`;
      return { id, replaced: null };
    }
    await lockKey(database, row.bucket, row.name);
    const [before] = await database`
      select version from storage.objects where bucket_id = ${row.bucket} and name = ${row.name}`;
    const [after] = await database`
      insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)
      values (${id}, ${row.bucket}, ${row.name}, ${owner}::uuid, ${row.owner ?? null}, ${row.version},
        ${json(row.metadata)}::text::jsonb, ${json(row.userMetadata)}::text::jsonb)
      on conflict (bucket_id, name) do update set owner = excluded.owner, owner_id = excluded.owner_id,
        version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata
      returning id`;
    return { id: after.id, replaced: before?.version ?? null };
  }

  return {
    /** Looks a bucket up past its policies, as Storage does: limits hold for everybody. */
    async bucket(id) {
      const [bucket] = await connection.driver`
        select id, public, file_size_limit, allowed_mime_types from storage.buckets where id = ${id}`;
      return bucket ?? null;
    },

    /** Finds an object of a public bucket, or for a signed address, past the policies. */
    async findTrusted(bucket, name) {
      const [found] = await connection.driver`
        select * from storage.objects where bucket_id = ${bucket} and name = ${name}`;
      return found ?? null;
    },

    /** The versions of all objects: what the folder of files should hold. */
    async versions() {
      const rows = await connection.driver`select version from storage.objects where version is not null`;
      return new Set(rows.map((row) => row.version));
    },

    buckets: (act, id) =>
      asCaller(
        act,
        (database) => database`select * from storage.buckets where ${id}::text is null or id = ${id} order by name`,
      ),

    find: (act, bucket, name) =>
      asCaller(act, async (database) => {
        const [found] = await database`
          select * from storage.objects where bucket_id = ${bucket} and name = ${name}`;
        return found ?? null;
      }),

    findNames: (act, bucket, names) =>
      asCaller(act, async (database) => {
        const rows = await database`
          select name from storage.objects where bucket_id = ${bucket}
            and name in (select jsonb_array_elements_text(${json(names)}::text::jsonb))`;
        return new Set(rows.map((row) => row.name));
      }),

    /** Asks whether the caller may write here, and writes nothing. */
    async probe(act, row, upsert) {
      try {
        await asCaller(act, async (database) => {
          await insert(database, row, upsert);
          throw new Undo();
        });
      } catch (error) {
        if (!(error instanceof Undo)) throw error;
      }
    },

    /** @returns {Promise<{id: string, replaced: string | null}>} replaced: the version whose file is of no use now. */
    write: (act, row, upsert) => asCaller(act, (database) => insert(database, row, upsert)),

    move: (act, from, to) =>
      asCaller(act, async (database) => {
        const moved = await database`
          update storage.objects set bucket_id = ${to.bucket}, name = ${to.name}
          where bucket_id = ${from.bucket} and name = ${from.name} returning id`;
        if (moved.length === 0) throw noSuchKey();
        return moved[0].id;
      }),

    remove: (act, bucket, names) =>
      asCaller(act, async (database) => {
        await database`select set_config('storage.allow_delete_query', 'true', true)`;
        return database`
          delete from storage.objects where bucket_id = ${bucket}
            and name in (select jsonb_array_elements_text(${json(names)}::text::jsonb)) returning *`;
      }),

    /**
     * One level of a folder: files, and folders as entries without id.
     *
     * @param {{prefix: string, search: string, limit: number, offset: number, column: string, order: string, deep: boolean}} options
     *   prefix ends with a slash or is empty; deep lists every file below instead of one level.
     */
    list(act, bucket, options) {
      const column = SORTABLE.has(options.column) ? options.column : "name";
      const order = sql.raw(
        `${column === "name" ? 'name collate "C"' : column} ${options.order === "desc" ? "desc" : "asc"} nulls first, name collate "C"`,
      );
      return asCaller(
        act,
        (database) => database`
          with found as (
            select o.*, substr(o.name, length(${options.prefix}::text) + 1) as rest from storage.objects o
            where o.bucket_id = ${bucket} and starts_with(lower(o.name), lower(${options.prefix + options.search}::text))
          ), entries as (
            select split_part(rest, '/', 1) as name, null::uuid as id, null::timestamptz as updated_at,
              null::timestamptz as created_at, null::timestamptz as last_accessed_at, null::jsonb as metadata
            from found where not ${options.deep}::boolean and strpos(rest, '/') > 0 group by 1
            union all
            select rest, id, updated_at, created_at, last_accessed_at, metadata
            from found where (${options.deep}::boolean or strpos(rest, '/') = 0) and rest <> ''
          )
          select * from entries order by ${order}
          limit ${Math.min(options.limit, MOST_LISTED)} offset ${options.offset}`,
      );
    },
  };
}
