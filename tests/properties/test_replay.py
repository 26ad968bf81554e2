"""Acts posted again: in another house they give the same levels, in the same house they change nothing."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.properties.database import broken, entry_ids, fingerprint, read_state
from tests.properties.house import CLOCK, House, found_house
from tests.properties.run import Run, ask
from tests.properties.state import State
from tests.support.personas import Connection, new_id

STEPS = 80


class Mapping:
    """The ids of one house as those of another.

    Parameters:
        old, new: the houses; ids that neither made are given another each, always the same.
    """

    def __init__(self, old: House, new: House) -> None:
        self.known: dict[UUID, UUID] = {old.id: new.id, old.customer: new.customer}
        for name in ("places", "branches", "variants"):
            here, there = getattr(old, name), getattr(new, name)
            self.known |= {here[key]: there[key] for key in here}

    def __call__(self, value: Any) -> Any:
        """The same value with the other house's ids."""
        if isinstance(value, UUID):
            return self.known.setdefault(value, new_id())
        if isinstance(value, str):
            try:
                return str(self(UUID(value)))
            except ValueError:
                return value
        if isinstance(value, dict):
            return {key: self(each) for key, each in value.items()}
        return [self(each) for each in value] if isinstance(value, list | tuple) else value


def figures(state: State) -> tuple[object, ...]:
    """What lies where, which needs no ids."""
    return state.levels, state.lots, state.pieces


def entries(owner: Connection, house: House, mapping: Mapping | None = None) -> dict[tuple[UUID, int], UUID]:
    """The entries of counts by their count, as the other house calls it, and their place."""
    return {
        ((mapping(count) if mapping else count), place): entry
        for count, place, entry in entry_ids(owner, house)
    }


@pytest.mark.parametrize("seed", range(3))
def test_acts_posted_again_give_the_same_levels(
    owner: Connection, connections: list[Connection], seed: int
) -> None:
    """All calls, the refused ones too, in their order, in a house that has seen nothing yet."""
    first = Run(owner, connections, Counter())
    first.open(seed)
    chance = Random(seed)
    for _ in range(STEPS):
        first.act(chance.getrandbits(60))
    second = found_house(owner, connections)
    mapping = Mapping(first.house, second)
    original = entries(owner, first.house, mapping)
    for call in first.calls:
        if call.function == "void_count_entry":
            # The database makes these ids: the entry is the one at the same place of the same count.
            there = entries(owner, second)
            mapping.known |= {old: there[key] for key, old in original.items() if key in there}
        ask(owner, second, replace(call, arguments=mapping(dict(call.arguments))))
    assert figures(read_state(owner, second)) == figures(first.model.state)
    assert broken(owner, second) == []


def test_calls_repeated_in_the_same_house_change_nothing(
    owner: Connection, connections: list[Connection]
) -> None:
    """Whatever was done meanwhile: the answer is the document, and no table has another row."""
    run = Run(owner, connections, Counter())
    run.open(7)
    chance = Random(7)
    for _ in range(STEPS):
        run.act(chance.getrandbits(60))
    before = fingerprint(owner, run.house)
    repeated = [call for call in run.model.done.values() if call.who != CLOCK]
    assert len(repeated) > STEPS // 3
    for call in repeated:
        code, answer = ask(owner, run.house, call)
        assert code is None, call
        assert answer is not None
    assert fingerprint(owner, run.house) == before
