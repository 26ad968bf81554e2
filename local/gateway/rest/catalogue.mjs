import { relationshipsOf } from "./relationships.mjs";

const EXPOSED_KINDS = "('r', 'v', 'm', 'f', 'p')";

const TABLES = `
select n.nspname as schema, c.relname as name, c.oid::int8::text as oid, d.description as comment,
  c.relkind in ('v', 'm') as view,
  c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid, true) & 8 = 8 as insertable,
  c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid, true) & 4 = 4 as updatable,
  c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid, true) & 16 = 16 as deletable,
  coalesce((select json_agg(a.attname order by key.ord) from pg_constraint k
    cross join unnest(k.conkey) with ordinality as key (num, ord)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.num
    where k.conrelid = c.oid and k.contype = 'p'), '[]') as key,
  (select json_agg(json_build_object('name', a.attname, 'number', a.attnum,
      'type', format_type(a.atttypid, a.atttypmod),
      'plain', format_type(case when t.typtype = 'd' then t.typbasetype else a.atttypid end, null),
      'comment', col_description(c.oid, a.attnum),
      'required', a.attnotnull or t.typtype = 'd' and t.typnotnull,
      'length', information_schema._pg_char_max_length(
        information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)),
      'default', case
        when t.typbasetype <> 0 and ad.adbin is null then pg_get_expr(t.typdefaultbin, 0)
        when a.attidentity = 'd' then format('nextval(%L)', pg_get_serial_sequence(
          format('%I.%I', n.nspname, c.relname), a.attname))
        when a.attgenerated = 's' then null
        else pg_get_expr(ad.adbin, ad.adrelid) end,
      'enum', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e
        where e.enumtypid = case when t.typtype = 'd' then t.typbasetype else t.oid end)) order by a.attnum)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
where c.relkind in ${EXPOSED_KINDS} and not c.relispartition and n.nspname = any ($1::text[])
order by 1, 2`;

/** Foreign keys of every schema: a view may show a key of a table that is not exposed. */
const KEYS = `
select con.conname as name, con.conrelid::int8::text as "from", con.confrelid::int8::text as "to",
  n1.nspname as from_schema, t1.relname as from_name, n2.nspname as to_schema, t2.relname as to_name,
  (select json_agg(json_build_array(a.attname, b.attname) order by ord)
    from unnest(con.conkey, con.confkey) with ordinality as k (a_num, b_num, ord)
    join pg_attribute a on a.attrelid = con.conrelid and a.attnum = a_num
    join pg_attribute b on b.attrelid = con.confrelid and b.attnum = b_num) as columns,
  exists (select from pg_constraint u where u.conrelid = con.conrelid and u.contype in ('p', 'u')
    and u.conkey <@ con.conkey and u.conkey @> con.conkey) as one_to_one
from pg_constraint con
join pg_class t1 on t1.oid = con.conrelid
join pg_namespace n1 on n1.oid = t1.relnamespace
join pg_class t2 on t2.oid = con.confrelid
join pg_namespace n2 on n2.oid = t2.relnamespace
where con.contype = 'f' and con.conparentid = 0
order by con.conrelid, con.conname`;

/** A table's own primary key, for the views that show it. */
const PRIMARY_KEYS = `
select con.conrelid::int8::text as oid, json_agg(a.attname order by key.ord) as columns
from pg_constraint con
cross join unnest(con.conkey) with ordinality as key (num, ord)
join pg_attribute a on a.attrelid = con.conrelid and a.attnum = key.num
where con.contype = 'p' group by con.oid`;

const VIEWS = `
select c.oid::int8::text as oid, n.nspname as schema, c.relname as name, pg_get_viewdef(c.oid) as definition,
  (select json_object_agg(a.attnum, a.attname) from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and n.nspname = any ($1::text[])`;

const COLUMN_NAMES = `
select attrelid::int8::text as oid, json_object_agg(attnum, attname) as columns from pg_attribute
where attrelid = any ($1::text[]::oid[]) and attnum > 0 and not attisdropped group by attrelid`;

