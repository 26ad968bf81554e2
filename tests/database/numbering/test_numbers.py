"""Invoice numbers: form, no gap, a series per branch and fiscal year."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.database.sales import line, pay, sell
from tests.database.schema import ask, names
from tests.support.personas import Connection, Persona, new_id, raises
from tests.support.world import Branch, People


def _number(person: Persona, branch: Branch, people: People, when: str | None = None) -> str:
    options: dict[str, Any] = {} if when is None else {"occurred_at": when}
    invoice = sell(person, branch, line(people.world.teak.variants["assembly"]), **options)
    number: str = invoice["number"]
    return number


def _serial(number: str) -> int:
    return int(number.rsplit("/", 1)[1])


def test_the_form_is_that_of_the_rule(people: People) -> None:
    """<branch>/<fiscal year>/<serial>, at most 16 characters (CGST Rules, rule 46(b))."""
    number = _number(people.as_cashier(), people.world.blr, people)
    assert re.fullmatch(r"BLR/\d\d-\d\d/\d{6}", number)
    assert len(number) == 16


def test_numbers_have_no_gap(people: People) -> None:
    """Refused sales between good ones use no number."""
    cashier, blr = people.as_cashier(), people.world.blr
    first = _serial(_number(cashier, blr, people))
    for _ in range(3):
        with raises("payment_incomplete", 422):
            sell(cashier, blr, line(people.world.teak.variants["assembly"]), payments=[pay(1)])
        with raises("insufficient_stock", 409):
            sell(cashier, blr, line(people.world.teak.variants["sofa"], 1000), payments=[pay(1180000)])
    assert [_serial(_number(cashier, blr, people)) for _ in range(3)] == [first + 1, first + 2, first + 3]


def test_each_branch_counts_by_itself(people: People) -> None:
    """A sale in Mumbai does not move Bengaluru's series."""
    world = people.world
    before = _serial(_number(people.as_cashier(), world.blr, people))
    assert _number(people.as_cashier(world.mum), world.mum, people).startswith("MUM/")
    assert _serial(_number(people.as_cashier(), world.blr, people)) == before + 1


@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("2024-03-31T23:59:59+05:30", "BLR/23-24/000001"),
        ("2024-04-01T00:00:00+05:30", "BLR/24-25/000001"),
        ("2020-02-29T12:00:00+05:30", "BLR/19-20/000001"),
    ],
)
def test_the_series_begins_anew_each_fiscal_year(people: People, when: str, number: str) -> None:
    """India's year begins on 1 April, local time; the business date chooses the series."""
    assert _number(people.as_admin(), people.world.blr, people, when) == number


def test_two_years_run_side_by_side(people: People) -> None:
    """A backdated sale continues the old year's series and leaves the new one alone."""
    admin, blr = people.as_admin(), people.world.blr
    seen = [
        _number(admin, blr, people, day) for day in ("2024-03-31", "2024-04-02", "2024-03-30", "2024-04-03")
    ]
    assert seen == ["BLR/23-24/000001", "BLR/24-25/000001", "BLR/23-24/000002", "BLR/24-25/000002"]


def test_a_calendar_year_is_written_whole(people: People) -> None:
    """Where the fiscal year is the calendar's, its name has four digits."""
    lagoon = people.world.lagoon
    invoice = sell(
        people.as_foreign_admin(),
        lagoon.branches[0],
        line(lagoon.variants["pump"]),
        occurred_at="2025-01-01T00:00:00Z",
    )
    assert invoice["number"] == "LON/2025/000001"


@pytest.mark.parametrize(
    ("day", "start_month", "name"),
    [
        ("2026-03-31", 4, "25-26"),
        ("2026-04-01", 4, "26-27"),
        ("2026-12-31", 1, "2026"),
        ("2026-01-01", 1, "2026"),
        ("1999-12-31", 4, "99-00"),
        ("2026-06-30", 7, "25-26"),
        ("2026-07-01", 7, "26-27"),
        ("2024-02-29", 3, "23-24"),
        ("2024-12-31", 12, "24-25"),
    ],
)
def test_the_name_of_a_fiscal_year(people: People, day: str, start_month: int, name: str) -> None:
    """The year is named after the two calendar years it touches."""
    row = people.connection.execute("select private.fiscal_year(%s::date, %s)", [day, start_month]).fetchone()
    assert row == (name,)


def test_a_series_ends_before_its_form_breaks(people: People) -> None:
    """The millionth number would need 17 characters: it is refused, and the counter stays."""
    admin, blr = people.as_admin(), people.world.blr
    _number(admin, blr, people, "2024-04-02")
    people.connection.execute(
        "update private.number_counters set last_value = 999998 where fiscal_year = '24-25' and branch_id "
        "= %s",
        [blr.id],
    )
    assert _number(admin, blr, people, "2024-04-03") == "BLR/24-25/999999"
    for _ in range(2):
        with raises("series_exhausted", 409):
            _number(admin, blr, people, "2024-04-04")


def test_number_and_amounts_are_unique_by_constraint(people: People) -> None:
    """The table itself holds the sum: total = subtotal + tax + round_off."""
    (row,) = people.as_admin().select(
        "select subtotal + tax + round_off as sum, total from public.invoices where id = %s",
        [people.world.teak.invoices["BLR"]],
    )
    assert row["sum"] == row["total"] == Decimal("1180.00")


