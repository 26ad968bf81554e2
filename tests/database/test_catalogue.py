"""Rules that hold for every table, column and key: asked of Postgres's own catalogue."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from tests.database.schema import TABLES, WITHOUT_ORG, ask, names
from tests.support.personas import Connection

# Tables without audit triggers, and why.
NOT_AUDITED = {
    "audit.log": "it is the log",
    "private.requests": "names the act and nothing more; the act's own rows are audited",
    "private.outbox": "is itself a record of what happened, and its rows are consumed",
    "private.partitioned": "changes by migration only",
    "private.consumers": "is changed by whoever runs the database",
    "private.deliveries": "is bookkeeping of the outbox",
    "private.dead_events": "is bookkeeping of the outbox",
    "private.schedules": "is changed by migrations and by whoever runs the database",
    "private.job_runs": "is a record of what jobs did",
    "private.number_counters": "every number given is on an audited document",
    "private.stock_events": "names what changed; the movements say why",
    "private.stock_events_horizon": "is a mark of housekeeping",
    "private.accounts": "follows from the documents that a statement shows, which are kept",
    "private.money_held": "follows from the entries of payments and credit notes, which are kept",
    "private.points_balances": "follows from loyalty_entries, which carry who, when and why",
    "private.points_held": "follows from loyalty_entries, which carry who, when and why",
    "private.points_owed": "follows from loyalty_entries, which carry who, when and why",
    "private.barcode_counters": "every code given is an audited row of variant_barcodes",
    "private.category_paths": "are put together from audited rows",
    "private.variant_search": "is put together from audited rows",
    "private.system_roles": "changes by migration only",
    "private.document_line": "holds no rows",
    "private.events": "changes by migration only",
    "private.reactions": "changes by migration only",
    "private.document_kinds": "changes by migration only",
    "private.proofs": "changes by migration only",
    "private.shapes": "changes by migration only",
    "private.shape_kinds": "changes by migration only",
    "private.shape_uses": "changes by migration only",
    "public.countries": "changes by migration only",
    "public.regions": "changes by migration only",
    "public.units": "changes by migration only",
    "public.payment_methods": "changes by migration only",
    "public.tax_thresholds": "changes by migration only",
    "public.lifecycle_transitions": "changes by migration only",
    "public.permissions": "changes by migration only",
    "public.integrity_checks": "is append-only, and says who asked and what was found",
    "private.integrity_state": "repeats the newest of integrity_checks",
    "public.stock_movements": "is append-only and carries who, when and why itself",
    "public.stock_levels": "changes only together with a movement",
    "public.loyalty_entries": "is append-only and carries who, when and why itself",
    "public.batch_levels": "changes only together with a movement",
    "public.stock_units": "changes only together with a movement",
    "public.stock_count_figures": "come of audited entries; the log would show those of a blind count",
    "private.stock_count_books": "are append-only; the log would show what a blind count hides",
}

# Keys from one tenant table to another that do not carry org_id, and why.
KEYS_WITHOUT_ORG = {
    "public.memberships -> auth.users": "people belong to no organisation",
    "public.till_shifts -> auth.users": "people belong to no organisation",
}

COLUMN_GRANTS = {
    "public.organizations": "update: name legal_name prices_include_tax round_total_to invoice_terms "
    "tax_scheme tax_rounding export_tax lut_number document_settings audit_months",
    "public.branches": "update: name tax_number phone email upi_id address_line1 address_line2 city "
    "region_code tax_area postal_code "
    "archived_at",
    "public.locations": "update: code name archived_at",
    "public.tax_classes": "insert: id org_id code name kind reverse_charge; update: name",
    "public.tax_rates": "insert: id org_id tax_class_id region component rate compounds cess_rate "
    "cess_per_unit valid_from",
    "public.categories": "insert: id org_id parent_id name; update: parent_id name archived_at",
    "public.brands": "insert: id org_id name; update: name archived_at",
    "public.products": "insert: id org_id category_id brand_id name description kind hsn_code tax_class_id "
    "unit_code warranty_months; "
    "update: category_id brand_id name description hsn_code tax_class_id warranty_months archived_at",
    "public.product_variants": "insert: id org_id product_id sku name barcode attributes price "
    "price_includes_tax tracking; "
    "update: sku name barcode attributes price price_includes_tax tracking archived_at",
    "public.variant_barcodes": "insert: id org_id variant_id code kind",
    "public.product_images": "insert: id org_id product_id variant_id bucket_id path position alt_text; "
    "update: variant_id position alt_text archived_at",
    "public.product_units": "insert: id org_id product_id unit_code factor price; update: factor price",
    "public.set_components": "insert: id org_id set_variant_id component_variant_id quantity position; "
    "update: quantity position",
    "public.customer_groups": "insert: id org_id name; update: name archived_at",
    "public.price_lists": "insert: id org_id name customer_group_id branch_id valid_from valid_to priority; "
    "update: name customer_group_id branch_id valid_from valid_to priority archived_at",
    "public.price_list_items": "insert: id org_id price_list_id variant_id min_quantity price; "
    "update: min_quantity price",
    "public.customers": "insert: id org_id name kind tax_number phone email address_line1 address_line2 "
    "city region_code "
    "postal_code country notes customer_group_id tax_area tax_treatment; "
    "update: name kind tax_number phone email address_line1 address_line2 city region_code postal_code "
    "country notes "
    "archived_at customer_group_id tax_area tax_treatment",
    "public.promotions": "insert: id org_id name kind value per_unit buy_quantity get_quantity max_times "
    "applies_to customer_group_id branch_id valid_from valid_to weekdays time_from time_to minimum_amount "
    "needs_coupon combinable priority; "
    "update: name kind value per_unit buy_quantity get_quantity max_times applies_to customer_group_id "
    "branch_id valid_from valid_to weekdays time_from time_to minimum_amount needs_coupon combinable "
    "priority archived_at",
    "public.promotion_targets": "insert: id org_id promotion_id position part category_id product_id "
    "variant_id quantity; update: part category_id product_id variant_id quantity",
    "public.coupons": "insert: id org_id promotion_id code max_uses max_uses_per_customer valid_from "
    "valid_to; update: max_uses max_uses_per_customer valid_from valid_to archived_at",
    "public.loyalty_programs": "insert: org_id point_value minimum_points max_share_percent expiry_months; "
    "update: point_value minimum_points max_share_percent expiry_months archived_at",
    "public.loyalty_rules": "insert: id org_id name points_per_unit category_id customer_group_id priority; "
    "update: name points_per_unit category_id customer_group_id priority archived_at",
    "public.customer_addresses": "insert: id org_id customer_id kind is_default label recipient phone "
    "address_line1 address_line2 city region_code postal_code country tax_area; "
    "update: kind is_default label recipient phone address_line1 address_line2 city region_code "
    "postal_code country tax_area archived_at",
    "public.suppliers": "insert: id org_id name tax_number phone email address_line1 address_line2 city "
    "region_code "
    "postal_code country notes; "
    "update: name tax_number phone email address_line1 address_line2 city region_code postal_code country "
    "notes archived_at",
}

# Table-wide privileges of the API's roles beyond select for authenticated.
READ_BEFORE_SIGN_IN = {
    "public.countries",
    "public.regions",
    "public.units",
    "public.payment_methods",
    "public.tax_thresholds",
    "public.lifecycle_transitions",
}
# Rows that nothing refers to may be deleted; private.refuse_if_used keeps the others.
DELETABLE = {
    "public.categories",
    "public.brands",
    "public.products",
    "public.product_variants",
    "public.variant_barcodes",
    "public.product_units",
    "public.set_components",
    "public.price_list_items",
    "public.promotion_targets",
}
# Outside public, and read by functions and views that run as their caller, under his policies.
READ_AS_CALLER = {"public.audit_log", "audit.log", "private.held_permissions"}
READ_BY_TOKEN_HOOK = {"public.memberships", "public.membership_branches", "public.roles"}


def _columns(text: str) -> set[tuple[str, str]]:
    """("insert", "id") and so on, from the short form above."""
    return {
        (verb.strip(), column)
        for part in text.split(";")
        for verb, _, listed in [part.partition(":")]
        for column in listed.split()
    }


def test_row_level_security_is_on_everywhere(owner: Connection) -> None:
    """Every table and partition of ours: without a policy that means nobody."""
    assert names(owner, f"select name from ({TABLES}) t where not relrowsecurity") == []


def test_every_table_says_what_it_is(owner: Connection) -> None:
    """A comment on each table and view, partitions by month excepted: the whole has it."""
    assert (
        names(
            owner,
            f"select name from ({TABLES}) t where obj_description(oid, 'pg_class') is null and name !~ "
            "'_[0-9]{4}_[0-9]{2}(_[0-9]{2})?$'",
        )
        == []
    )
    assert (
        names(
            owner,
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', "
            "'m') "
            "and obj_description(oid, 'pg_class') is null",
        )
        == []
    )


def test_views_ask_as_the_caller(owner: Connection) -> None:
    """A view that ran as its owner would pass every policy by."""
    assert (
        names(
            owner,
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', "
            "'m') "
            "and not coalesce(reloptions, '{}') @> array['security_invoker=true']",
        )
        == []
    )


def test_every_row_belongs_to_an_organisation(owner: Connection) -> None:
    """org_id, not null, on every table that is not reference data."""
    without = names(
        owner,
        f"""
        select name from ({TABLES}) t where not exists (
          select from pg_attribute a where a.attrelid = t.oid and a.attname = 'org_id' and a.attnotnull
            and a.atttypid = 'uuid'::regtype)
        """,
    )
    assert without == sorted(WITHOUT_ORG)


def test_no_reference_crosses_organisations(owner: Connection) -> None:
    """A key from tenant table to tenant table carries org_id on both sides, at the same place."""
    crossing = names(
        owner,
        """
        select sn.nspname || '.' || s.relname || ' -> ' || tn.nspname || '.' || t.relname
        from pg_constraint c
        join pg_class s on s.oid = c.conrelid join pg_namespace sn on sn.oid = s.relnamespace
        join pg_class t on t.oid = c.confrelid join pg_namespace tn on tn.oid = t.relnamespace
        where c.contype = 'f' and sn.nspname in ('public', 'private', 'audit')
          and tn.nspname || '.' || t.relname <> all (%s)
          and not exists (
            select from unnest(c.conkey, c.confkey) as k (here, there)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.here and a.attname = 'org_id'
            join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.there and b.attname = 'org_id')
        """,
        [sorted(WITHOUT_ORG)],
    )
    assert crossing == sorted(KEYS_WITHOUT_ORG)


def test_whatever_names_a_row_of_the_house_is_a_key(owner: Connection) -> None:
    """A column called <something>_id is part of a foreign key, or listed here with the reason."""
    loose = {
        "audit.log.org_id",
        "audit.log.actor_id",  # outlives what it names
        "private.requests.org_id",
        "private.document_line.variant_id",  # holds no rows: the tables made like it have the key
        "private.outbox.org_id",
        "private.dead_events.org_id",
        "private.job_runs.org_id",  # outlives what it names
        "private.number_counters.org_id",  # written by functions only
        "private.number_counters.branch_id",
        "private.stock_events.org_id",  # written by the trigger of stock_levels only
        "private.stock_events.branch_id",
        "public.integrity_checks.run_id",  # names the rows of one run
        "private.integrity_state.run_id",
        "public.stock_movements.document_id",  # of several kinds of document
        "public.stock_reservations.document_id",
        "public.stock_reservations.fulfilled_document_id",
        "public.coupon_uses.document_id",
    }
    rows = names(
        owner,
        f"""
        select t.name || '.' || a.attname from ({TABLES}) t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
          and a.attname ~ '_id$'
          and a.atttypid = 'uuid'::regtype
        where not t.relispartition and not exists (
          select from pg_constraint c where c.conrelid = t.oid and c.contype = 'f'
            and a.attnum = any (c.conkey))
        """,
    )
    assert rows == sorted(loose)


def test_changes_are_audited(owner: Connection) -> None:
    """Every business table logs what changes, what goes, and what is new unless it says itself by whom."""
    unaudited = names(
        owner,
        f"""
        select name from ({TABLES}) t where not t.relispartition
        group by name, oid
        having (select count(distinct g.tgtype & 28) from pg_trigger g join pg_proc p on p.oid = g.tgfoid
          where g.tgrelid = t.oid and p.pronamespace = 'audit'::regnamespace and p.proname = 'record')
          <> case when audit.origin(oid) is null then 3 else 2 end
        """,
    )
    assert unaudited == sorted(NOT_AUDITED)


def test_money_is_exact_and_time_has_a_zone(owner: Connection) -> None:
    """No floating point, no money type, no timestamp without time zone, no unbounded numeric.

    An hour of the day is the one on the branch's wall.
    """
    assert names(
        owner,
        f"""
        select t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from ({TABLES}) t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        where a.atttypid in ('real'::regtype, 'double precision'::regtype, 'money'::regtype,
            'timestamp'::regtype, 'time'::regtype, 'timetz'::regtype, 'char'::regtype, 'varchar'::regtype,
            'json'::regtype)
          or (a.atttypid = 'numeric'::regtype and a.atttypmod = -1)
        """,
    ) == [f"public.promotions.time_{end} time without time zone" for end in ("from", "to")]


def test_no_number_can_be_nan(owner: Connection) -> None:
    """A numeric column that requests may write has a check with an upper end: NaN passes "0 or more"."""
    assert (
        names(
            owner,
            f"""
        select t.name || '.' || a.attname from ({TABLES}) t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and a.atttypid = 'numeric'::regtype
        where (has_column_privilege('authenticated', t.oid, a.attnum, 'insert')
            or has_column_privilege('authenticated', t.oid, a.attnum, 'update'))
          and not exists (
            select from pg_constraint c where c.conrelid = t.oid and c.contype = 'c'
              and a.attnum = any (c.conkey) and pg_get_constraintdef(c.oid) ~ '<|ANY \\(')
        """,
        )
        == []
    )


def test_column_grants_are_these(owner: Connection) -> None:
    """What requests may write directly, column by column; everything else goes through functions."""
    seen: dict[str, set[tuple[str, str]]] = {}
    for table, verb, column in ask(
        owner,
        f"""
        select t.name, lower(x.privilege_type), a.attname from ({TABLES}) t
        join pg_attribute a on a.attrelid = t.oid, aclexplode(a.attacl) x
        """,
    ):
        seen.setdefault(table, set()).add((verb, column))
    assert seen == {table: _columns(text) for table, text in COLUMN_GRANTS.items()}


def test_table_grants_are_select_only(owner: Connection) -> None:
    """Nothing was left open by a default: each role's table-wide privileges are these and no more."""
    rows = ask(
        owner,
        """
        select n.nspname || '.' || c.relname, coalesce(nullif(x.grantee, 0)::regrole::text, 'public'),
          x.privilege_type
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p', 'v', 'm', 'S')
          and x.grantee <> c.relowner
        """,
    )
    clients = set(names(owner, f"select name from ({TABLES}) t where name like 'public.%%'", []))
    expected = {(table, "authenticated", "SELECT") for table in clients | READ_AS_CALLER}
    expected |= {(table, "anon", "SELECT") for table in READ_BEFORE_SIGN_IN}
    expected |= {(table, "supabase_auth_admin", "SELECT") for table in READ_BY_TOKEN_HOOK}
    expected |= {(table, "authenticated", "DELETE") for table in DELETABLE}
    assert set(rows) == expected


