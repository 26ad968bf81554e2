"""The measurements run, and prove the books that they leave."""

import json
import subprocess
import sys

from bench.realtime import Faults, faults
from local.paths import ROOT
from tests.support.stack import Shared


def test_bench_sale_prints_its_ratios_and_breaks_nothing(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "sale", "--seconds", "0.1", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    assert {name: ratio["target"] for name, ratio in result["ratios"].items()} == {
        "sale / TPC-B, 1 client": 0.25,
        "sale / TPC-B, 8 clients": 0.25,
        "one series / 8 series": 0.5,
        "one hot SKU / spread SKUs": 0.5,
    }
    assert all(ratio["median"] > 0 for ratio in result["ratios"].values())


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


def test_bench_stock_prints_its_ratios_and_shows_nobody_the_rows_of_others(shared: Shared) -> None:
    command = [sys.executable, "-m", "bench", "stock", "--rounds", "1", "--variants", "2000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["violations"] == []
    assert {"first page", "location, deep", "search: two words", "search: no hit"} <= set(result["queries"])
    assert all(query["ratio"]["median"] > 0 for query in result["queries"].values())
