"""What a sale leaves behind, and that a refused one leaves nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.database.sales import adjust, footprint, line, on_hand, pay, quote, sell
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People


def test_a_sale_is_whole(people: People) -> None:
    """Stock, ledger, lines, payment, number, audit and event agree."""
    world, cashier = people.world, people.as_cashier()
    sofa, sale_id = world.teak.variants["sofa"], new_id()
    before = on_hand(people.connection, world.blr.showroom, sofa)
    invoice = sell(
        cashier,
        world.blr,
        line(sofa, 2),
        line(world.teak.variants["assembly"]),
        sale_id=sale_id,
        customer=world.teak.customers["local"],
        note="By the door",
        reference="PO 7",
    )
    assert invoice["id"] == str(sale_id)
    assert (invoice["note"], invoice["reference"], invoice["terms"]) == ("By the door", "PO 7", "No returns.")
    assert invoice["seller"]["legal_name"] == "Teak & Thread Furniture LLP"
    assert invoice["seller"]["address"]["region_name"] == "Karnataka"
    assert (invoice["buyer"]["name"], invoice["buyer"]["tax_number"][:2]) == ("Local", "29")
    assert on_hand(people.connection, world.blr.showroom, sofa) == before - 2
    (movement,) = people.as_admin().select(
        "select m.*, l.kind from public.stock_movements m join public.locations l on l.id = m.to_location_id "
        "where m.document_id = %s",
        [sale_id],
    )
    assert (movement["variant_id"], movement["quantity"], movement["document"]) == (sofa, 2, "invoice")
    assert (movement["from_location_id"], movement["kind"]) == (world.blr.showroom, "customer")
    assert movement["unit_cost"] == 40
    assert movement["created_by"] == cashier.user_id
    assert cashier.rpc("get_invoice", p_id=sale_id) == invoice


def test_a_sale_leaves_one_event(people: People) -> None:
    """The outbox row is part of the transaction and carries what consumers need."""
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"]))
    rows = people.connection.execute(
        "select org_id, event, payload, spread from private.outbox where payload ->> 'invoice_id' = %s",
        [invoice["id"]],
    ).fetchall()
    ((org_id, event, payload, spread),) = rows
    assert (org_id, event, spread) == (people.world.teak.id, "invoice.issued", False)
    assert payload["number"] == invoice["number"]
    assert (payload["total"], payload["paid"]) == (invoice["total"], invoice["paid"])


def test_a_sale_says_who_made_it_in_which_request(people: People) -> None:
    """Invoice, payment and allocation have the caller and the request; the log has no copy of them."""
    world, cashier = people.world, replace(people.as_cashier(), request_id="req-1")
    cashier.rpc(
        "post_sale",
        p_id=new_id(),
        p_branch_id=world.blr.id,
        p_location_id=world.blr.showroom,
        p_customer_id=None,
        p_lines=[line(world.teak.variants["sofa"])],
        p_payments=[pay(1180)],
    )
    for table in ("invoices", "payments", "payment_allocations"):
        rows = people.as_admin().select(
            f"select created_by, created_at = now() as today from public.{table} where request_id = 'req-1'"  # noqa: S608 - named above
        )
        assert rows == [{"created_by": cashier.user_id, "today": True}]
    copied = people.as_admin().select("select 1 from public.audit_log where request_id = 'req-1'")
    assert copied == []


def test_overselling_is_refused_whole(people: People) -> None:
    """Too much of one thing refuses the basket; what there is and what was asked is said."""
    world = people.world
    sofa, lamp = world.teak.variants["sofa"], world.teak.variants["lamp"]
    before = footprint(people.connection)
    left = on_hand(people.connection, world.blr.showroom, sofa)
    with raises("insufficient_stock", 409) as refusal:
        sell(people.as_cashier(), world.blr, line(lamp), line(sofa, left + 1))
    (shortage,) = refusal.facts["shortages"]
    assert (shortage["sku"], shortage["requested"], shortage["available"]) == ("SOFA", left + 1, left)
    assert footprint(people.connection) == before
    assert sell(people.as_cashier(), world.blr, line(sofa, left))["status"] == "paid"
    assert on_hand(people.connection, world.blr.showroom, sofa) == 0


def test_demand_is_summed_over_lines(people: People) -> None:
    """The same piece on two lines counts twice, though each line alone would do."""
    world = people.world
    sofa = world.teak.variants["sofa"]
    left = on_hand(people.connection, world.blr.showroom, sofa)
    with raises("insufficient_stock", 409) as refusal:
        sell(people.as_cashier(), world.blr, line(sofa, left), line(sofa, 1))
    assert refusal.facts["shortages"][0]["requested"] == left + 1
    invoice = sell(people.as_cashier(), world.blr, line(sofa, left - 1), line(sofa, 1))
    assert [sold["line_no"] for sold in invoice["lines"]] == [1, 2]
    assert on_hand(people.connection, world.blr.showroom, sofa) == 0


def test_stock_elsewhere_does_not_help(people: People) -> None:
    """What stands in the warehouse or in the other branch is not in the showroom."""
    with raises("insufficient_stock", 409):
        sell(
            people.as_cashier(),
            people.world.blr,
            line(people.world.teak.variants["sofa"]),
            location=people.world.blr.warehouse,
        )


def test_a_service_needs_no_stock(people: People) -> None:
    """A service is invoiced and moves nothing."""
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["assembly"], 3))
    moved = people.as_admin().select(
        "select 1 from public.stock_movements where document_id = %s", [invoice["id"]]
    )
    assert (invoice["total"], moved) == (1770, [])


def test_a_quote_writes_nothing_and_equals_the_sale(people: People) -> None:
    """The till's total before payment is the invoice's, and costs no number."""
    before = footprint(people.connection)
    basket = [
        line(people.world.teak.variants["rug"], Decimal("1.250")),
        line(people.world.teak.variants["lamp"], 2),
    ]
    quoted = quote(people.as_cashier(), people.world.blr, *basket, note="soon")
    assert footprint(people.connection) == before
    invoice = sell(people.as_cashier(), people.world.blr, *basket, note="soon")
    shared = quoted.keys() - {"tax_summary"}
    assert {k: invoice[k] for k in shared} == {k: quoted[k] for k in shared}
    assert {"id", "number", "status", "payments"} & quoted.keys() == set()


def test_the_same_call_again_is_the_same_sale(people: People) -> None:
    """A repeated call returns the first answer and changes nothing."""
    sale_id, sofa = new_id(), line(people.world.teak.variants["sofa"])
    first = sell(people.as_cashier(), people.world.blr, sofa, payments=[pay(1180)], sale_id=sale_id)
    before = footprint(people.connection)
    again = sell(people.as_cashier(), people.world.blr, sofa, payments=[pay(1180)], sale_id=sale_id)
    assert again == first
    assert footprint(people.connection) == before


def test_a_used_id_with_other_content_is_refused(people: People) -> None:
    """Another basket, payment, option or act under the same id is a conflict."""
    world, sale_id = people.world, new_id()
    sofa = world.teak.variants["sofa"]
    sell(people.as_cashier(), world.blr, line(sofa), payments=[pay(1180)], sale_id=sale_id)
    before = footprint(people.connection)
    others: list[dict[str, Any]] = [
        {"payments": [pay(1181)]},
        {"payments": [pay(1180)], "note": "x"},
        {"payments": [pay(1180)], "customer": world.teak.customers["local"]},
        {"payments": [pay(1180)], "location": world.blr.warehouse},
    ]
    for other in others:
        with raises("id_reused", 409) as refusal:
            sell(people.as_cashier(), world.blr, line(sofa), sale_id=sale_id, **other)
        assert refusal.facts["act"] == "post_sale"
    with raises("id_reused", 409):
        adjust(people, sofa, 1, p_id=sale_id)
    assert footprint(people.connection) == before


def test_a_refused_sale_does_not_use_up_its_id(people: People) -> None:
    """After the reason is gone the same call succeeds."""
    sale_id, sofa = new_id(), people.world.teak.variants["sofa"]
    with raises("payment_incomplete", 422):
        sell(people.as_cashier(), people.world.blr, line(sofa), payments=[pay(1)], sale_id=sale_id)
    assert sell(people.as_cashier(), people.world.blr, line(sofa), sale_id=sale_id)["id"] == str(sale_id)


def test_two_businesses_may_choose_the_same_id(people: People) -> None:
    """An id is the client's own within its business; nobody learns from a clash what others have."""
    world, sale_id = people.world, new_id()
    sell(people.as_cashier(), world.blr, line(world.teak.variants["sofa"]), sale_id=sale_id)
    lagoon = sell(
        people.as_foreign_admin(),
        world.lagoon.branches[0],
        line(world.lagoon.variants["pump"]),
        sale_id=sale_id,
    )
    assert people.as_foreign_admin().rpc("get_invoice", p_id=sale_id) == lagoon
    assert people.as_cashier().rpc("get_invoice", p_id=sale_id)["org_id"] == str(world.teak.id)


