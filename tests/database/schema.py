"""Questions to Postgres's own catalogue that several tests ask. Tables are named `schema.table`."""

from typing import Any

from tests.support.personas import Connection

# The same rows for every organisation, or the organisation itself: these have no org_id.
WITHOUT_ORG = {
    "public.countries",
    "public.regions",
    "public.units",
    "public.payment_methods",
    "public.tax_thresholds",
    "public.lifecycle_transitions",
    "public.permissions",
    "private.system_roles",
    "private.document_line",
    "private.events",
    "private.reactions",
    "private.document_kinds",
    "private.proofs",
    "private.shape_kinds",
    "private.shape_uses",
    "private.shapes",
    "private.stock_events_horizon",
    "private.partitioned",
    "private.consumers",
    "private.deliveries",
    "private.schedules",
    "private.job_runs",
    "public.organizations",
}

TABLES = """
    select n.nspname || '.' || c.relname as name, c.oid, c.relkind, c.relispartition, c.relrowsecurity
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p')
"""
FUNCTIONS = """
    select n.nspname || '.' || p.proname as name, n.nspname as schema, p.oid, p.prosecdef, p.proconfig,
      p.prosrc, obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private', 'audit')
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""


def ask(
    connection: Connection, query: str, parameters: list[Any] | dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run a query past every policy and return its rows."""
    return connection.execute(query, parameters).fetchall()


def names(connection: Connection, query: str, parameters: list[Any] | None = None) -> list[str]:
    """The first column of a query, sorted."""
    return sorted(row[0] for row in ask(connection, query, parameters))
