"""return_goods: what was sold comes back, never more, at what it was worth."""

from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import Invoice, adjust, footprint, line, on_hand, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def take_back(person: Persona, invoice: Invoice, location: UUID, *lines: Any, **changed: Any) -> Any:
    """Take back lines of an invoice."""
    arguments = {
        "p_id": new_id(),
        "p_invoice_id": invoice["id"],
        "p_location_id": location,
        "p_lines": list(lines),
        "p_reason": "Too large",
    }
    return person.rpc("return_goods", **(arguments | changed))


def back(line_no: object, quantity: object, **extra: object) -> dict[str, object]:
    """One line of a return."""
    return {"line_no": line_no, "quantity": quantity, **extra}


def test_goods_come_back_at_their_cost(people: People) -> None:
    """The shelf has them again, worth what they were when they left, whatever the average is now."""
    blr, sofa = people.world.blr, people.world.teak.variants["sofa"]
    sold = sell(people.as_cashier(), blr, line(sofa, 2))
    adjust(people, sofa, 5, "found", 100)
    before = on_hand(people.connection, blr.showroom, sofa)
    done = take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))
    assert done["lines"][0]["sku"] == "SOFA"
    assert on_hand(people.connection, blr.showroom, sofa) == before + 1
    (moved,) = people.as_cashier().select(
        "select quantity, unit_cost, document from public.stock_movements where document_id = %s",
        [done["id"]],
    )
    assert moved == {"quantity": 1, "unit_cost": 40, "document": "goods_return"}


def test_never_more_than_was_sold(people: People) -> None:
    """Over all returns of the line."""
    blr, book = people.world.blr, people.world.teak.variants["book"]
    sold = sell(people.as_cashier(), blr, line(book, 3), line(people.world.teak.variants["pot"], 1))
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 2), back(2, 1))
    before = footprint(people.connection)
    for lines in ([back(1, 2)], [back(2, 1), back(1, 1)]):
        with raises("return_exceeds_sale", 422):
            take_back(people.as_cashier(), sold, blr.showroom, *lines)
    with raises("not_found", 404):
        take_back(people.as_cashier(), sold, blr.showroom, back(3, 1))
    assert footprint(people.connection) == before
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))


def test_a_set_comes_back_whole(people: People) -> None:
    """One of two suites: a sofa and two lamps, as the invoice had them."""
    teak, blr = people.world.teak, people.world.blr
    sold = sell(people.as_cashier(), blr, line(teak.variants["suite"], 2))
    before = {k: on_hand(people.connection, blr.showroom, teak.variants[k]) for k in ("sofa", "lamp")}
    done = take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))
    assert [(i["sku"], i["quantity"]) for i in done["lines"][0]["set_items"]] == [("LAMP", 2), ("SOFA", 1)]
    after = {k: on_hand(people.connection, blr.showroom, teak.variants[k]) for k in ("sofa", "lamp")}
    assert {k: after[k] - before[k] for k in after} == {"sofa": 1, "lamp": 2}


def test_numbered_pieces_come_back_by_number(people: People) -> None:
    """Only pieces of this sale, each once; then they are in stock, and may be sold again."""
    blr, phone = people.world.blr, people.world.teak.variants["phone"]
    sold = sell(people.as_cashier(), blr, line(phone, 2, serials=["BLR-1", "BLR-2"]))
    other = sell(people.as_cashier(), blr, line(phone, 1, serials=["BLR-3"]))
    for serials in (None, ["BLR-3"], ["BLR-1", "BLR-2"], ["BLR-1", "BLR-9"]):
        extra = {} if serials is None else {"serials": serials}
        with raises("serials_required", 422):
            take_back(people.as_cashier(), sold, blr.showroom, back(1, 1, **extra))
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 1, serials=["BLR-2"]))
    with raises("serials_required", 422):
        take_back(people.as_cashier(), sold, blr.showroom, back(1, 1, serials=["BLR-2"]))
    sell(people.as_cashier(), blr, line(phone, 1, serials=["BLR-2"]))
    take_back(people.as_cashier(), other, blr.showroom, back(1, 1, serials=["BLR-3"]))


def test_lots_come_back_as_the_lots_they_were(people: People) -> None:
    """What was sold from two lots comes back to them."""
    blr, paint = people.world.blr, people.world.teak.variants["paint"]
    adjust(people, paint, 2, "found", p_options={"batch": "SOON", "expires_on": "2089-12-31"})
    query = "select batch_id, on_hand from public.batch_levels where variant_id = %s order by 1"
    before = people.as_cashier().select(query, [paint])
    sold = sell(people.as_cashier(), blr, line(paint, 4))
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 3))
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))
    assert people.as_cashier().select(query, [paint]) == before


