"""Rooms stand in an order, and none calls a later one: it declares an event, and the later room reacts.

What is called is read from the migrations, where a function's file is its room; what an event does, from the
database.
"""

import re
from pathlib import Path

import psycopg
import pytest

from tests.database.sales import line, sell
from tests.database.schema import FUNCTIONS, ask, names
from tests.support.personas import Connection, raises
from tests.support.world import People

MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
_FUNCTION = re.compile(
    r"^create (?:or replace )?(?:function|procedure) ((?:public|private|audit)\.\w+)\("
    r".*?\bas \$\$(.*?)^\$\$;",
    re.S | re.M,
)
_NAME = re.compile(r"\b((?:public|private|audit)\.\w+)")
_CALL = re.compile(r"\b((?:public|private|audit)\.\w+)\s*\(")

# Where an earlier room reads a table of a later one all the same, and why it may.
READS_LATER_TABLES = {
    "private.follows_merge": "the triggers that keep rows as they are ask whose a merged customer's are",
    "private.available_in": "a search tells what is there",
    "public.search_variants": "a search tells what is there",
    "public.shorten_reservation": "asks order.manage where an order holds the goods",
    "public.scan": "what a code stands for may be an invoice",
    "public.serial_history": "the pieces' last invoices",
    "private.hold_money": "payments and credit notes are held alike",
    "private.invoice_json": "an invoice lists what was credited of it",
    "private.sale_documents": "what is returned was sold by an invoice or a delivery",
    "private.account_findings": "what a customer owes is proved from all documents at once",
    "public.reverse_payment": "a sale that was voided gave its payments back",
    "private.refund_sources_for": "what belongs to an open order is not paid back unasked",
    "private.quotation_json": "a quotation tells which order it became",
    "private.order_json": "an order lists its deliveries",
    "private.order_progress": "an order and its deliveries are one affair",
    "private.order_standing": "an order and its deliveries are one affair",
}


def _room(file: Path) -> int:
    return int(file.name[8:10])


def _text(file: Path) -> str:
    """A migration without its comments."""
    return re.sub(r"--[^\n]*", "", file.read_text())


FILES = {file: _text(file) for file in sorted(MIGRATIONS.glob("*.sql"))}
BODIES = [(name, _room(file), body) for file, text in FILES.items() for name, body in _FUNCTION.findall(text)]
EVENTS = {
    f"private.{name}": _room(file)
    for file, text in FILES.items()
    for name in re.findall(r"private\.add_event\('(\w+)'", text)
}
ROOMS = {name: room for name, room, _ in BODIES} | EVENTS
TABLES = {
    name: _room(file)
    for file, text in FILES.items()
    for name in re.findall(r"^create (?:table|view) ((?:public|private|audit)\.\w+)", text, re.M)
}


def test_every_function_of_the_database_was_found_in_a_file(owner: Connection) -> None:
    """Else its calls would not be read."""
    assert set(names(owner, f"select name from ({FUNCTIONS}) f")) == set(ROOMS)  # noqa: S608


def test_a_room_has_one_name() -> None:
    """20260101RRFF00_room_what.sql: the folder reads as a list of rooms."""
    named = {(_room(file), file.stem.split("_")[1]) for file in FILES}
    assert len(named) == len({room for room, _ in named}) == len({name for _, name in named})


def test_no_room_calls_a_later_one() -> None:
    """A later room is told by an event that it reacts to, and nobody else's function is edited for it."""
    forward = sorted(
        f"{room} {name} calls {ROOMS[called]} {called}"
        for name, room, body in BODIES
        for called in set(_CALL.findall(body))
        if ROOMS.get(called, 0) > room
    )
    assert forward == []


def test_what_earlier_rooms_read_of_later_tables_is_stated() -> None:
    """Reading is less than calling, but a table that changes its shape must be able to find who knows it."""
    reads = {
        name for name, room, body in BODIES for table in _NAME.findall(body) if TABLES.get(table, 0) > room
    }
    assert reads == set(READS_LATER_TABLES)


def test_a_reaction_is_of_the_events_room_or_a_later_one(owner: Connection) -> None:
    """And every reaction is a function of ours, every event one that some act calls."""
    rows = ask(owner, "select 'private.' || event, 'private.' || function from private.reactions")
    assert rows
    assert all(ROOMS[event] <= ROOMS[function] for event, function in rows)
    called = {name for _, _, body in BODIES for name in _CALL.findall(body)}
    assert set(EVENTS) <= called


def test_an_event_writes_if_a_reaction_does(owner: Connection) -> None:
    """A stable function may be called where nothing may write."""
    rows = ask(
        owner,
        "select e.name, p.provolatile::text, e.result = 'void' or exists (select from private.reactions r "
        "join pg_proc f on f.proname = r.function and f.pronamespace = 'private'::regnamespace "
        "where r.event = e.name and f.provolatile = 'v') from private.events e "
        "join pg_proc p on p.proname = e.name and p.pronamespace = 'private'::regnamespace",
    )
    assert {(name, "v" if writes else "s") for name, _, writes in rows} == {row[:2] for row in rows}
    assert {"stock_short"} <= {name for name, volatile, _ in rows if volatile == "v"}


def test_the_function_of_an_event_is_what_its_rows_say(owner: Connection) -> None:
    """Whoever edits one of them by hand is found here: the rows are the truth."""
    rows = ask(
        owner,
        "select e.name, p.prosrc = private.event_body(e.name), "
        "case when p.proretset then e.result like 'table(%' "
        "else pg_get_function_result(p.oid) = e.result end, "
        "coalesce(p.proargnames[1:p.pronargs], '{}') = e.names "
        "from private.events e join pg_proc p "
        "on p.proname = e.name and p.pronamespace = 'private'::regnamespace",
    )
    assert {row[0] for row in rows} == {name.removeprefix("private.") for name in EVENTS}
    assert all(all(row[1:]) for row in rows), rows


