"""Clients make up the ids of their documents, so two houses may have the same: neither meets the other's."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.personas import Persona, new_id
from tests.support.world import House, People


def _start(person: Persona, house: House, goods: str, count: UUID) -> None:
    """A count of one variant at the first branch's showroom."""
    person.rpc(
        "start_count",
        p_id=count,
        p_location_id=house.branches[0].showroom,
        p_kind="cycle",
        p_options={"variant_ids": [house.variants[goods]]},
    )


def _record(person: Persona, house: House, goods: str, count: UUID, call: UUID, quantity: int) -> Any:
    lines = [{"variant_id": house.variants[goods], "quantity": quantity}]
    return person.rpc("record_count", p_id=call, p_count_id=count, p_lines=lines)


@pytest.mark.parametrize("foreign_first", [True, False])
def test_two_counts_with_one_id_do_not_meet(people: People, foreign_first: bool) -> None:
    """Otherwise a stranger who learns an id could lock a count, add to it and void what was entered."""
    count, call = new_id(), new_id()
    teak = (people.as_admin(), people.world.teak, "pot")
    lagoon = (people.as_foreign_admin(), people.world.lagoon, "pump")
    for person, house, goods in (lagoon, teak) if foreign_first else (teak, lagoon):
        _start(person, house, goods, count)
    for (person, house, goods), quantity in ((teak, 7), (lagoon, 3)):
        entered = _record(person, house, goods, count, call, quantity)
        assert [each["quantity"] for each in entered["entries"]] == [quantity]
    for (person, *_), counted in ((teak, 7), (lagoon, 3)):
        found = person.rpc("get_count", p_id=count)
        assert [each["counted"] for each in found["lines"]] == [counted]
    people.as_foreign_admin().rpc("submit_count", p_id=new_id(), p_count_id=count)
    people.as_foreign_admin().rpc("recount", p_id=new_id(), p_count_id=count)
    done = people.as_admin().rpc("submit_count", p_id=new_id(), p_count_id=count)
    assert (done["status"], done["lines"][0]["counted"]) == ("submitted", 7)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert people.as_foreign_admin().rpc("get_count", p_id=count)["status"] == "counting"
    people.as_foreign_admin().rpc("cancel_count", p_id=new_id(), p_count_id=count)
