"""The replay of a wholesaler's till file, on a small file with every quirk of the real one."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from local.client import Progress
from local.keys import Keys
from local.replay.__main__ import run
from local.replay.report import Report
from local.replay.returns import match
from local.replay.source import BadFile, Source
from local.services import Gateway

SLICE = Path(__file__).parent / "data" / "till_slice.csv"
REAL = Path(__file__).parents[3] / "shared" / "data" / "online_retail_10k.csv.gz"

# Lines of the small file that are sold, in pounds before tax, counted by hand.
NET = Decimal("33.88") + Decimal("5.91") + Decimal("129.60") + Decimal("107.49") + Decimal("12.75")


def silent(_what: str, _done: int, _total: int) -> None:
    """No progress bar."""


@pytest.fixture(scope="module")
def environment(gateway: Gateway, keys: Keys) -> dict[str, str]:
    """What `./dev env` would print of the test's stack."""
    return {
        "SUPABASE_URL": gateway.url,
        "SUPABASE_ANON_KEY": keys.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role_key,
        "DEMO_PASSWORD": keys.demo_password,
    }


@pytest.fixture(scope="module")
def first(environment: dict[str, str]) -> Report:
    """The report of the first replay."""
    return run(Source.read(SLICE), environment, silent)


def figure(report: Report, what: str) -> str:
    """A figure as the database gave it."""
    return next(check.database for check in report.checks if check.what == what)


def test_everything_arrives_and_reconciles(first: Report) -> None:
    assert [check.what for check in first.checks if not check.ok] == []
    assert first.refused == {}
    assert first.reconciles
    assert figure(first, "Invoices") == "7"
    assert figure(first, "Lines") == "11"
    assert figure(first, "Net value, GBP") == str(NET)
    assert figure(first, "Write-offs") == "1"
    assert figure(first, "Pieces written off") == "10"
    assert first.facts["First and last number"] == "WHS/10-11/000001, WHS/10-11/000007"
    assert first.facts["Cancellations"] == "1 with 1 lines, -3.39 GBP; the sale was found for 1"
    assert first.facts["Supplies"] == "domestic 5, export 2"


def test_rates_follow_the_day_and_exports_bear_no_tax(first: Report) -> None:
    # Rounded line by line: 15.30, 6.78, 11.80, 5.91 and 107.49 at 17.5 %, 4.25 at 20 %.
    expected = sum(Decimal(tax) for tax in ("2.68", "1.19", "2.07", "1.03", "18.81", "0.85"))
    assert figure(first, "VAT, GBP") == str(expected)


def test_a_cancellation_becomes_a_credit_note(first: Report) -> None:
    # One of the two lanterns of 3.39 that customer 17850 bought: half of the line's 1.19 VAT, rounded up.
    assert figure(first, "Credit notes") == "1"
    assert figure(first, "Net value credited, GBP") == "3.39"
    assert figure(first, "VAT credited, GBP") == "0.60"
    assert figure(first, "Refunds, GBP") == "3.99"
    assert figure(first, "Pieces that came back") == "1"
    assert figure(first, "The whole file, GBP") == str(NET - Decimal("3.39"))
    assert figure(first, "Documents whose sums disagree") == "0"
    assert first.facts["First and last credit note"] == "WHS/10-11/C00001, WHS/10-11/C00001"


def test_what_has_no_sale_in_the_file_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    # One more lantern (the other of the two), one too many, a discount, and a set bought only later.
    file = tmp_path / "cancelled.csv"
    file.write_text(
        SLICE.read_text()
        + "C700011,71053,WHITE METAL LANTERN,-1,2010-12-02 09:00:00,3.39,17850.0,United Kingdom\n"
        + "C700012,71053,WHITE METAL LANTERN,-1,2010-12-02 09:05:00,3.39,17850.0,United Kingdom\n"
        + "C700013,D,Discount,-1,2010-12-02 09:10:00,27.50,17850.0,United Kingdom\n"
        + 'C700014,22139,"RETRO SPOT TEA SET",-1,2010-12-02 09:15:00,4.25,13047.0,EIRE\n'
        + "C700015,85123A,WHITE HANGING HEART,-1,2010-12-02 09:20:00,2.55,13047.0,EIRE\n"
    )
    report = run(Source.read(file), environment, silent)
    assert [check.what for check in report.checks if not check.ok] == []
    assert report.reconciles
    assert figure(report, "Credit notes") == "2"
    # Both halves of the line: together exactly its VAT of 1.19.
    assert figure(report, "VAT credited, GBP") == "1.19"
    assert {name: fact for name, fact in report.facts.items() if name.startswith("No credit note")} == {
        "No credit note, a charge or discount, no sale of it": "1 lines of 1 cancellations, -27.50 GBP",
        "No credit note, bought in the file at another price, or fewer": (
            "1 lines of 1 cancellations, -3.39 GBP"
        ),
        "No credit note, bought in the file, but later only": "1 lines of 1 cancellations, -4.25 GBP",
        "No credit note, the customer bought none in the file": "1 lines of 1 cancellations, -2.55 GBP",
    }