LATER = """
    create table private.told (place serial, by text, invoice_id uuid);
    create function private.warranty(p_org_id uuid, p_invoice_id uuid) returns void language plpgsql as
      $$ begin insert into private.told (by, invoice_id) values ('warranty', p_invoice_id); end $$;
    create function private.courier(p_invoice_id uuid) returns void language plpgsql as
      $$ begin insert into private.told (by, invoice_id) values ('courier', p_invoice_id); end $$;
"""


def test_a_later_room_reacts_to_a_sale_without_an_edit(people: People) -> None:
    """In the order of places, beside what reacts already, in the sale's own transaction."""
    people.connection.execute(LATER)
    people.connection.execute(
        "select private.react('invoice_paid', 900, 'warranty'), private.react('invoice_paid', 5, 'courier')"
    )
    sold = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["lamp"]))
    told = ask(people.connection, "select by, invoice_id::text from private.told order by place")
    assert told == [("courier", sold["id"]), ("warranty", sold["id"])]


def test_a_reaction_that_fails_refuses_the_act(people: People) -> None:
    """Nothing of the sale is left: a reaction is part of it."""
    people.connection.execute(
        "create function private.warranty(p_invoice_id uuid) returns void language plpgsql as "
        "$$ begin perform private.fail(409, 'place_not_empty', 'No.'); end $$"
    )
    people.connection.execute("select private.react('invoice_paid', 900, 'warranty')")
    before = ask(people.connection, "select count(*) from public.invoices")
    with raises("place_not_empty", 409):
        sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["lamp"]))
    assert ask(people.connection, "select count(*) from public.invoices") == before


@pytest.mark.parametrize(
    "statement",
    [
        "select private.react('invoice_paid', 10, 'warranty')",  # the place is taken
        "select private.react('invoice_eaten', 10, 'warranty')",  # no such event
        "select private.react('invoice_paid', 900, 'nobody')",  # no such function
        "select private.react('invoice_voided', 900, 'hungry')",  # asks for more than is given
        "select private.add_event('invoice_paid', 'p_org_id uuid', 'void', '')",  # declared already
        "select private.add_event('settle_points', 'p_org_id uuid', 'void', '')",  # a function's name
    ],
)
def test_what_cannot_be_called_is_refused_at_once(people: People, statement: str) -> None:
    """In the migration, not at the next sale."""
    people.connection.execute(LATER)
    people.connection.execute(
        "create function private.hungry(p_new boolean) returns void language plpgsql as $$ begin end $$"
    )
    with pytest.raises(psycopg.Error), people.connection.transaction():
        people.connection.execute(statement)


@pytest.mark.parametrize(
    ("result", "type_", "bodies", "expected"),
    [
        ("numeric", "numeric", ["1.5", "null", "2"], "3.5"),
        ("jsonb", "jsonb", ["""'{"a": 1, "b": 1}'""", "null", """'{"b": 2}'"""], '{"a": 1, "b": 2}'),
        ("table(x integer)", "table(x integer)", ["query select 1", "query values (2), (3)"], "1,2,3"),
        ("numeric", "numeric", [], "0"),
        ("jsonb", "jsonb", [], "{}"),
        ("table(x integer)", "table(x integer)", [], None),
    ],
)
def test_answers_of_reactions_become_one(
    owner: Connection, result: str, type_: str, bodies: list[str], expected: str | None
) -> None:
    """Numbers are summed, objects put together, rows listed; nobody's answer is none."""
    owner.execute("select private.add_event('asked', 'p_org_id uuid', %s, 'Asked.')", [result])
    for place, body in enumerate(bodies):
        owner.execute(
            f"create function private.answer_{place}(p_org_id uuid) returns {type_} language plpgsql "
            f"stable as $$ begin return {body}; end $$"
        )
        owner.execute("select private.react('asked', %s, %s)", [place, f"answer_{place}"])
    call = "string_agg(x::text, ',') from" if result.startswith("table") else ""
    alias = "as a (x)" if result.startswith("table") else "::text"
    assert ask(owner, f"select {call} private.asked(gen_random_uuid()) {alias}") == [(expected,)]


def test_every_proof_is_run(owner: Connection) -> None:
    """Whatever is called prove_ is a row, and a row is a function."""
    query = f"select name from ({FUNCTIONS}) f where name like 'private.prove_%%'"  # noqa: S608
    assert names(owner, query, []) == names(owner, "select 'private.' || function from private.proofs")


def test_a_later_room_brings_its_own_proof(people: People) -> None:
    """check_integrity runs it, keeps what it found, and reads its name beside the others."""
    people.connection.execute(
        "create function private.prove_seals(p_org_id uuid) returns setof jsonb language plpgsql stable as "
        """$$ begin return query select '{"seal": "broken"}'::jsonb; end $$"""
    )
    people.connection.execute("insert into private.proofs (proof, function) values ('seals', 'prove_seals')")
    answer = people.as_admin().rpc("check_integrity", p_org_id=people.world.teak.id)
    (found,) = [check for check in answer["checks"] if check["proof"] == "seals"]
    assert (found["passed"], found["findings"], found["sample"]) == (False, 1, [{"seal": "broken"}])
    assert not answer["passed"]


def test_files_are_short_and_lines_fit_a_screen() -> None:
    """About 500 lines a file, 120 columns a line."""
    assert {file.name: text for file in FILES if (text := file.read_text().count("\n")) > 540} == {}
    wide = [
        (file.name, number)
        for file in FILES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if len(line) > 120
    ]
    assert wide == []
