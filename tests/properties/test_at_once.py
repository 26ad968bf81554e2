"""Several people at once, each with random acts of his own: no deadlock, no surprise, and the books hold."""

import os
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from bench import checks
from local.paths import ROOT
from tests.concurrency.together import together
from tests.properties.acts_sales import EveryAct
from tests.properties.database import broken, entry_ids, read_invoices, read_orders, read_state
from tests.properties.house import CLOCK, House, doors, found_house
from tests.properties.learned import Sales
from tests.properties.run import ask
from tests.support.personas import Connection, connect
from tests.support.stack import Shared

PEOPLE_AT_ONCE = 6
ACTS = int(os.environ.get("STOCK_STEPS", "600")) // PEOPLE_AT_ONCE
LOOK_EVERY = 5


def work(url: str, house: House, number: int, seed: int) -> Counter[str]:
    """One person's acts. What there is to act on is read now and then, so it may be stale."""
    chance, codes, model = Random(f"{seed} {number}"), Counter[str](), Sales(house)
    with connect(url) as owner, doors(url, 1) as (own,):
        mine = replace(
            house, people={key: replace(person, connection=own) for key, person in house.people.items()}
        )
        for step in range(ACTS):
            if step % LOOK_EVERY == 0:
                model.state.become(read_state(owner, house))
                model.invoices = read_invoices(owner, house)
                model.orders = read_orders(owner, house)
                model.entry_ids = {entry: (count, at) for count, at, entry in entry_ids(owner, house)}
            call = EveryAct(mine, model, chance).any()
            code, _ = ask(owner, mine, call)
            if code is None and call.who != CLOCK:
                model.done[call.arguments["p_id"]] = call
            codes[code or "done"] += 1
    return codes


@pytest.mark.parametrize("seed", [1, 2])
def test_people_at_once_break_nothing(
    shared: Shared,
    fresh_database: str,
    owner: Connection,
    connections: list[Connection],
    capsys: pytest.CaptureFixture[str],
    seed: int,
) -> None:
    """Any error that is no refusal of ours, a deadlock above all, fails the test where it happens."""
    house = found_house(owner, connections)
    model = Sales(house)
    for call in EveryAct(house, model, Random(seed)).openings():
        assert ask(owner, house, call)[0] is None
    url = shared.cluster.superuser_url(fresh_database)
    outcomes = together([partial(work, url, house, number, seed) for number in range(PEOPLE_AT_ONCE)])
    codes = sum((outcome for outcome in outcomes if isinstance(outcome, Counter)), Counter[str]())
    assert [outcome for outcome in outcomes if not isinstance(outcome, Counter)] == []
    assert set(codes) - {"done"} <= stable_codes()
    assert codes.total() == PEOPLE_AT_ONCE * ACTS
    assert broken(owner, house) == []
    assert checks.deadlocks(owner) == 0
    checked = house.people["admin"].rpc("check_integrity", p_org_id=house.id)
    assert checked["passed"], checked
    with capsys.disabled():
        print(f"\n{codes.total()} acts of {PEOPLE_AT_ONCE} people at once: {dict(codes.most_common())}")


def stable_codes() -> set[str]:
    """The codes that docs/error_codes.md lists."""
    return set(re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "error_codes.md").read_text(), re.MULTILINE))
