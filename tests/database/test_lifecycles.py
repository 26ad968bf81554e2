"""No document moves along a step that its lifecycle does not list, whoever pushes: every step is tried.

By hand, as the owner of the tables and as a service role that somebody gave rights it has not; and by every
act, in every status.
"""

# Names put into statements come from lifecycles.py and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import psycopg
import pytest

from tests.database.lifecycle_kinds import Act, Kind
from tests.database.lifecycles import KINDS
from tests.support.personas import Connection, Persona, raises_sqlstate
from tests.support.refusals import code_of, state_of
from tests.support.world import People

STATUSES = [(document, status) for document, kind in KINDS.items() for status in kind.makes]
ACTS = [
    (document, status, act) for document, kind in KINDS.items() for status in kind.makes for act in kind.acts
]
# What a refused step is called: the lifecycle's own words, or those of the documents whose acts know better.
REFUSALS = {
    "invalid_transition",
    "agreement_closed",
    "count_closed",
    "credit_note_required",
    "document_final",
    "invoice_not_open",
    "invoice_overpaid",
}
# Tables whose status is no document's: it is noted in a log, or follows from stock or from invitations.
NO_DOCUMENTS = {"sales_order_log", "stock_units", "memberships"}
# What a document that is over says to whoever owns its table.
FINAL = {"invalid_transition", "document_final", "append_only"}


def _steps(people: People, document: str) -> dict[tuple[str, str], str | None]:
    """The listed steps of a document and their permissions."""
    rows = people.connection.execute(
        "select from_status, to_status, permission from public.lifecycle_transitions where document = %s",
        [document],
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


def _row(people: People, kind: Kind, made: object) -> dict[str, object]:
    """The document's row, read past every policy."""
    [row] = people.connection.execute(
        f"select to_jsonb(t) from public.{kind.table} t where org_id = %s and {kind.where}",
        [people.world.teak.id, made],
    ).fetchall()
    found: dict[str, object] = row[0]
    return found


def _service_with_rights(people: People, table: str) -> Persona:
    """The service role, as if somebody had given it the table and all that its triggers need; it passes
    policies by anyway.
    """
    people.connection.execute(
        f"grant all on public.{table}, public.lifecycle_transitions to service_role; "
        "grant usage on schema private to service_role; "
        "grant execute on function private.refuse_transition, private.fail, private.follows_merge "
        "to service_role"
    )
    return people.as_service()


def test_every_document_and_status_is_here(owner: Connection) -> None:
    """What the lifecycles list is what is tried, and every table with such a status obeys them."""
    listed: dict[str, set[str]] = {document: set() for document in KINDS}
    for row in owner.execute("select document, from_status, to_status from public.lifecycle_transitions"):
        listed[row[0]] |= {row[1], row[2]} - {"new"}
    assert listed == {document: set(kind.makes) for document, kind in KINDS.items()}
    watched = owner.execute(
        "select c.relname, split_part(encode(t.tgargs, 'escape'), '\\000', 1) from pg_trigger t "
        "join pg_class c on c.oid = t.tgrelid where t.tgfoid = 'private.enforce_lifecycle'::regproc"
    ).fetchall()
    assert {(row[0], row[1]) for row in watched} == {(kind.table, name) for name, kind in KINDS.items()}
    with_status = owner.execute(
        "select table_name from information_schema.columns join information_schema.tables "
        "using (table_schema, table_name) where table_schema = 'public' and column_name = 'status' "
        "and table_type = 'BASE TABLE'"
    ).fetchall()
    assert {row[0] for row in with_status} - NO_DOCUMENTS == {kind.table for kind in KINDS.values()}


@pytest.mark.parametrize(("document", "status"), STATUSES)
def test_no_hand_moves_it_where_it_may_not_go(people: People, document: str, status: str) -> None:
    """Unlisted steps are refused to all; those who may not write at all are refused every step."""
    kind = KINDS[document]
    made, listed = kind.makes[status](people), _steps(people, document)
    before = _row(people, kind, made)
    assert before["status"] == status
    statement = f"update public.{kind.table} set status = %s where {kind.where}"
    for after in {*kind.makes, "nonsense"}:
        for person in (people.as_service(), people.as_admin(), people.as_cashier(), people.as_anon()):
            with raises_sqlstate("42501"):
                person.execute(statement, [after, made])
    powerful = (Persona(people.connection, "postgres"), _service_with_rights(people, kind.table))
    for person in powerful:
        for after in {*kind.makes, "nonsense"} - {status}:
            if (status, after) in listed:
                continue
            with pytest.raises(psycopg.Error) as refusal:
                person.execute(statement, [after, made])
            assert code_of(refusal.value) in FINAL, (after, refusal.value)
        with pytest.raises(psycopg.Error) as refusal:
            person.execute(f"delete from public.{kind.table} where {kind.where}", [made])
        assert code_of(refusal.value) in FINAL, refusal.value
    assert _row(people, kind, made) == before


@pytest.mark.parametrize("document", KINDS)
def test_no_document_begins_where_it_may_not(people: People, document: str) -> None:
    """A copy under another id, in each status that no document begins in."""
    kind, listed = KINDS[document], _steps(people, document)
    key, another = ("no", "99") if kind.where.endswith("no = 1") else ("id", "gen_random_uuid()")
    columns = ", ".join(
        row[0]
        for row in people.connection.execute(
            "select quote_ident(column_name) from information_schema.columns where table_schema = 'public' "
            "and table_name = %s and is_generated = 'NEVER' and column_name <> %s",
            [kind.table, key],
        ).fetchall()
    )
    copy = (
        f"insert into public.{kind.table} ({key}, {columns}) "
        f"select {another}, {columns} from public.{kind.table} where {kind.where}"
    )
    wrong = [status for status in kind.makes if ("new", status) not in listed]
    assert wrong
    for status in wrong:
        with people.connection.transaction(force_rollback=True):
            made = kind.makes[status](people)
            for person in (
                Persona(people.connection, "postgres"),
                _service_with_rights(people, kind.table),
            ):
                with pytest.raises(psycopg.Error) as refusal:
                    person.execute(copy, [made])
                assert code_of(refusal.value) == "invalid_transition", (status, refusal.value)


@pytest.mark.parametrize(("document", "status", "name"), ACTS)
def test_every_act_in_every_status(people: People, document: str, status: str, name: str) -> None:
    """As the administrator: what the lifecycle lists as this act's own step is done, all else is a 409."""
    kind = KINDS[document]
    act: Act = kind.acts[name]
    made = kind.makes[status](people)
    listed = _steps(people, document)
    own = (status, act.to) in listed and listed[status, act.to] in act.permissions
    if own or act.stays == status:
        act.run(people, made)
        assert _row(people, kind, made)["status"] == act.to
        return
    before = _row(people, kind, made)
    with pytest.raises(psycopg.Error) as refusal:
        act.run(people, made)
    assert (state_of(refusal.value), code_of(refusal.value)) in {("409", code) for code in REFUSALS}, (
        refusal.value
    )
    assert _row(people, kind, made) == before


def test_the_service_role_writes_nothing(owner: Connection) -> None:
    """Not on any table of ours, and of the functions it may ask for the state of health alone."""
    rows = owner.execute(
        """
        select n.nspname || '.' || c.relname || ' ' || v.verb
        from pg_class c join pg_namespace n on n.oid = c.relnamespace,
          unnest(array['insert', 'update', 'delete', 'truncate']) v (verb)
        where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p', 'v')
          and has_table_privilege('service_role', c.oid, v.verb)
        """
    ).fetchall()
    assert rows == []