def test_only_who_may_backdate_does(people: People) -> None:
    """An earlier date needs its permission; a later one than now is nobody's."""
    sofa = line(people.world.teak.variants["sofa"])
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with raises("backdating_denied", 403):
        sell(
            people.as_cashier(),
            people.world.blr,
            sofa,
            occurred_at=yesterday.isoformat(),
            payments=[pay(1180)],
        )
    invoice = sell(people.as_admin(), people.world.blr, sofa, occurred_at=yesterday.isoformat())
    assert datetime.fromisoformat(invoice["issued_at"]) == yesterday
    assert {datetime.fromisoformat(p["received_at"]) for p in invoice["payments"]} == {yesterday}
    with raises("invalid_input", 400):
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        sell(
            people.as_admin(), people.world.blr, sofa, occurred_at=tomorrow.isoformat(), payments=[pay(1180)]
        )


def test_the_business_date_is_the_branchs(people: People) -> None:
    """18:30 UTC is the next day in India."""
    sofa = line(people.world.teak.variants["sofa"])
    for moment, day in (("2025-06-10T18:29:59Z", "2025-06-10"), ("2025-06-10T18:30:00Z", "2025-06-11")):
        assert sell(people.as_admin(), people.world.blr, sofa, occurred_at=moment)["business_date"] == day


