"""Archiving places: nothing is locked up in them, and nothing reaches them that was on its way."""

from uuid import UUID

import pytest

from tests.database import moving
from tests.database.moving import archive, cancel, draft, new_branch, receive, reserve, sent
from tests.database.sales import adjust, line, on_hand
from tests.support.personas import new_id, raises
from tests.support.world import People


@pytest.fixture
def attic(people: People) -> UUID:
    """A place of the Bengaluru branch in which nothing ever lay."""
    return moving.attic(people)


def test_a_place_with_goods_is_not_archived(people: People, attic: UUID) -> None:
    """Once they are gone, it is; what was archived can come back."""
    sofa, admin = people.world.teak.variants["sofa"], people.as_admin()
    adjust(people, sofa, 2, "found", 40, p_location_id=attic)
    with raises("place_not_empty", 409) as refusal:
        archive(admin, "locations", attic)
    assert refusal.facts["locations"] == ["ATTIC"]
    adjust(people, sofa, -2, "write_off", p_location_id=attic)
    archive(admin, "locations", attic)
    with raises("not_found", 404):
        adjust(people, sofa, 2, "found", 40, p_location_id=attic)
    admin.execute("update public.locations set archived_at = null where id = %s", [attic])
    adjust(people, sofa, 2, "found", 40, p_location_id=attic)


def test_a_place_that_awaits_goods_is_not_archived(people: People, attic: UUID) -> None:
    """A draft promises nothing; what is on the road must arrive somewhere."""
    world, keeper, admin = people.world, people.as_stockkeeper(), people.as_admin()
    sofa = world.teak.variants["sofa"]
    made = draft(keeper, world.blr.showroom, attic, line(sofa, 2))
    on_way = draft(keeper, world.blr.showroom, attic, line(sofa, 1))
    keeper.rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=on_way["id"], p_lines=None)
    with raises("place_not_empty", 409):
        archive(admin, "locations", attic)
    cancel(keeper, on_way)
    archive(admin, "locations", attic)
    with raises("not_found", 404):
        keeper.rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=made["id"], p_lines=None)
    assert on_hand(people.connection, attic, sofa) == 0


def test_a_branch_with_goods_or_open_transfers_is_not_archived(people: People) -> None:
    """At either end: goods on the road may have to go back."""
    world, admin = people.world, people.as_admin()
    (new, new_shop), (old, old_shop) = new_branch(people, "NEW"), new_branch(people, "OLD")
    sofa = world.teak.variants["sofa"]
    arguments = {"p_location_id": old_shop, "p_variant_id": sofa}
    admin.rpc("adjust_stock", p_id=new_id(), p_quantity=1, p_reason="found", p_unit_cost=40, **arguments)
    with raises("place_not_empty", 409) as refusal:
        archive(admin, "branches", old)
    assert refusal.facts["locations"] == ["SHOP"]
    on_way = draft(admin, old_shop, new_shop, line(sofa, 1))
    admin.rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=on_way["id"], p_lines=None)
    for branch in (old, new):
        with raises("place_not_empty", 409) as refusal:
            archive(admin, "branches", branch)
        assert refusal.facts["transfers"] == [on_way["id"]]
    receive(admin, on_way)
    archive(admin, "branches", old)
    with raises("branch_archived", 422):
        admin.rpc("adjust_stock", p_id=new_id(), p_quantity=1, p_reason="found", p_unit_cost=40, **arguments)


def test_a_part_that_arrived_keeps_the_branch_open(people: People) -> None:
    """The rest of the goods would be stuck on the road."""
    world, admin = people.world, people.as_admin()
    road = sent(people, line(world.teak.variants["sofa"], 2))
    receive(admin, road, {"item_no": 1, "received": 1})
    with raises("place_not_empty", 409):
        archive(admin, "branches", world.mum.id)
    receive(admin, road)


def test_who_may_not_archive_learns_nothing(people: People, attic: UUID) -> None:
    """The policy comes first: no row, no refusal that tells what lies there."""
    adjust(people, people.world.teak.variants["sofa"], 2, "found", 40, p_location_id=attic)
    for person in (people.as_cashier(), people.as_foreign_admin(), people.as_nobody()):
        archive(person, "locations", attic)
    row = people.connection.execute(
        "select archived_at from public.locations where id = %s", [attic]
    ).fetchone()
    assert row == (None,)


def test_a_promise_keeps_a_place_open(people: People, attic: UUID) -> None:
    """What is reserved is on hand."""
    sofa = people.world.teak.variants["sofa"]
    adjust(people, sofa, 1, "found", 40, p_location_id=attic)
    reserve(people.as_cashier(), attic, line(sofa, 1))
    with raises("place_not_empty", 409):
        archive(people.as_admin(), "locations", attic)