const FUNCTIONS = `
with recursive bases as (
  select oid, oid as base, typbasetype from pg_type
  union all
  select b.oid, t.oid, t.typbasetype from bases b join pg_type t on t.oid = b.typbasetype
), arguments as (
  select p.oid, json_agg(json_build_object('name', coalesce(name, ''), 'type', type::regtype::text,
      'cast', case type
        when 'bit'::regtype then 'bit varying' when 'bit[]'::regtype then 'bit varying[]'
        when 'character'::regtype then 'character varying' when 'character[]'::regtype then 'character varying[]'
        else type::regtype::text end,
      'required', idx <= p.pronargs - p.pronargdefaults,
      'variadic', coalesce(mode = 'v', false)) order by idx) as arguments,
    case count(*) - count(name)
      when 0 then true
      when 1 then (array_agg(type))[1] in ('bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text'::regtype,
        'xml'::regtype)
      else false end as callable
  from pg_proc p, unnest(p.proargnames, p.proargtypes::oid[], p.proargmodes) with ordinality as _ (name, type, mode, idx)
  where type is not null
  group by p.oid
)
select n.nspname as schema, p.proname as name, d.description as comment, p.oid::int8::text as oid,
  coalesce(a.arguments, '[]') as arguments, p.proretset as set, p.provolatile as volatility,
  p.provariadic > 0 as variadic,
  (select json_object_agg(substr(s, 1, strpos(s, '=') - 1), substr(s, strpos(s, '=') + 1)) from unnest(p.proconfig) s)
    as settings,
  tn.nspname as type_schema, coalesce(rel.relname, t.typname) as type_name,
  t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false) as composite,
  p.pronargs = 1 and arg.typrelid is not null and t.typrelid <> 0 as computed,
  coalesce(a.callable, true) as callable, argn.nspname as arg_schema, arg.typname as arg_name, not p.proretset or p.prorows = 1 as single
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
left join arguments a on a.oid = p.oid
join bases b on b.oid = p.prorettype and b.typbasetype = 0
join pg_type t on t.oid = b.base
join pg_namespace tn on tn.oid = t.typnamespace
left join pg_class rel on rel.oid = t.typrelid
left join pg_type arg on arg.oid = p.proargtypes[0] and arg.typrelid <> 0
left join pg_namespace argn on argn.oid = arg.typnamespace
left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
where p.prokind = 'f' and t.oid <> 'trigger'::regtype and n.nspname = any ($1::text[])
order by p.proname, p.pronargs, p.oid`;

/** Settings of the roles that the login role may take, and of the login role itself (`pgrst.*`). */
const ROLES = `
select r.rolname as role, split_part(s, '=', 1) as name, substr(s, strpos(s, '=') + 1) as value,
  r.rolname = $1 as login
from pg_roles r
join pg_db_role_setting drs on drs.setrole = r.oid and drs.setdatabase in (0, (
  select oid from pg_database where datname = current_database()))
cross join unnest(drs.setconfig) s
left join pg_settings ps on ps.name = split_part(s, '=', 1)
where r.rolname = $1 and split_part(s, '=', 1) like 'pgrst.%'
  or pg_has_role($1, r.oid, 'member') and r.rolname <> $1
    and (ps.context = 'user' or has_parameter_privilege($1, ps.name, 'set'))
order by drs.setdatabase`;

/** Changes whenever a migration changed anything that is read here; cheap, because it is asked for every unknown name. */
const FINGERPRINT = `
select concat_ws(' ',
  (select sum(xmin::text::int8) || '/' || count(*) from pg_class where relkind in ${EXPOSED_KINDS}),
  (select sum(xmin::text::int8) || '/' || count(*) from pg_attribute where attnum > 0),
  (select sum(xmin::text::int8) || '/' || count(*) from pg_proc),
  (select sum(xmin::text::int8) || '/' || count(*) from pg_constraint)) as fingerprint`;

/**
 * Which column of which table each column of a view shows: what Postgres says of the view's own query, followed through
 * views of views.
 */
async function viewOrigins(sql, schemas) {
  const views = await sql.unsafe(VIEWS, [schemas]);
  const direct = new Map();
  for (const view of views) {
    const described = await sql.describe(view.definition.replace(/;\s*$/, ""));
    const origins = described.map(({ table, number }) => (table ? { oid: String(table), number } : null));
    direct.set(view.oid, { ...view, origins });
  }
  const follow = (origin, seen = new Set()) => {
    if (!origin || seen.has(origin.oid)) return null;
    const view = direct.get(origin.oid);
    if (!view) return origin;
    const position = Object.keys(view.columns)
      .map(Number)
      .sort((a, b) => a - b)
      .indexOf(origin.number);
    return follow(view.origins[position], new Set([...seen, origin.oid]));
  };
  const rows = [...direct.values()].flatMap((view) =>
    Object.keys(view.columns)
      .map(Number)
      .sort((a, b) => a - b)
      .map((number, index) => ({ view, column: view.columns[number], origin: follow(view.origins[index]) }))
      .filter(({ origin }) => origin !== null),
  );
  const oids = [...new Set(rows.map(({ origin }) => origin.oid))];
  const names = new Map((await sql.unsafe(COLUMN_NAMES, [oids])).map(({ oid, columns }) => [oid, columns]));
  return rows
    .map(({ view, column, origin }) => ({
      view: { schema: view.schema, name: view.name },
      column,
      table: origin.oid,
      shows: names.get(origin.oid)?.[origin.number],
    }))
    .filter(({ shows }) => shows !== undefined);
}

