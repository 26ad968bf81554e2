"""Numbered pieces and lots: which ones go, where they are, and what may not be sold."""

from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import adjust, footprint, line, on_hand, sell
from tests.support.personas import Connection, raises, raises_sqlstate
from tests.support.world import People


def units(connection: Connection, variant: UUID) -> dict[str, tuple[str, UUID]]:
    """Status and location of each piece, by serial number."""
    rows = connection.execute(
        "select serial, status, location_id from public.stock_units where variant_id = %s", [variant]
    ).fetchall()
    return {serial: (status, location) for serial, status, location in rows}


def lots(connection: Connection, location: UUID, variant: UUID) -> dict[str, int]:
    """What lies at the location of each lot."""
    rows = connection.execute(
        "select b.code, l.on_hand from public.batch_levels l join public.batches b on b.id = l.batch_id "
        "where l.location_id = %s and l.variant_id = %s and l.on_hand > 0",
        [location, variant],
    ).fetchall()
    return {code: int(quantity) for code, quantity in rows}


@pytest.fixture
def phone(people: People) -> UUID:
    """Three pieces BLR-1 to BLR-3 in the Bengaluru showroom, twelve months of warranty."""
    return people.world.teak.variants["phone"]


@pytest.fixture
def paint(people: People) -> UUID:
    """Five litres that expired in 2020 and five that are good, in the Bengaluru showroom."""
    return people.world.teak.variants["paint"]


def test_a_sold_piece_is_the_customers_and_its_warranty_runs(people: People, phone: UUID) -> None:
    """The ledger, the piece and the document name it; its warranty lasts its months to the day before."""
    sold = sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-2"]))
    assert sold["lines"][0]["serials"] == ["BLR-2"]
    assert {s: u[0] for s, u in units(people.connection, phone).items() if s.startswith("BLR")} == {
        "BLR-1": "in_stock",
        "BLR-2": "sold",
        "BLR-3": "in_stock",
    }
    (row,) = people.as_cashier().select(
        "select warranty_until = (%s::date + interval '1 year' - interval '1 day')::date as right_day, "
        "branch_id from public.stock_units where serial = 'BLR-2'",
        [sold["business_date"]],
    )
    assert row == {"right_day": True, "branch_id": people.world.blr.id}
    (moved,) = people.as_cashier().select(
        "select serials, quantity from public.stock_movements where document_id = %s", [sold["id"]]
    )
    assert moved == {"serials": ["BLR-2"], "quantity": 1}


@pytest.mark.parametrize(
    ("quantity", "serials", "code", "status"),
    [
        (1, None, "serials_required", 422),
        (2, ["BLR-1"], "serials_required", 422),
        (2, ["BLR-1", "BLR-1"], "serials_required", 422),
        (1, ["BLR-1", "BLR-2"], "serials_required", 422),
        (1, ["MUM-1"], "serial_not_here", 409),
        (1, ["NONE"], "serial_not_here", 409),
        (4, ["BLR-1", "BLR-2", "BLR-3", "BLR-4"], "insufficient_stock", 409),
        (1, [], "invalid_input", 400),
        (1, [""], "invalid_input", 400),
        (1, [" BLR-1"], "invalid_input", 400),
        (1, "BLR-1", "invalid_input", 400),
        (1, [1], "invalid_input", 400),
    ],
)
def test_only_the_pieces_that_are_here_are_sold(
    people: People, phone: UUID, quantity: int, serials: Any, code: str, status: int
) -> None:
    """Each piece is named once, and is here; else nothing happens."""
    before, pieces = footprint(people.connection), units(people.connection, phone)
    with raises(code, status):
        extra = {} if serials is None else {"serials": serials}
        sell(people.as_cashier(), people.world.blr, line(phone, quantity, **extra), payments=[])
    assert (footprint(people.connection), units(people.connection, phone)) == (before, pieces)


def test_goods_without_numbers_have_none(people: People) -> None:
    """A number on a sofa is a mistake of the till, not a fact to keep."""
    sofa = people.world.teak.variants["sofa"]
    with raises("invalid_input", 400):
        sell(people.as_cashier(), people.world.blr, line(sofa, 1, serials=["X"]), payments=[])
    with raises("invalid_input", 400):
        sell(people.as_cashier(), people.world.blr, line(sofa, 1, batch="X"), payments=[])
    with raises("invalid_input", 400):
        adjust(people, sofa, 1, p_options={"serials": ["X"]})


def test_a_piece_comes_in_once(people: People, phone: UUID) -> None:
    """A number that is in stock anywhere in the house cannot come in; one that left can come back."""
    adjust(people, phone, 1, "found", p_options={"serials": ["NEW-1"]})
    for taken in ("NEW-1", "MUM-1"):
        with raises("serial_in_stock", 409) as refusal:
            adjust(people, phone, 1, "found", p_options={"serials": [taken]})
        assert refusal.facts["serials"] == [taken]
    adjust(people, phone, -1, "damage", p_options={"serials": ["NEW-1"]})
    assert units(people.connection, phone)["NEW-1"][0] == "removed"
    adjust(people, phone, 1, "found", p_options={"serials": ["NEW-1"]})
    assert units(people.connection, phone)["NEW-1"][0] == "in_stock"