def test_a_second_replay_changes_nothing(first: Report, environment: dict[str, str]) -> None:
    again = run(Source.read(SLICE), environment, silent)
    assert again.reconciles
    assert again.before == again.after == first.after
    assert first.before != first.after


def test_a_replay_that_died_is_taken_up_again(environment: dict[str, str], tmp_path: Path) -> None:
    # Another content makes another organisation.
    file = tmp_path / "other.csv"
    file.write_text(SLICE.read_text() + "700010,71053,WHITE METAL LANTERN,1,2011-01-05 09:00:00,3.39,,EIRE\n")
    with pytest.raises(KeyboardInterrupt):
        run(Source.read(file), environment, _dies_at("Sales", 3))
    report = run(Source.read(file), environment, silent)
    assert report.reconciles
    assert report.before is not None
    assert report.before.invoices == 3
    assert figure(report, "Invoices") == "8"


def _dies_at(step: str, place: int) -> Progress:
    def progress(what: str, done: int, _total: int) -> None:
        if (what, done) == (step, place):
            raise KeyboardInterrupt

    return progress


def test_what_does_not_reconcile_is_told(first: Report, environment: dict[str, str]) -> None:
    report = run(_with_another_price(Source.read(SLICE)), environment, silent)
    assert not report.reconciles
    # The same invoice at another price: the database keeps the first and says so.
    assert list(report.refused) == ["id_reused"]
    assert {check.what for check in report.checks if not check.ok} == {
        "Net value, GBP",
        "VAT, GBP",
        "Gross, GBP",
        "Paid, GBP",
        "The whole file, GBP",
    }
    assert report.after == first.after
    assert json.loads(json.dumps(report.as_json()))["reconciles"] is False


def _with_another_price(source: Source) -> Source:
    slip = next(slip for slip in source.slips if slip.number == "700007")
    slip.lines[0] = replace(slip.lines[0], unit_price=Decimal("99.99"))
    return source


def test_names_and_prices_are_the_most_frequent_ones() -> None:
    items = Source.read(SLICE).items
    assert items["85123A"].name == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert items["71053"].price == Decimal("3.39")
    assert items["22139"].price == Decimal("4.25")
    assert items["22139"].name == 'RETRO SPOT TEA SET, "CERAMIC" 11 PC'
    # Codes that differ in case only are two codes, as in the file.
    assert "85123a" in items
    assert not items["POST"].goods
    assert not items["M"].goods


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"InvoiceNo,StockCode\n1,2\n", "Line 2"),
        (SLICE.read_bytes().replace(b",EIRE", b",Atlantis"), "Line 13"),
        (SLICE.read_bytes().replace(b"2010-12-01 10:10:00", b"yesterday"), "Line 12"),
    ],
)
def test_a_file_that_is_none_says_where(content: bytes, where: str) -> None:
    with pytest.raises(BadFile, match=where):
        Source(content)


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not beside this checkout")
def test_the_cancellations_of_the_real_file_find_their_sales() -> None:
    source = Source.read(REAL)
    matched = match(source)
    assert len(matched.returns) == 9
    assert sum(back.net for back in matched.returns) == Decimal("184.00")
    assert {why: len(lost) for why, lost in matched.lost.items()} == {
        "a charge or discount, no sale of it": 2,
        "bought in the file, but later only": 12,
        "the customer bought none in the file": 76,
    }
    cancelled = sum(slip.value for slip in source.cancellations)
    assert matched.lost_value - Decimal("184.00") == cancelled == Decimal("-3580.58")


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not beside this checkout")
def test_the_real_file_is_read_as_its_description_counts_it() -> None:
    source = Source.read(REAL)
    assert source.line_count == 10_000
    assert len(source.slips) == 512
    assert len(source.items) == 2_015
    assert len(source.customers) == 323
    assert len(source.cancellations) == 43
    assert sum(len(slip.lines) for slip in source.write_offs) == 30
    assert max(len(slip.lines) for slip in source.slips) == 593
    assert sum(slip.value for slip in source.slips) == Decimal("180667.75")
    assert sum(slip.value for slip in source.sales) == Decimal("184248.33")