def test_schemas_are_as_closed_as_they_look(owner: Connection) -> None:
    """Who may look things up in private and audit, and that nobody but the owner creates anything."""
    rows = ask(
        owner,
        "select nspname, x.grantee::regrole::text, x.privilege_type from pg_namespace n, "
        "aclexplode(n.nspacl) x "
        "where nspname in ('private', 'audit') and x.grantee <> n.nspowner",
    )
    assert set(rows) == {
        ("private", "authenticated", "USAGE"),
        ("private", "anon", "USAGE"),
        ("private", "supabase_auth_admin", "USAGE"),
        ("private", "branchline_worker", "USAGE"),
        ("audit", "authenticated", "USAGE"),
    }


def test_new_objects_are_closed_by_default(owner: Connection) -> None:
    """A table, function or sequence that a later migration makes is reachable by nobody until it grants."""
    owner.execute("create table public.later (id bigint generated always as identity)")
    owner.execute("create function public.later() returns integer language sql return 1")
    for role in ("anon", "authenticated", "service_role"):
        assert ask(
            owner,
            "select has_table_privilege(%s, 'public.later', 'select, insert, update, delete, truncate'), "
            "has_function_privilege(%s, 'public.later()', 'execute'), "
            "has_sequence_privilege(%s, 'public.later_id_seq', 'usage, select, update')",
            [role] * 3,
        ) == [(False, False, False)]


def test_foreign_keys_have_an_index_where_rows_can_go(owner: Connection) -> None:
    """Deleting a parent must not scan its children: keys that cascade are led by an index."""
    assert (
        names(
            owner,
            """
        select c.conrelid::regclass || ' ' || c.conname from pg_constraint c
        where c.contype = 'f' and c.confdeltype = 'c' and c.connamespace = 'public'::regnamespace
          and not exists (
          select from pg_index i where i.indrelid = c.conrelid
            and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
        """,
        )
        == []
    )
