"""What people see: tables that fit, money that is whole, progress and questions where somebody is there."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import typer
from rich.cells import cell_len

from cli.opts import amount
from local.paths import ROOT
from tests.api.conftest import Shop
from tests.cli.conftest import Terminal
from tests.cli.phones import CASE, PhoneShop, terms

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def agreement(phones: PhoneShop) -> dict[str, Any]:
    """An agreement with every kind of amount in its schedule."""
    customer = phones.customer("Venkataraghavan Subramaniam & Sons, Trading Company")
    words = terms("--interest", "flat=12", "--fee", "File charge=250")
    return phones.agreed(phones.sold(customer), *words)


def _at_a_terminal(terminal: Terminal, *words: str, typed: str = "", columns: int = 80) -> tuple[int, str]:
    """Run a command at a terminal of its own; its exit status, and everything that appeared there."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, **{k: v for k, v in terminal.environment.items() if v}, "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b""
    try:
        while piece := os.read(ours, 65_536):
            seen += piece
    except OSError:
        # The other side has been closed: the command has ended.
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=60), seen.decode()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_table_fits_and_money_is_whole(phones: PhoneShop, agreement: dict[str, Any], columns: int) -> None:
    clerk = phones.clerk.wide(columns)
    shown = clerk.run("instalments", "show", agreement["number"])
    assert shown.exit_code == 0
    schedule = shown.stdout.partition("Schedule (INR)\n")[2]
    lines = schedule.splitlines()
    assert max(map(len, lines)) <= columns
    for line, part in zip(lines[1:], agreement["schedule"], strict=False):
        assert line.rstrip().endswith(f"{part['outstanding']:,.2f}")
        assert part["due_on"] in line
    assert len({len(line.rstrip()) for line in lines}) == 1, "the last column ends where its title does"
    assert ("No room for: " in shown.stderr) == (columns < 120)
    assert ("Principal" in schedule) != ("Principal" in shown.stderr)


def test_only_what_can_be_spared_is_left_out(phones: PhoneShop, agreement: dict[str, Any]) -> None:
    shown = phones.clerk.wide(80).run("instalments", "list", "-c", agreement["customer_id"])
    (line,) = [line for line in shown.stdout.splitlines() if agreement["number"] in line]
    assert "21,050.00" in line
    assert "Invoice" in shown.stderr
    assert "Invoice" not in phones.clerk.run("instalments", "list").stderr, (
        "a file is as wide as it needs to be"
    )


def test_sums_stand_beneath_their_columns(phones: PhoneShop, agreement: dict[str, Any]) -> None:
    said = phones.clerk.says("instalments", "show", agreement["number"])
    (total,) = [line for line in said.splitlines() if line.split()[:1] == ["Total"]]
    assert total.split()[1:] == ["20,000.00", "800.00", "250.00", "21,050.00", "0.00", "21,050.00"]


def test_a_progress_bar_counts_what_is_read(admin: Terminal, shop: Shop) -> None:
    mark = uuid4().hex[:8]
    rows = [{"id": str(uuid4()), "org_id": str(shop.org_id), "name": f"{mark} {i:04d}"} for i in range(700)]
    shop.admin.client.table("customers").insert(rows).execute()
    status, seen = _at_a_terminal(admin, "customers", "list", mark, "--all")
    assert status == 0
    assert "700/700" in seen
    text = _ESCAPES.sub("", seen)
    assert [f"{mark} {i:04d}" for i in range(700)] == re.findall(rf"{mark} \d{{4}}", text)
    for words in (["customers", "list", mark, "--all"], ["customers", "list", mark, "--all", "--json"]):
        done = admin.run(*words)
        assert done.stderr == "", "no bar without a terminal"
        assert "\x1b" not in done.stdout
    assert "/700" not in _at_a_terminal(admin, "customers", "list", mark, "--all", "--json")[1]


def test_questions_are_asked_where_somebody_can_answer(phones: PhoneShop) -> None:
    sell = ["sales", "new", CASE, "--pay", "cash"]
    status, seen = _at_a_terminal(phones.cashier, *sell, typed="n\n")
    assert status == 1
    assert "Sell it for 589.00 INR?" in seen
    assert "not_confirmed" in seen
    status, seen = _at_a_terminal(phones.cashier, *sell, typed="y\n")
    assert (status, "Sold: PUN/" in seen) == (0, True)
    assert "\x1b[1m" in seen, "headings stand out"


def test_the_till_is_counted_at_the_terminal(phones: PhoneShop) -> None:
    clerk = phones.clerk
    opened = clerk.gives("shifts", "open", "--float", "100")
    clerk.gives("sales", "new", CASE, "--pay", "upi", "--yes")
    status, seen = _at_a_terminal(clerk, "shifts", "close", typed="90\n589\ny\n")
    assert status == 0, seen
    assert seen.index("Counted, cash") < seen.index("100.00"), (
        "what is expected is not shown before the count"
    )
    assert clerk.gives("shifts", "report", opened["id"])["difference"] == -10


def test_the_menu_at_a_terminal(phones: PhoneShop) -> None:
    status, seen = _at_a_terminal(phones.clerk, "reports", typed="3\n\x04")
    assert status == 0
    assert "Number, Enter for the list, q to end: " in seen
    assert "Instalments due" in seen


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1250", "1250"),
        ("12.50", "12.50"),
        ("1,250.5", "1250.5"),
        ("1,25,000", "125000"),
        ("-5", "-5"),
        ("\u0665\u0660", "50"),
    ],
)
def test_amounts_as_they_are_typed(typed: str, meant: str) -> None:
    assert amount(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["12,50", "1,5", "1.250,00", ",5", "1,2500", "nan", "five", "1e5", "1_000"])
def test_what_might_be_another_amount_is_refused(typed: str) -> None:
    with pytest.raises(typer.BadParameter):
        amount(typed)


def test_dates_and_words_are_whole_in_a_narrow_terminal(
    phones: PhoneShop, agreement: dict[str, Any], later: Callable[[int], None]
) -> None:
    """Rather a column is left out, and named, than a date or a status told in two lines."""
    names = "शिवकुमार रामास्वामी अय्यर", "شركة النور للتجارة العامة والمقاولات"
    customers = [phones.customer(name) for name in names]
    for customer in customers:
        phones.agreed(phones.sold(customer), *terms())
    later(60)
    owner = phones.owner.wide(60)
    owner.run("instalments", "run-overdue")
    who = customers[0]["id"]
    of_one = [["customers", what, who] for what in ("show", "history", "credit")]
    of_one.append(["customers", "statement", who, "--from", "2026-01-01", "--to", "2099-12-31"])
    reports = ("outstanding", "ageing", "top-sellers", "revenue", "sales", "cash-up")
    of_one += [["reports", report] for report in reports]
    lists = [[what, "list"] for what in ("sales", "payments", "instalments")]
    lists += [["instalments", what] for what in ("overdue", "reminders")]
    for words in [*lists, *of_one]:
        said = owner.says(*words)
        assert max(map(cell_len, said.splitlines())) <= 60, said
        assert "…" not in said, said
        assert not re.findall(r"(?<![\d.,])[\d,]*\d,\d{3}(?!\.\d\d|,|\d)", said), said
        assert not re.findall(r"(?<!\S)(?:\d{4}-(?!\d\d-\d\d)\S*|part(?!ially_paid)\w*)", said), said
        assert re.findall(r"\+91 ?\n", said) == []
        if words in lists:
            assert {word for name in names for word in name.split()} <= set(said.split()), said