def test_another_house_may_use_the_same_number(people: People) -> None:
    """Serial numbers are unique within a variant of an organisation, nowhere else."""
    lagoon = people.world.lagoon
    people.as_foreign_admin().rpc(
        "adjust_stock",
        p_id=people.world.nobody.id,
        p_location_id=lagoon.branches[0].showroom,
        p_variant_id=lagoon.variants["robot"],
        p_quantity=1,
        p_reason="found",
        p_options={"serials": ["BLR-1"]},
    )


def test_what_expires_first_goes_first_but_nothing_expired(people: People, paint: UUID) -> None:
    """The sale skips the expired lot; what is left of it cannot be sold without the permission."""
    blr = people.world.blr
    adjust(people, paint, 2, "found", p_options={"batch": "SOON", "expires_on": "2089-12-31"})
    sell(people.as_cashier(), blr, line(paint, 3))
    assert lots(people.connection, blr.showroom, paint) == {"BLR-OLD": 5, "BLR-NEW": 4}
    sell(people.as_cashier(), blr, line(paint, 4))
    for basket in (line(paint, 1), line(paint, 1, batch="BLR-OLD")):
        with raises("expired_stock", 422) as refusal:
            sell(people.as_cashier(), blr, basket, payments=[{"method": "cash", "amount": 354}])
        assert refusal.facts["expired"] == 5


def test_who_may_sell_expired_goods_names_the_lot(people: People, paint: UUID) -> None:
    """With sale.expired the lot that was named goes; without a name nothing expired ever does."""
    blr = people.world.blr
    sell(people.as_admin(), blr, line(paint, 1, batch="BLR-OLD"))
    assert lots(people.connection, blr.showroom, paint) == {"BLR-OLD": 4, "BLR-NEW": 5}
    sell(people.as_admin(), blr, line(paint, 5))
    with raises("expired_stock", 422):
        sell(people.as_admin(), blr, line(paint, 1))


def test_a_named_lot_is_the_only_one_touched(people: People, paint: UUID) -> None:
    """More than the lot holds is refused, though other lots have it."""
    with raises("insufficient_stock", 409) as refusal:
        sell(people.as_cashier(), people.world.blr, line(paint, 6, batch="BLR-NEW"), payments=[])
    assert refusal.facts["shortages"][0]["available"] == 5
    with raises("not_found", 404):
        sell(people.as_cashier(), people.world.blr, line(paint, 1, batch="MUM"), payments=[])


def test_lots_come_in_by_name_and_keep_their_date(people: People, paint: UUID) -> None:
    """Without a code nothing comes in; a known lot does not change its date; write-offs take the oldest."""
    with raises("batch_required", 422):
        adjust(people, paint, 1, "found")
    with raises("batch_mismatch", 409):
        adjust(people, paint, 1, "found", p_options={"batch": "BLR-NEW", "expires_on": "2091-01-01"})
    with raises("invalid_input", 400):
        adjust(people, paint, 1, "found", p_options={"batch": "X", "expires_on": "soon"})
    adjust(people, paint, 1, "found", p_options={"batch": "BLR-NEW"})
    adjust(people, paint, -6, "write_off")
    assert lots(people.connection, people.world.blr.showroom, paint) == {"BLR-NEW": 5}


def test_a_sale_from_two_lots_is_two_movements(people: People, paint: UUID) -> None:
    """The ledger tells the lots apart, and pieces and lots agree with the level."""
    blr = people.world.blr
    adjust(people, paint, 2, "found", p_options={"batch": "SOON", "expires_on": "2089-12-31"})
    sold = sell(people.as_cashier(), blr, line(paint, 3))
    moved = people.as_cashier().select(
        "select b.code, m.quantity from public.stock_movements m join public.batches b on b.id = m.batch_id "
        "where document_id = %s order by b.expires_on",
        [sold["id"]],
    )
    assert [(row["code"], row["quantity"]) for row in moved] == [("SOON", 2), ("BLR-NEW", 1)]
    assert sum(lots(people.connection, blr.showroom, paint).values()) == on_hand(
        people.connection, blr.showroom, paint
    )


@pytest.mark.parametrize("table", ["batches", "batch_levels", "stock_units"])
def test_nobody_writes_them(people: People, table: str) -> None:
    """Not even by the service key: pieces and lots move with stock only."""
    for person in (people.as_admin(), people.as_service()):
        with raises_sqlstate("42501"):
            person.execute(f"delete from public.{table}")  # noqa: S608
