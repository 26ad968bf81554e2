"""Rules that hold for every policy and every function: asked of Postgres's own catalogue."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import re

from local.paths import MIGRATIONS
from tests.database.schema import FUNCTIONS, ask, names
from tests.support.personas import Connection

# Public functions that run with the owner's rights and do not authorize first, and why.
WITHOUT_AUTHORIZE = {
    "public.create_organization": "founds one: nobody holds anything in it yet; asks private.caller()",
    "public.my_invitations": "shows what is addressed to the caller himself",
    "public.quote_credit": "reckons, and reads nothing of any organisation; asks private.caller()",
    "public.health": "anyone may ask; tells no more than the sum of what the proofs found",
    "public.accept_invitation": "the invitation itself is the permission; asks private.caller()",
}

ANON_EXECUTES = {"public.health"}
# What a worker, a program outside of requests, may do; the service key may call nothing.
WORKER_EXECUTES = {
    "private.ack_events",
    "private.begin_job",
    "private.claim_events",
    "private.do_job",
    "private.end_job",
    "private.fail_event",
    "private.run_job",
}
HOOK_EXECUTES = {"private.custom_access_token"}


def _policies(owner: Connection) -> list[tuple[str, str, str, list[str], str]]:
    """Table, policy, verb, roles and the conditions as text."""
    return [
        (f"{schema}.{table}", name, verb, roles, f"{using or ''} {check or ''}")
        for schema, table, name, verb, roles, using, check in ask(
            owner,
            "select schemaname, tablename, policyname, cmd, roles::text[], qual, with_check from pg_policies "
            "where schemaname in ('public', 'private', 'audit')",
        )
    ]


def test_policies_are_for_named_roles_and_one_verb(owner: Connection) -> None:
    """`to public` and `for all` hide what is meant."""
    for table, name, verb, roles, _ in _policies(owner):
        assert roles, (table, name)
        assert set(roles) <= {"anon", "authenticated", "supabase_auth_admin"}, (table, name)
        assert verb in {"SELECT", "INSERT", "UPDATE", "DELETE"}, (table, name)


def test_policies_are_sentences(owner: Connection) -> None:
    """A name like "Who holds stock.read reads the levels of his branches"."""
    for table, name, *_ in _policies(owner):
        assert re.fullmatch(r"[A-Z].*[a-z]", name), (table, name)
        assert len(name.split()) >= 3, (table, name)


def test_one_policy_per_verb_and_role(owner: Connection) -> None:
    """Two permissive policies for one verb are an "or" that nobody reads as one."""
    seen: set[tuple[str, str, str]] = set()
    for table, name, verb, roles, _ in _policies(owner):
        for role in roles:
            assert (table, verb, role) not in seen, (table, name)
            seen.add((table, verb, role))


def test_every_grant_has_its_policy(owner: Connection) -> None:
    """A table that clients may read, insert or update has a policy for it, and no policy lacks its grant."""
    policies = {(table, verb, role) for table, _, verb, roles, _ in _policies(owner) for role in roles}
    grants = {
        (table, verb, role)
        for table, verb, role in ask(
            owner,
            """
            select n.nspname || '.' || c.relname, v.verb, r.role
            from pg_class c join pg_namespace n on n.oid = c.relnamespace,
              unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) v (verb),
              unnest(array['anon', 'authenticated', 'supabase_auth_admin']) r (role)
            where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p')
              and case v.verb when 'DELETE' then has_table_privilege(r.role, c.oid, v.verb)
                else has_any_column_privilege(r.role, c.oid, v.verb) end
            """,
        )
    }
    assert policies == grants


def test_helpers_are_called_once_a_statement(owner: Connection) -> None:
    """Each helper stands in a sub-select: called bare it would run once a row."""
    for table, name, _, _, condition in _policies(owner):
        bare = re.sub(r"\(\s*SELECT [^()]*\([^()]*\)[^()]*\)", "", condition)
        assert not re.search(r"(private|auth)\.\w+\(", bare), (table, name, condition)


# Policies that show a row for its owner's sake, whichever organisation it is of.
OF_ONES_OWN = "user_id = ( SELECT auth.uid() AS uid)"


def test_policies_find_instead_of_filter(owner: Connection) -> None:
    """`x in (select ...)` compares each row of every tenant; `x = any (array(select ...))` is a range of an
    index.
    """
    found = ask(
        owner,
        "select schemaname || '.' || tablename, policyname, qual, with_check from pg_policies order by 1",
    )
    assert len(found) > 140
    for table, name, using, check in found:
        assert not re.search(r"\bIN \( ?SELECT|\bEXISTS\b", f"{using} {check}"), (table, name)


def test_policies_ask_for_the_organisation_first(owner: Connection) -> None:
    """Each begins with the tenant, so that no other condition is asked of a stranger's row, and an index
    begins with that column.
    """
    leading = set(
        names(
            owner,
            """
            select distinct n.nspname || '.' || c.relname || '.' || a.attname
            from pg_index i join pg_class c on c.oid = i.indrelid
            join pg_namespace n on n.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] where i.indpred is null
            """,
        )
    )
    for table, name, using, check in ask(
        owner,
        "select schemaname || '.' || tablename, policyname, qual, with_check from pg_policies "
        "where schemaname in ('public', 'audit')",
    ):
        column = "id" if table == "public.organizations" else "org_id"
        for condition in (using, check):
            if condition in (None, "true"):
                continue
            assert _begins_with(condition, column), (table, name, condition)
            assert f"{table}.{column}" in leading, (table, name)


def test_who_covers_all_is_asked_within_what_he_may(owner: Connection) -> None:
    """covers_all_with shows every row that is left: it stands behind the organisations of its permission."""
    for table, name, using, check in ask(
        owner, "select tablename, policyname, qual, with_check from pg_policies where schemaname = 'public'"
    ):
        for condition in (using or "", check or ""):
            for permission in re.findall(r"covers_all_with\('([a-z_.]+)'", condition):
                first = re.match(
                    r"\(*org_id = ANY \(ARRAY\( SELECT private.orgs_with\('([a-z_.]+)'", condition
                )
                assert first, (table, name)
                assert first[1] == permission, (table, name)


def _begins_with(condition: str, column: str) -> bool:
    """Whether a condition is "column = any (array(select ...))" and nothing more, or that "and" the rest."""
    own = condition.startswith(f"(({OF_ONES_OWN}) OR ")
    plain = condition.replace(f"({OF_ONES_OWN}) OR ", "", 1)
    if not re.match(rf"\(*{column} = ANY \(ARRAY\( SELECT private\.", plain):
        return False
    # The end of the array is where its parentheses are even again.
    place = plain.index("ANY (") + len("ANY (")
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        place += 1
    rest = plain[place:].lstrip(")")
    before = plain[: len(plain) - len(rest)]
    outermost = before.count("(") - before.count(")") <= 1 + own
    return not rest or (rest.startswith((" AND ", " AND\n")) and outermost)


def test_no_name_of_a_policy_was_cut(owner: Connection) -> None:
    """Postgres cuts a name after 63 bytes and tells nobody: what the migrations wrote is what there is."""
    written = {
        name
        for file in sorted(MIGRATIONS.glob("*.sql"))
        for name in re.findall(r'^create policy "([^"]+)"', file.read_text(), re.MULTILINE)
    }
    assert {name for name in written if len(name.encode()) > 63} == set()
    there = names(owner, "select distinct policyname from pg_policies")
    assert there == sorted(written)


def test_every_function_fixes_its_search_path(owner: Connection) -> None:
    """Empty, so that every name is qualified and no caller can put another in its place.

    Of a procedure that commits Postgres does not allow it: it runs with its caller's rights, and only calls.
    """
    assert (
        names(
            owner,
            f"select name from ({FUNCTIONS}) f where not coalesce(proconfig, '{{}}') @> "
            "array['search_path=\"\"'] "
            "and not (not prosecdef and oid in (select oid from pg_proc where prokind = 'p'))",
        )
        == []
    )


def test_every_function_says_what_it_does(owner: Connection) -> None:
    """Helpers too have a comment."""
    assert (
        names(owner, f"select name from ({FUNCTIONS}) f where comment is null or length(comment) < 20") == []
    )


def test_definer_functions_authorize_first(owner: Connection) -> None:
    """The first thing that a public definer function does is to ask who calls and whether he may."""
    without = []
    for name, source in ask(
        owner, f"select name, prosrc from ({FUNCTIONS}) f where schema = 'public' and prosecdef"
    ):
        if not _authorizes_first(source):
            without.append(name)
    assert sorted(without) == sorted(WITHOUT_AUTHORIZE)
    for name, source in ask(
        owner, f"select name, prosrc from ({FUNCTIONS}) f where name = any (%s)", [list(WITHOUT_AUTHORIZE)]
    ):
        assert (
            name in ANON_EXECUTES or "private.caller()" in source or "private.my_open_invitations()" in source
        ), name


def _authorizes_first(source: str) -> bool:
    """Whether nothing but reading the row that tells the organisation comes before the check.

    Options that say which branch it is are held to their shape first, which reads nothing of anybody's.
    """
    source = re.sub(r"perform private\.check_shape\('\w+', p_options\);", "", source)
    before, found, _ = source.partition("private.authorize")
    body = before.partition("begin")[2].removesuffix("perform ").replace("for update", "")
    return bool(found) and not re.search(r"\b(insert|update|delete|perform|execute)\b", body)


def test_definer_helpers_are_not_a_way_in(owner: Connection) -> None:
    """Of private and audit, requests may execute the policies' helpers and pure functions only."""
    executable = names(
        owner,
        f"select name from ({FUNCTIONS}) f where schema <> 'public' and "
        "has_function_privilege('authenticated', oid, 'execute')",
    )
    assert executable == sorted(
        {
            "private.fail",
            "private.caller",
            "private.member_orgs",
            "private.member_branches",
            "private.orgs_with",
            "private.named_org",
            "private.org_of",
            "private.branches_with",
            "private.covers_all_with",
            "private.whole_orgs_with",
            "private.listed_branches_with",
            "private.member_whole_orgs",
            "private.member_listed_branches",
            "private.orgs_with_shifts",
            "private.is_gstin",
            "private.is_image_free",
            "private.is_image_path",
            "private.invoice_extras",
            "private.invoice_json",
            "private.invoice_points",
            "private.invoice_title",
            "private.tax_summary",
            "private.tell_points",
        }
    )


