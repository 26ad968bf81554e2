"""plpgsql_check over the project's PL/pgSQL functions, on Postgres 15, which hosted projects still run."""

import os
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from local import advisors, node
from local.errors import LauncherError

# Answers in docs/advisors.md to this check's security hints begin so; they go by function, not by line.
_PREFIX = "plpgsql_check security "
SCHEMAS = ["public", "private", "audit"]

# Each function once; a trigger function once for every table that it is used on, because what it may refer to
# depends on the table. Transition tables are named as any of its triggers names them: one function may serve
# insert, update and delete, and a check cannot see which branch runs for which. Triggers that partitions
# inherit are left out.
_TARGETS = """
select p.oid::regprocedure::text as function, t.tgrelid::regclass::text as relation,
       p.oid as function_oid, coalesce(t.tgrelid, 0) as relation_oid,
       (select max(o.tgoldtable) from pg_trigger o where o.tgfoid = p.oid) as old_table,
       (select max(o.tgnewtable) from pg_trigger o where o.tgfoid = p.oid) as new_table,
       p.prorettype = 'trigger'::regtype as is_trigger
  from pg_proc p
  join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
  left join (select distinct tgfoid, tgrelid from pg_trigger where not tgisinternal and tgparentid = 0) t
    on t.tgfoid = p.oid
 where p.pronamespace::regnamespace::text = any (%s)
 order by 1, 2
"""

_CHECK = """
select level, lineno, statement, sqlstate, message, detail, hint
  from extensions.plpgsql_check_function_tb(
         funcoid => %s::oid::regprocedure, relid => %s::oid::regclass,
         fatal_errors => false, extra_warnings => false,
         security_warnings => true, compatibility_warnings => true, oldtable => %s, newtable => %s)
"""


def postgres15_binaries() -> Path:
    """The folder with the programs of Postgres 15.

    Raises:
        LauncherError: they, or the extension plpgsql_check, are not installed.
    """
    folder = Path(os.environ.get("POSTGRES15_BIN") or "/usr/lib/postgresql/15/bin")
    if not (folder / "initdb").exists() or not (folder.parent / "lib" / "plpgsql_check.so").exists():
        raise LauncherError(
            "Postgres 15 with plpgsql_check was not found. On Debian: apt-get install postgresql-15 "
            "postgresql-15-plpgsql-check; elsewhere name its folder in POSTGRES15_BIN."
        )
    return folder


def check(url: str) -> list[str]:
    """Check all functions of a migrated database.

    Parameters:
        url: the database's address as superuser, who alone may make the extension.

    Returns:
        One text for each error or warning (style and performance hints are not asked for). Security hints are
        guesses, and may be answered in docs/advisors.md.
    """
    problems: list[str] = []
    answers = {key for key in advisors.read_answers(advisors.ANSWERS) if key.startswith(_PREFIX)}
    used: set[str] = set()
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("create extension if not exists plpgsql_check with schema extensions")
        targets = connection.execute(_TARGETS, [SCHEMAS]).fetchall()
        for target in targets:
            where = target["function"] + (f" on {target['relation']}" if target["relation"] else "")
            if target["is_trigger"] and not target["relation"]:
                problems.append(f"{where}: a trigger function that no trigger uses cannot be checked")
                continue
            arguments = [target[name] for name in ("function_oid", "relation_oid", "old_table", "new_table")]
            for row in connection.execute(_CHECK, arguments).fetchall():
                key = f"{_PREFIX}{target['function']}"
                if row["level"] == "security" and key in answers:
                    used.add(key)
                    continue
                place = f"{where}, line {row['lineno']} ({row['statement']})" if row["lineno"] else where
                extra = "".join(f"\n  {row[part]}" for part in ("detail", "hint") if row[part])
                problems.append(f"{row['level']} {row['sqlstate']} in {place}: {row['message']}{extra}")
    if not targets:
        problems.append("There is no PL/pgSQL function in the project's schemas: nothing was checked.")
    problems += [f"{key} is answered in docs/advisors.md, but not found" for key in sorted(answers - used)]
    return problems + _cli_lint(url)


def _cli_lint(url: str) -> list[str]:
    """The Supabase CLI's own lint, which uses the same extension on plain functions."""
    schemas = ",".join(SCHEMAS)
    done = node.supabase(
        "db", "lint", f"--remote={url}", f"--schema={schemas}", "--level=warning", "--fail-on=warning"
    )
    return [f"supabase db lint:\n{done.stdout}{done.stderr}"] if done.returncode else []