def test_nothing_posts_into_a_closed_period(people: People) -> None:
    """On the last closed date no sale, on the next day again."""
    world, admin, sofa = people.world, people.as_admin(), line(people.world.teak.variants["sofa"])
    admin.rpc("close_period", p_org_id=world.teak.id, p_through="2025-06-30")
    before = footprint(people.connection)
    with raises("period_closed", 409) as refusal:
        sell(admin, world.blr, sofa, occurred_at="2025-06-30T12:00:00+05:30", payments=[pay(1180)])
    assert (refusal.facts["closed_through"], refusal.facts["date"]) == ("2025-06-30", "2025-06-30")
    assert footprint(people.connection) == before
    assert (
        sell(admin, world.blr, sofa, occurred_at="2025-07-01T00:00:00+05:30")["business_date"] == "2025-07-01"
    )


def test_closing_today_stops_every_till(people: People) -> None:
    """A sale as of now is refused too, and so is an adjustment; repeating an older sale still answers."""
    world, sale_id, sofa = people.world, new_id(), people.world.teak.variants["sofa"]
    first = sell(people.as_cashier(), world.blr, line(sofa), payments=[pay(1180)], sale_id=sale_id)
    people.connection.execute(
        "update public.organizations set books_closed_through = current_date + 1 where id = %s",
        [world.teak.id],
    )
    with raises("period_closed", 409):
        sell(people.as_cashier(), world.blr, line(sofa), payments=[pay(1180)])
    with raises("period_closed", 409):
        adjust(people, sofa, 1)
    assert sell(people.as_cashier(), world.blr, line(sofa), payments=[pay(1180)], sale_id=sale_id) == first


def test_reading_an_invoice_is_scoped(people: People) -> None:
    """Who may not read it, or is not of its branch, finds nothing."""
    invoice_id = people.world.teak.invoices["BLR"]
    for reader in (people.as_cashier(), people.as_sales(), people.as_admin()):
        assert reader.rpc("get_invoice", p_id=invoice_id)["id"] == str(invoice_id)
    for stranger in (
        people.as_stockkeeper(),
        people.as_technician(),
        people.as_cashier(people.world.mum),
        people.as_foreign_admin(),
        people.as_nobody(),
    ):
        with raises("not_found", 404):
            stranger.rpc("get_invoice", p_id=invoice_id)
    with raises("not_found", 404):
        people.as_admin().rpc("get_invoice", p_id=uuid4())
    with raises_sqlstate("42501"):
        people.as_anon().rpc("get_invoice", p_id=invoice_id)


@pytest.mark.parametrize("lines", [1, 60])
def test_lines_come_back_in_their_order(people: People, lines: int) -> None:
    """Line numbers follow the basket."""
    basket = [line(people.world.teak.variants["assembly"], n + 1) for n in range(lines)]
    invoice = sell(people.as_cashier(), people.world.blr, *basket)
    assert [(s["line_no"], s["quantity"]) for s in invoice["lines"]] == [(n + 1, n + 1) for n in range(lines)]