def _kinds(people: People) -> list[str]:
    """Every kind of document that takes numbers, as the functions that take them name it."""
    rows = people.connection.execute(
        r"""
        select distinct m[1] from pg_proc p,
          regexp_matches(p.prosrc, 'private\.(?:next|take)_number\([^'';]*''([a-z_]+)''', 'g') m
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) order by 1
        """
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("code", ["B", "BL", "BLR", "1", "12", "123"])
def test_every_series_reaches_its_last_number(people: People, code: str) -> None:
    """999,999 a year for each kind, code and fiscal year, in 16 characters, and no number given twice."""
    connection, blr = people.connection, people.world.blr
    kinds = _kinds(people)
    assert len(kinds) >= 9
    years = connection.execute(
        "select distinct private.fiscal_year('2026-03-31', m) from generate_series(1, 12) m order by 1"
    ).fetchall()
    assert [year for (year,) in years] == ["2026", "25-26", "26-27"]
    seen: list[str] = []
    for (year,) in years:
        for kind in kinds:
            for serial in (1, 99_999, 100_000, 999_999):
                connection.execute(
                    "insert into private.number_counters (org_id, branch_id, kind, fiscal_year, last_value) "
                    "values (%s, %s, %s, %s, %s) on conflict (org_id, branch_id, kind, fiscal_year) "
                    "do update set last_value = excluded.last_value",
                    [people.world.teak.id, blr.id, kind, year, serial - 1],
                )
                (number,) = connection.execute(
                    "select private.take_number(%s, %s, %s, %s, %s)",
                    [people.world.teak.id, blr.id, kind, code, year],
                ).fetchone() or ("",)
                assert re.fullmatch(r"[A-Z0-9/-]{1,16}", number), (kind, year, number)
                assert number.startswith(f"{code}/{year}"), (kind, year, number)
                assert int(re.findall(r"\d+$", number)[0]) == serial
                seen.append(number)
    unlettered = [kind for kind in kinds if kind in {"invoice", "stock_transfer"}]
    # A transfer's paper is none of the tax office's: it shares the invoices' form, in a series of its own.
    assert len(seen) - len(set(seen)) == (len(unlettered) - 1) * len(years) * 4


def test_the_letter_parts_year_and_serial_in_the_last_series(people: People) -> None:
    """What was printed stays as it was; only from 100,000 on does the slash give way."""
    connection = people.connection
    connection.execute(
        "insert into private.number_counters (org_id, branch_id, kind, fiscal_year, last_value) "
        "values (%s, %s, 'receipt', '31-32', 99998)",
        [people.world.teak.id, people.world.blr.id],
    )
    taken = [
        connection.execute(
            "select private.take_number(%s, %s, 'receipt', 'BLR', '31-32')",
            [people.world.teak.id, people.world.blr.id],
        ).fetchone()
        for _ in range(2)
    ]
    assert taken == [("BLR/31-32/R99999",), ("BLR/31-32R100000",)]


def test_every_kind_that_is_numbered_begins_with_its_own_letter(owner: Connection) -> None:
    """One letter, one kind; the papers without a letter are told apart by where they are used."""
    letters = dict(ask(owner, "select kind, letter from private.document_kinds where letter is not null"))
    assert {kind for kind, letter in letters.items() if not letter} == {"invoice", "stock_transfer"}
    used = [letter for letter in letters.values() if letter]
    assert len(used) == len(set(used))
    assert set(names(owner, "select distinct kind from private.number_counters")) <= set(letters)


def test_a_later_room_brings_a_kind_of_its_own(people: People) -> None:
    """Numbered with its letter, allowed to move stock and to hold it, without an edit of another room."""
    org, branch = people.world.teak.id, people.world.blr.id
    query = "select private.next_number(%s, %s, 'purchase_order', '2026-05-01')"
    with pytest.raises(psycopg.Error), people.connection.transaction():
        people.connection.execute(query, [org, branch])
    people.connection.execute(
        "select private.add_document_kind('purchase_order', 'purchase orders', 'P', true, 'asked')"
    )
    assert ask(people.connection, query, [org, branch]) == [("BLR/26-27/P00001",)]
    held = people.as_stockkeeper().rpc(
        "reserve_stock",
        p_id=new_id(),
        p_location_id=people.world.blr.showroom,
        p_lines=[line(people.world.teak.variants["sofa"])],
        p_options={
            "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
            "document": "purchase_order",
            "document_id": str(new_id()),
        },
    )
    assert held["document"] == "purchase_order"
    moved = """
        update public.stock_movements set document = %s
        where id = (select min(id) from public.stock_movements)"""
    for kind, refused in (("quotation", True), ("purchase_order", False)):
        with people.connection.transaction(force_rollback=True):
            people.connection.execute("alter table public.stock_movements disable trigger user")
            if refused:
                with pytest.raises(psycopg.errors.CheckViolation):
                    people.connection.execute(moved, [kind])
            else:
                people.connection.execute(moved, [kind])


def test_a_letter_is_given_once(owner: Connection) -> None:
    """Two kinds of the same letter could not be told apart on paper."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("select private.add_document_kind('claim', 'claims', 'C')")
