"""Papers say from which lots the goods came; the answers that a till waits for do not look it up."""

from typing import Any

from backend.app.services.documents import kinds
from backend.app.services.documents.theme import TIMES
from tests.database.billing import trading
from tests.database.billing.money import credit
from tests.database.billing.offers import insert
from tests.database.sales import line, sell
from tests.documents import reading
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _lots(document: Any) -> list[list[tuple[Any, ...]]]:
    """Of each line: component, lot, how much."""
    return [
        [(lot["name"], lot["batch"], lot["quantity"]) for lot in row["lots"]] for row in document["lines"]
    ]


def _paper(person: Persona, document: Any, kind: str = "invoice") -> Any:
    return person.rpc(f"get_{kind}_paper", p_id=document["id"])


def _dated(people: People) -> None:
    """The world's old and new paint expire one day."""
    people.connection.execute(
        "update public.batches set expires_on = case code when 'BLR-OLD' then date '2099-03-31'"
        " else '2099-09-30' end where code in ('BLR-OLD', 'BLR-NEW')"
    )


def test_what_expires_first_and_what_was_named(people: People) -> None:
    """Several lots of a line with how much of each; nothing of goods without lots; else as get_invoice."""
    _dated(people)
    variants, cashier = people.world.teak.variants, people.as_cashier()
    made = sell(cashier, people.world.blr, line(variants["paint"], 6), line(variants["sofa"]))
    paper = _paper(cashier, made)
    assert _lots(paper) == [[(None, "BLR-OLD", 5), (None, "BLR-NEW", 1)], []]
    assert [lot["expires_on"] for lot in paper["lines"][0]["lots"]] == ["2099-03-31", "2099-09-30"]
    plain = {**paper, "lines": [{k: v for k, v in row.items() if k != "lots"} for row in paper["lines"]]}
    assert plain == made == cashier.rpc("get_invoice", p_id=made["id"])
    for kind in ("invoice", "receipt"):
        text = " ".join(reading.text(kinds.render(kind, paper, None, None)).split())
        assert f"5 {TIMES} BLR-OLD, expires 31 Mar 2099; 1 {TIMES} BLR-NEW, expires 30 Sep 2099" in text
    named = _paper(
        cashier,
        sell(cashier, people.world.blr, line(variants["paint"], batch="BLR-NEW")),
    )
    assert _lots(named) == [[(None, "BLR-NEW", 1)]]


def test_of_the_same_goods_on_two_lines(people: People) -> None:
    """The ledger knows the document: both lines name both lots, neither says how much."""
    _dated(people)
    paint = people.world.teak.variants["paint"]
    lines = [line(paint, batch="BLR-NEW"), line(paint, batch="BLR-OLD")]
    made = sell(people.as_cashier(), people.world.blr, *lines)
    both = [(None, "BLR-NEW", None), (None, "BLR-OLD", None)]
    assert [sorted(lots) for lots in _lots(_paper(people.as_cashier(), made))] == [both, both]


def test_of_a_set_each_component_for_itself(people: People) -> None:
    """A set with paint in it names the paint."""
    _dated(people)
    teak, admin, product, kit = people.world.teak, people.as_admin(), new_id(), new_id()
    (sofa,) = admin.select(
        "select p.tax_class_id from public.products p"
        " join public.product_variants v on v.product_id = p.id where v.id = %s",
        [teak.variants["sofa"]],
    )
    insert(admin, "products", id=product, org_id=teak.id, name="Painter's set", kind="set",
           hsn_code="9403", tax_class_id=sofa["tax_class_id"], unit_code="SET")  # fmt: skip
    insert(
        admin,
        "product_variants",
        id=kit,
        org_id=teak.id,
        product_id=product,
        sku="KIT-P",
        name="Kit",
        price=900,
    )
    for key in ("paint", "sofa"):
        insert(admin, "set_components", org_id=teak.id, set_variant_id=kit,
               component_variant_id=teak.variants[key], quantity=1)  # fmt: skip
    made = sell(admin, people.world.blr, line(kit, 2))
    ((lot,),) = _lots(_paper(admin, made))
    assert (lot[0], lot[2]) == (_name(people, "paint"), 2)
    text = reading.text(kinds.render("invoice", _paper(admin, made), None, None))
    assert f"{lot[0]}: Batch {lot[1]}" in text.replace("\n", " ")


def _name(people: People, key: str) -> Any:
    (row,) = people.as_admin().select(
        "select name from public.product_variants where id = %s", [people.world.teak.variants[key]]
    )
    return row["name"]


def test_of_a_delivery_and_of_its_invoice(people: People) -> None:
    """The goods left with the delivery; the invoice over it says the same. What comes back changes none."""
    _dated(people)
    sales, paint = people.as_sales(), people.world.teak.variants["paint"]
    order = trading.confirm(people, trading.order(people, line(paint, 3)))
    note = trading.deliver(sales, people, order, {"line_no": 1, "quantity": 2, "batch": "BLR-NEW"})
    rest = trading.deliver(sales, people, order)
    assert _lots(_paper(sales, note, "delivery")) == [[(None, "BLR-NEW", 2)]]
    assert _lots(_paper(sales, rest, "delivery")) == [[(None, "BLR-OLD", 1)]]
    text = reading.text(kinds.render("delivery", _paper(sales, note, "delivery"), None, None))
    assert text.count("BLR-NEW") == 1
    invoice = trading.invoice(sales, order, delivery_id=note["id"])
    assert _lots(_paper(sales, invoice)) == [[(None, "BLR-NEW", 2)]]
    credit(people.as_admin(), invoice["id"])
    assert _lots(_paper(sales, invoice)) == [[(None, "BLR-NEW", 2)]]


def test_who_may_not_read_it(people: People) -> None:
    """As the document itself: strangers and other branches find nothing."""
    _dated(people)
    paint = people.world.teak.variants["paint"]
    made = sell(people.as_cashier(), people.world.blr, line(paint))
    for person in (people.as_foreign_admin(), people.as_nobody(), people.as_cashier(people.world.mum)):
        with raises("not_found", 404):
            _paper(person, made)
        with raises("not_found", 404):
            _paper(person, {"id": new_id()}, "delivery")
