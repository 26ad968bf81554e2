"""All stock acts in random order, as several people on several connections, held to the model after every step.

`STOCK_STEPS=20000` in the environment runs that many steps; the suite runs a few hundred.
"""

import json
import os
from collections import Counter
from random import Random
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.properties.acts import Acts
from tests.properties.database import broken, fingerprint, read_state
from tests.properties.house import Call, House, found_house
from tests.properties.model import Model
from tests.support.personas import Connection

STEPS = int(os.environ.get("STOCK_STEPS", "600"))
STEPS_OF_A_RUN = 60

# A step's choices come from a seed: hypothesis makes a failing run shorter by leaving steps out.
seeds = st.integers(0, 2**64 - 1)


def ask(house: House, call: Call) -> tuple[str | None, Any]:
    """Make the call as the one who makes it: the refusal's stable code, and the answer."""
    try:
        return None, house.people[call.who].rpc(call.function, **call.arguments)
    except psycopg.Error as error:
        assert (error.sqlstate or "").startswith("PT"), f"{call}: {error}"
        return json.loads(error.diag.message_detail or "{}")["code"], None


class StockMachine(RuleBasedStateMachine):
    """One run: a house of its own, and acts in it."""

    owner: ClassVar[Connection]
    connections: ClassVar[list[Connection]]
    outcomes: ClassVar[Counter[tuple[str, str]]]

    @initialize(seed=seeds)
    def found(self, seed: int) -> None:
        """Found the house and bring its first goods in."""
        self.house = found_house(self.owner, self.connections)
        self.model = Model(self.house)
        self.steps = 0
        for call in Acts(self.house, self.model, Random(seed)).openings():
            assert (ask(self.house, call)[0], self.model.predict(call)) == (None, None)
        self.learn()

    @rule(seed=seeds)
    def act(self, seed: int) -> None:
        """Any act."""
        self.steps += 1
        # The step's number keeps ids apart when hypothesis draws a seed twice.
        self.perform(Acts(self.house, self.model, Random(f"{seed} {self.steps}")).any())

    def perform(self, call: Call) -> None:
        """Make the call, then hold everything to the model and to what must always be true."""
        refused_before = fingerprint(self.owner, self.house)
        repeated = call.arguments["p_id"] in self.model.done
        expected = self.model.predict(call)
        code, answer = ask(self.house, call)
        self.outcomes[call.function, code or ("again" if repeated else "done")] += 1
        assert code == expected, f"{call}: expected {expected}, got {code}"
        if code is not None or repeated:
            assert fingerprint(self.owner, self.house) == refused_before, f"{call} left something behind"
        elif self.outcomes.total() % 7 == 0:
            assert ask(self.house, call) == (None, answer), f"{call} answered otherwise when asked again"
        self.learn()
        assert broken(self.owner, self.house) == []

    def learn(self) -> None:
        """The model is the database; the ids that the database gave are taken over."""
        found = read_state(self.owner, self.house)
        for key, (_, day) in self.model.state.batches.items():
            if key in found.batches:
                self.model.state.batches[key] = (found.batches[key][0], day)
        assert self.model.state == found


def test_any_order_of_acts_keeps_the_books(
    owner: Connection, connections: list[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    machine = type("Machine", (StockMachine,), {"owner": owner, "connections": connections, "outcomes": outcomes})
    while outcomes.total() < STEPS:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, (STEPS - outcomes.total()) // STEPS_OF_A_RUN),
                stateful_step_count=STEPS_OF_A_RUN,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    with capsys.disabled():
        print(f"\n{outcomes.total()} steps: " + ", ".join(f"{' '.join(k)} {n}" for k, n in sorted(outcomes.items())))
