"""Somebody archives a place while goods come to it: one of the two waits, and sees what the other did."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.properties.house import found_house
from tests.support.personas import Connection, Persona, new_id
from tests.support.refusals import code_of

WAITING = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.mark.parametrize("table", ["locations", "branches"])
@pytest.mark.parametrize("first", ["goods", "archive"])
def test_goods_and_the_end_of_a_place(
    owner: Connection, connections: list[Connection], table: str, first: str
) -> None:
    """Nothing comes to lie in a place that is archived, whoever was first."""
    house = found_house(owner, connections)
    admin = house.people["admin"]
    one, other = (
        Persona(connections[n], admin.role, admin.user_id, admin.email, admin.request_id) for n in (1, 2)
    )
    place = house.places["B.store"]
    archived = place if table == "locations" else house.branches["B"]

    def bring(person: Persona) -> None:
        person.rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=place,
            p_variant_id=house.variants["sofa"],
            p_quantity=1,
            p_reason="found",
        )

    def archive(person: Persona) -> None:
        person.execute(f"update public.{table} set archived_at = now() where id = %s", [archived])  # noqa: S608

    acts: dict[str, Callable[[Persona], None]] = {"goods": bring, "archive": archive}
    second = next(act for name, act in acts.items() if name != first)

    def attempt() -> str | None:
        try:
            second(other)
        except psycopg.Error as error:
            return code_of(error)
        return None

    with ThreadPoolExecutor(1) as pool:
        with one.connection.transaction():
            acts[first](one)
            waiting = pool.submit(attempt)
            while not owner.execute(WAITING).fetchall():
                assert not waiting.done(), waiting.result()
                time.sleep(0.01)
        assert waiting.result() == ("place_not_empty" if first == "goods" else "not_found")