/** Adds the primary key of a table to the views that show all of it. */
function nameViewKeys(tables, origins, keys) {
  for (const table of tables.values()) {
    if (!table.view) continue;
    const shown = origins.filter(({ view }) => view.schema === table.schema && view.name === table.name);
    for (const oid of new Set(shown.map((entry) => entry.table))) {
      const key = keys.get(oid);
      const columns = key?.map(
        (name) => shown.find((entry) => entry.table === oid && entry.shows === name)?.column,
      );
      if (columns?.every((name) => name !== undefined)) table.key = [...table.key, ...columns];
    }
  }
}

function functionMap(rows) {
  const functions = new Map();
  for (const row of rows.filter(({ callable }) => callable)) {
    const { statement_timeout: timeout, default_transaction_isolation: isolation } = row.settings ?? {};
    const entry = {
      schema: row.schema,
      name: row.name,
      comment: row.comment,
      arguments: row.arguments,
      set: row.set,
      volatility: row.volatility,
      variadic: row.variadic,
      // Only what must be said before the statement begins; Postgres itself sets the others.
      settings: timeout === undefined ? [] : [["statement_timeout", timeout]],
      isolation: isolation ?? null,
      composite: row.composite,
      type: { schema: row.type_schema, name: row.type_name },
      isVoid: row.type_schema === "pg_catalog" && row.type_name === "void" && !row.set,
    };
    const key = qualified(row.schema, row.name);
    functions.set(key, [...(functions.get(key) ?? []), entry]);
  }
  return functions;
}

export const qualified = (schema, name) => `${schema}\0${name}`;

function roleSettings(rows) {
  const roles = new Map();
  const config = {};
  for (const { role, name, value, login } of rows) {
    if (login) config[name.slice("pgrst.".length)] = value;
    else roles.set(role, { ...roles.get(role), [name]: value });
  }
  return { roles, config };
}

/** Runs `work` with a connection of the pool in a transaction that sees one state of the database. */
async function looking(pool, work) {
  const borrowed = await pool.reserve();
  try {
    await borrowed.unsafe("begin isolation level repeatable read read only", [], false);
    try {
      return await work(borrowed);
    } finally {
      await borrowed.unsafe("rollback", [], false);
    }
  } finally {
    borrowed.release();
  }
}

/**
 * Reads what REST needs to know of the database: exposed tables, how they relate, functions, settings of the roles.
 *
 * @param {object} pool see pool.mjs; its connections are the superuser's
 * @param {string[]} schemas the exposed ones
 * @param {string} login the role that PostgREST logs in as
 */
export function loadCatalogue(pool, schemas, login) {
  return looking(pool, async (sql) => {
    // Without a search path every name that Postgres prints is a full one.
    await sql.unsafe("select set_config('search_path', '', true)");
    const tables = new Map(
      (await sql.unsafe(TABLES, [schemas])).map((row) => [
        qualified(row.schema, row.name),
        {
          ...row,
          columns: row.columns ?? [],
          types: new Map((row.columns ?? []).map(({ name, type }) => [name, type])),
        },
      ]),
    );
    const origins = await viewOrigins(sql, schemas);
    const keys = new Map((await sql.unsafe(PRIMARY_KEYS)).map(({ oid, columns }) => [oid, columns]));
    nameViewKeys(tables, origins, keys);
    const defined = await sql.unsafe(FUNCTIONS, [schemas]);
    const functions = functionMap(defined);
    const relationships = relationshipsOf({ schemas, tables, defined, origins, keys: await sql.unsafe(KEYS) });
    const { roles, config } = roleSettings(await sql.unsafe(ROLES, [login]));
    const [{ fingerprint }] = await sql.unsafe(FINGERPRINT);
    return { schemas, tables, functions, relationships, roles, config, fingerprint };
  });
}

/** Whether the database is still as a catalogue says. */
export function isCurrent(pool, { fingerprint }) {
  return looking(pool, async (sql) => {
    const [now] = await sql.unsafe(FINGERPRINT);
    return now.fingerprint === fingerprint;
  });
}

/** The names that `Prefer: timezone=` may give. */
export function loadTimezones(pool) {
  return looking(
    pool,
    async (sql) => new Set((await sql.unsafe("select name from pg_timezone_names")).map(({ name }) => name)),
  );
}