def test_other_units_come_back_in_them(people: People) -> None:
    """Half of what was sold by the roll is half of the metres."""
    blr, rug = people.world.blr, people.world.teak.variants["rug"]
    adjust(people, rug, 4, "found", p_options={"unit": "ROL"})
    sold = sell(people.as_cashier(), blr, line(rug, 2, unit="ROL"))
    before = on_hand(people.connection, blr.showroom, rug)
    take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))
    assert on_hand(people.connection, blr.showroom, rug) - before == 12.5
    with raises("invalid_input", 400):
        take_back(people.as_cashier(), sold, blr.showroom, back(1, 0.5))


def test_a_service_has_nothing_to_bring_back(people: People) -> None:
    """The return is noted, and no stock moves."""
    blr, assembly = people.world.blr, people.world.teak.variants["assembly"]
    sold = sell(people.as_cashier(), blr, line(assembly))
    done = take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))
    assert not people.as_cashier().select(
        "select 1 from public.stock_movements where document_id = %s", [done["id"]]
    )


def test_at_another_branch_by_its_people(people: People) -> None:
    """Goods may come back elsewhere in the house; whoever takes them must be of that branch."""
    world = people.world
    sold = sell(people.as_cashier(), world.blr, line(world.teak.variants["book"]))
    with raises("not_found", 404):
        take_back(people.as_cashier(), sold, world.mum.showroom, back(1, 1))
    take_back(people.as_user(world.teak.users["cashier@MUM"]), sold, world.mum.showroom, back(1, 1))
    with raises("not_found", 404):
        take_back(people.as_foreign_admin(), sold, world.lagoon.branches[0].showroom, back(1, 1))


def test_the_same_return_again_changes_nothing(people: People) -> None:
    """Same id and content: the first answer; other content: refused."""
    blr, book = people.world.blr, people.world.teak.variants["book"]
    sold, made = sell(people.as_cashier(), blr, line(book, 2)), new_id()
    first = take_back(people.as_cashier(), sold, blr.showroom, back(1, 1), p_id=made)
    before = footprint(people.connection)
    assert take_back(people.as_cashier(), sold, blr.showroom, back(1, 1), p_id=made) == first
    assert footprint(people.connection) == before
    with raises("id_reused", 409):
        take_back(people.as_cashier(), sold, blr.showroom, back(1, 2), p_id=made)


def test_a_repeated_return_answers_as_the_first(people: People) -> None:
    """Though the place that took the goods was closed since; a new one is refused there."""
    blr, lamp, place = people.world.blr, people.world.teak.variants["lamp"], new_id()
    people.as_admin().rpc(
        "create_location", p_id=place, p_branch_id=blr.id, p_code="ATTIC", p_name="Attic", p_kind="warehouse"
    )
    sold, event = sell(people.as_cashier(), blr, line(lamp, 2)), new_id()
    first = take_back(people.as_cashier(), sold, place, back(1, 1), p_id=event)
    adjust(people, lamp, -1, "write_off", p_location_id=place)
    people.as_admin().execute("update public.locations set archived_at = now() where id = %s", [place])
    assert take_back(people.as_cashier(), sold, place, back(1, 1), p_id=event) == first
    with raises("not_found", 404):
        take_back(people.as_cashier(), sold, place, back(1, 1))


def test_closed_books_take_nothing_back(people: People) -> None:
    """A return posts stock on its business date."""
    blr, book = people.world.blr, people.world.teak.variants["book"]
    sold = sell(people.as_cashier(), blr, line(book))
    people.connection.execute(
        "update public.organizations set books_closed_through = '2099-01-01' where id = %s",
        [people.world.teak.id],
    )
    with raises("period_closed", 409):
        take_back(people.as_cashier(), sold, blr.showroom, back(1, 1))


@pytest.mark.parametrize(
    "changed",
    [
        {"p_lines": []},
        {"p_lines": None},
        {"p_lines": [[]]},
        {"p_lines": [{"line_no": 1}]},
        {"p_lines": [back("1", 1)]},
        {"p_lines": [back(1, 0)]},
        {"p_lines": [back(1, -1)]},
        {"p_lines": [back(1, 1, price=3)]},
        {"p_lines": [back(1, 1, serials=[])]},
        {"p_reason": ""},
        {"p_reason": None},
        {"p_id": None},
    ],
)
def test_malformed(people: People, changed: dict[str, Any]) -> None:
    """400 with nothing written."""
    blr = people.world.blr
    sold = sell(people.as_cashier(), blr, line(people.world.teak.variants["book"]))
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        take_back(people.as_cashier(), sold, blr.showroom, back(1, 1), **changed)
    assert footprint(people.connection) == before
