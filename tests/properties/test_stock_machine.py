"""All stock acts in random order, by several people on several connections, held to the model at every step.

`STOCK_STEPS=20000` in the environment runs that many steps; the suite runs a few hundred.
"""

import os
from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.properties.run import Outcomes, Run
from tests.support.personas import Connection

STEPS = int(os.environ.get("STOCK_STEPS", "600"))
STEPS_OF_A_RUN = 100

# A step's choices come from a seed: hypothesis makes a failing run shorter by leaving steps out.
seeds = st.integers(0, 2**64 - 1)


class StockMachine(RuleBasedStateMachine):
    """One run: a house of its own, and acts in it."""

    owner: ClassVar[Connection]
    connections: ClassVar[list[Connection]]
    outcomes: ClassVar[Outcomes]

    @initialize(seed=seeds)
    def found(self, seed: int) -> None:
        """Found the house and bring its first goods in."""
        self.run = Run(self.owner, self.connections, self.outcomes)
        self.run.open(seed)

    @rule(seed=seeds)
    def act(self, seed: int) -> None:
        """Any act."""
        self.run.act(seed)


def test_any_order_of_acts_keeps_the_books(
    owner: Connection, connections: list[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Outcomes = Counter()
    parts = {"owner": owner, "connections": connections, "outcomes": outcomes}
    machine = type("Machine", (StockMachine,), parts)
    while outcomes.total() < STEPS:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, (STEPS - outcomes.total()) // STEPS_OF_A_RUN),
                stateful_step_count=STEPS_OF_A_RUN,
                deadline=None,
                database=None,
                # Whoever asks for more steps asks for others than those of every run.
                derandomize="STOCK_STEPS" not in os.environ,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    with capsys.disabled():
        told = ", ".join(f"{' '.join(kind)} {times}" for kind, times in sorted(outcomes.items()))
        print(f"\n{outcomes.total()} steps: {told}")
