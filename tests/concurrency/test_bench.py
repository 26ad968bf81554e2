"""The measurements run, and prove the books that they leave."""

import json
import random
import subprocess
import sys

import psycopg
from psycopg import sql

from bench import bare
from bench.realtime import Faults, faults
from bench.shop import Shop
from local import databases
from local.paths import ROOT
from tests.support.stack import Shared


def test_bench_sale_prints_its_ratios_and_breaks_nothing(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "sale", "--seconds", "0.1", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    assert {name: ratio["target"] for name, ratio in result["ratios"].items()} == {
        "sale / TPC-B, 1 client": 0.35,
        "sale / TPC-B, 8 clients": 0.22,
        "sale / bare writes, 1 client": 0.5,
        "sale / bare writes, 8 clients": 0.42,
        "one series / 8 series": 0.5,
        "one hot SKU / spread SKUs": 0.5,
    }
    assert all(ratio["median"] > 0 for ratio in result["ratios"].values())


def test_bare_writes_are_the_rows_of_a_sale(shared: Shared) -> None:
    """As many rows in each table as the sale put there: the floor is no lower than the house."""
    name = shared.new_database()
    shop = Shop.found(shared.cluster.url(name), branches=2, variants=5, stock=100)
    written = bare.footprint(shop, shared.cluster.superuser_url(name))
    assert written.inserted["invoice_lines"] == bare.LINES
    assert written.updated["stock_levels"] == bare.LINES
    clone = f"{name}_bare"
    databases.clone(shared.cluster, name, clone)
    url = shared.cluster.superuser_url(clone)
    bare.without_rules(url)
    session = bare.Bare(url, shop, written).connect(1, random.Random(1))

    def rows() -> dict[str, int]:
        with psycopg.connect(url) as owner:
            query = sql.SQL("select count(*) from {}")
            return {
                table: (owner.execute(query.format(sql.SQL(table))).fetchone() or (0,))[0]
                for table in written.inserted
            }

    before = rows()
    for _ in range(3):
        session.transact()
    assert {table: (count - before[table]) / 3 for table, count in rows().items()} == written.inserted


def test_bench_billing_uses_everything_and_breaks_nothing(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "billing", "--seconds", "0.1", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    ratios = result["sales"]["ratios"]
    assert {name for name, ratio in ratios.items() if ratio["target"]} == {
        "with everything / TPC-B, 1 client",
        "with everything / TPC-B, 8 clients",
    }
    assert all(ratio["median"] > 0 for ratio in ratios.values())
    assert result["papers"]["ratios"]["invoice / bare page"]["target"] == 0.005


def test_what_subscribers_did_not_hear_is_told_by_name() -> None:
    sales = ["a", "b", "c", "d"]
    assert faults(sales, sales) == Faults()
    # As many messages as sales, yet two are wrong: a count would not tell.
    assert faults(sales, ["a", "b", "b", "d"]) == Faults(lost=1, doubled=1)
    assert faults(sales, ["a", "c", "b", "d"]) == Faults(late=1)
    assert faults(sales, ["a", "b", "x", "d"]) == Faults(lost=1, strange=1)
    assert faults(sales, []) + faults(sales, ["d"]) == Faults(lost=7)


def test_bench_realtime_loses_nothing(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "realtime", "--sales", "5", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    assert result["target"] == {"subscribers": 500, "p95": 132}
    assert list(result["milliseconds"]) == ["1", "50", "500"]
    assert all(0 < one["p50"] <= one["p95"] <= one["max"] for one in result["milliseconds"].values())


def test_bench_lists_prints_its_ratios_and_shows_everybody_what_is_his(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "lists", "--rounds", "1", "--invoices", "2200", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    members = ("small tenant", "3 of 500 branches", "one of 3 of 500 branches", "admin of 500")
    assert {f"{member}: invoices" for member in members} <= set(result["queries"])


def test_bench_stock_prints_its_ratios_and_shows_nobody_the_rows_of_others(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "stock", "--rounds", "1", "--variants", "2000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    assert {"first page", "location, deep", "search: two words", "search: no hit"} <= set(result["queries"])
    assert all(query["ratio"]["median"] > 0 for query in result["queries"].values())