def test_execution_is_granted_by_name(owner: Connection) -> None:
    """Public functions are for authenticated; visitors and the service key have the listed; PUBLIC none."""
    acl = ask(
        owner,
        f"""
        select f.name, case when x.grantee = 0 then 'public' else x.grantee::regrole::text end
        from ({FUNCTIONS}) f join pg_proc p on p.oid = f.oid,
          aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        where x.grantee <> p.proowner
        """,
    )
    by_role: dict[str, set[str]] = {}
    for name, role in acl:
        by_role.setdefault(role, set()).add(name)
    public = set(names(owner, f"select name from ({FUNCTIONS}) f where schema = 'public'"))
    assert {name for name in by_role["authenticated"] if name.startswith("public.")} == public
    assert by_role.get("anon") == ANON_EXECUTES
    assert by_role.get("branchline_worker") == WORKER_EXECUTES
    assert by_role.get("supabase_auth_admin") == HOOK_EXECUTES
    assert set(by_role) == {"authenticated", "anon", "branchline_worker", "supabase_auth_admin"}


def test_reading_functions_are_marked_as_reading(owner: Connection) -> None:
    """PostgREST answers GET for stable functions in a read-only transaction: what writes must be volatile."""
    stable = names(
        owner,
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and provolatile in ('s', "
        "'i')",
    )
    assert stable == [
        "abc_analysis",
        "ageing",
        "availability",
        "category_tree",
        "check_books",
        "check_stock",
        "customer_history",
        "find_products",
        "find_variants",
        "get_agreement",
        "get_count",
        "get_credit_note",
        "get_delivery",
        "get_delivery_paper",
        "get_invoice",
        "get_invoice_paper",
        "get_order",
        "get_payment",
        "get_quotation",
        "get_reservation",
        "get_transfer",
        "gstr1",
        "health",
        "instalments_due",
        "instalments_overdue",
        "loyalty_balance",
        "loyalty_statement",
        "my_invitations",
        "outstanding",
        "quote_credit",
        "quote_sale",
        "reorder_suggestions",
        "revenue",
        "sales_summary",
        "scan",
        "search_variants",
        "serial_history",
        "shift_report",
        "statement",
        "stock_changes",
        "top_sellers",
        "transfer_destinations",
        "vat_return",
        "whoami",
    ]


# Acts that may be repeated without an id of the client's (docs/decisions/0002-requests-table.md).
WITHOUT_ID = {
    "check_integrity": "looks again",
    "close_period": "sets a day",
    "reopen_period": "sets a day",
    "run_overdue": "does what is due, once",
    "set_credit_limit": "sets an amount",
    "set_member_role": "sets a role",
    "set_payment_terms": "sets a number of days",
}


def _statements(source: str) -> str:
    """A function's text without its comments and without what stands in quotes."""
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", " ", source, flags=re.DOTALL).lower()


def test_nothing_raises_but_the_helper(owner: Connection) -> None:
    """Errors come from private.fail, so that each has a code, a status and PostgREST's form.

    But for the end of a job, of which the scheduler is told and no client.

    None is raised that says "try again" (40001, 40P01), which PostgREST would do without end.
    """
    raising = re.compile(r"\braise\b(?!\s+(?:debug|log|info|notice|warning)\b)|\berrcode\b")
    # A malformed value may jump to the function's own handler, which answers as every malformed value is.
    handler = r"\bexception when data_exception then\s+perform private\.fail\("
    jump = re.compile(rf"\braise invalid_\w+;(?=.*{handler})", re.DOTALL)
    found = {
        name: re.findall(r"\braise\s+sqlstate\s+'(\w+)'", source)
        for name, source in ask(owner, f"select name, prosrc from ({FUNCTIONS}) f")
        if raising.search(jump.sub(" ", _statements(source or "")))
    }
    assert found == {"private.fail": ["PGRST"], "private.run_job": []}


def test_every_other_act_takes_the_clients_id(owner: Connection) -> None:
    """What writes is told a repeated call by p_id; the exceptions are these."""
    assert names(
        owner,
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and provolatile = 'v' "
        "and not 'p_id' = any (proargnames)",
    ) == sorted(WITHOUT_ID)


def test_triggers_say_what_they_do_and_in_which_order(owner: Connection) -> None:
    """tNN_<function>, with a suffix where a table has the function's trigger more than once.

    Postgres fires triggers of one kind by name, so NN is the order: decision 15.
    """
    misnamed = names(
        owner,
        """
        select t.tgrelid::regclass || ' ' || t.tgname from pg_trigger t
        join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_proc p on p.oid = t.tgfoid
        where not t.tgisinternal and n.nspname in ('public', 'private', 'audit')
          and t.tgname !~ ('^t[0-9]{2}_' || p.proname || '(_[a-z_]+)?$')
        """,
    )
    assert misnamed == []


def test_a_function_fires_in_the_same_order_everywhere(owner: Connection) -> None:
    """One number per trigger function, so that the order of two of them is the same on every table."""
    several = names(
        owner,
        """
        select p.proname from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        where not t.tgisinternal and n.nspname in ('public', 'private', 'audit')
        group by p.oid, p.proname having count(distinct left(t.tgname, 3)) > 1
        """,
    )
    assert several == []


def test_nothing_reads_the_calls_as_facts_of_the_business(owner: Connection) -> None:
    """private.requests knows whether a call was made, until the job forgets it; no rule may hang on it."""
    readers = names(owner, f"select name from ({FUNCTIONS}) f where prosrc ~ 'private\\.requests'")
    assert readers == ["private.claim_request", "private.prune_requests"]


def test_the_service_key_reaches_nothing_of_ours(owner: Connection) -> None:
    """It is for Auth's admin endpoints: no relation, column or function, no schema but public."""
    reached = ask(
        owner,
        """
        select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private', 'audit') and case
          when c.relkind in ('r', 'p', 'v', 'm') then
            has_table_privilege('service_role', c.oid, 'select, insert, update, delete, truncate, trigger')
            or has_any_column_privilege('service_role', c.oid, 'select, insert, update, references')
          when c.relkind = 'S' then has_sequence_privilege('service_role', c.oid, 'usage, select, update')
          else false end
        union all
        select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'private', 'audit')
          and has_function_privilege('service_role', p.oid, 'execute')
        union all
        select n.nspname from pg_namespace n
        where n.nspname in ('private', 'audit')
          and has_schema_privilege('service_role', n.oid, 'usage, create')
        """,
    )
    assert reached == []


def test_workers_reach_no_table(owner: Connection) -> None:
    """What a worker does, functions do for him; he signs in as another role and no policy lets him by."""
    reached = ask(
        owner,
        """
        select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private', 'audit', 'auth') and c.relkind in ('r', 'p', 'v', 'm')
          and (has_any_column_privilege('branchline_worker', c.oid, 'select, insert, update, references')
            or has_table_privilege('branchline_worker', c.oid, 'delete, truncate'))
        """,
    )
    assert reached == []
    assert ask(
        owner,
        "select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
        "from pg_roles where rolname = 'branchline_worker'",
    ) == [(False,) * 6]
