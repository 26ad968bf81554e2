"""Orders over the API: confirmed, worked on, delivered in parts, invoiced and closed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.app.schemas.billing import Invoice, InvoiceRow
from backend.app.schemas.deliveries import Delivery, DeliveryRow
from backend.app.schemas.orders import Order, OrderRow
from backend.app.schemas.reservations import Reservation, ReservationRow
from backend.app.schemas.stock import StockMovement
from tests.api.conftest import Person, Shop
from tests.api.support import assert_problem
from tests.api.trading import Body, act, confirmed, offer, on_hand, step, walk

PATH = "/v1/billing/orders"


def _read(person: Person, order_id: object) -> Order:
    return Order.model_validate(person.get(f"{PATH}/{order_id}"))


def _advance(shop: Shop, customer: str, order_id: object, amount: int) -> None:
    payment = {"customer_id": customer, "amount": amount, "method": "upi", "options": {"order_id": order_id}}
    shop.cashier.post("/v1/billing/payments", step(**payment))


def _reservation(shop: Shop, order: Body) -> Reservation:
    path = f"/v1/inventory/reservations/{order['reservation_id']}"
    return Reservation.model_validate(shop.admin.get(path))


def test_from_the_quotation_to_the_last_invoice(
    shop: Shop, seller: Person, storekeeper: Person, customer: str
) -> None:
    before = on_hand(shop)
    quoted = shop.cashier.post("/v1/billing/quotations", offer(shop, customer))
    act(shop.cashier, f"quotations/{quoted['id']}/send", step())
    act(seller, f"quotations/{quoted['id']}/approve", step())
    order_id = act(shop.cashier, f"quotations/{quoted['id']}/convert", step(), 201)["id"]
    path = f"orders/{order_id}"
    _advance(shop, customer, order_id, 2000)

    # Confirmed: numbered, its goods held.
    body = step(options={"location_id": shop.location_id})
    order = Order.model_validate(act(shop.cashier, f"{path}/confirm", body))
    assert (order.status, order.advances, order.lines[0].reserved) == ("confirmed", Decimal(2000), Decimal(3))
    assert Order.model_validate(act(shop.cashier, f"{path}/confirm", body)) == order
    assert_problem(shop.cashier.send("POST", f"{PATH}/{order_id}/confirm", step()), 409, "invalid_transition")

    # Worked on.
    act(shop.cashier, f"{path}/status", step(status="in_production"), method="PATCH")
    entry = step(note="Frames glued", options={"visible_to_customer": True, "status": "ready"})
    ready = Order.model_validate(act(shop.cashier, f"{path}/work-log", entry))
    assert (ready.status, [w.note for w in ready.work_log]) == ("ready", ["Frames glued"])

    # Delivered in part, by who keeps the stock.
    part = step(location_id=shop.location_id, lines=[{"line_no": 1, "quantity": 2}])
    delivery = Delivery.model_validate(act(storekeeper, f"{path}/deliveries", part, 201))
    assert [(line.quantity, line.ordered) for line in delivery.lines] == [(Decimal(2), Decimal(3))]
    assert delivery.total == 2360
    assert Delivery.model_validate(act(storekeeper, f"{path}/deliveries", part, 201)) == delivery
    assert on_hand(shop) == before - 2
    assert Delivery.model_validate(storekeeper.get(f"/v1/billing/deliveries/{delivery.id}")) == delivery
    rows = storekeeper.get("/v1/billing/deliveries", order_id=order_id)["items"]
    assert [DeliveryRow.model_validate(row).number for row in rows] == [delivery.number]
    moved = shop.admin.get("/v1/inventory/movements", document_id=delivery.id)["items"]
    assert [StockMovement.model_validate(row).document for row in moved] == ["delivery"]
    more = step(location_id=shop.location_id, lines=[{"line_no": 1, "quantity": 2}])
    refused = storekeeper.send("POST", f"{PATH}/{order_id}/deliveries", more)
    assert assert_problem(refused, 422, "delivery_exceeds_order")["open"] == 1

    # Invoiced by line or by the delivery; the advance settles it.
    for lines, number, problem in (
        ([{"line_no": 1, "quantity": 4}], 422, "invoice_exceeds_order"),
        ([{"line_no": 2, "quantity": 1}], 404, "not_found"),
        ([], 422, "invalid_input"),
    ):
        asked = step(options={"lines": lines})
        assert_problem(shop.cashier.send("POST", f"{PATH}/{order_id}/invoices", asked), number, problem)
    bill = step(options={"delivery_id": delivery.id})
    refused = storekeeper.send("POST", f"{PATH}/{order_id}/invoices", bill)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "invoice.create"
    first = Invoice.model_validate(act(shop.cashier, f"{path}/invoices", bill, 201))
    assert (first.order_id, first.delivery_id) == (order.id, delivery.id)
    assert (first.status, first.paid, first.balance) == ("partially_paid", Decimal(2000), Decimal(360))
    twice = shop.cashier.send("POST", f"{PATH}/{order_id}/invoices", {**bill, "id": uuid4()})
    assert_problem(twice, 422, "invoice_exceeds_order")
    for status, code in (("paid", "invalid_transition"), ("void", "credit_note_required")):
        body = step(status=status, options={"reason": "No"})
        refused = shop.admin.send("PATCH", f"/v1/billing/invoices/{first.id}/status", body)
        assert_problem(refused, 409, code)

    # The rest: delivered, invoiced, voided by mistake, invoiced again.
    rest = Delivery.model_validate(
        act(storekeeper, f"{path}/deliveries", step(location_id=shop.location_id), 201)
    )
    assert [(line.line_no, line.quantity) for line in rest.lines] == [(1, Decimal(1))]
    assert_problem(
        shop.cashier.send("PATCH", f"{PATH}/{order_id}/status", step(status="closed")),
        409,
        "order_not_invoiced",
    )
    last = step(options={"lines": [{"line_no": 1, "quantity": 1}]})
    wrong = act(shop.cashier, f"{path}/invoices", last, 201)
    assert [line["quantity"] for line in wrong["lines"]] == [1]
    void = step(status="void", options={"reason": "Wrong day"})
    voided = act(shop.admin, f"invoices/{wrong['id']}/status", void, method="PATCH")
    assert Invoice.model_validate(voided).status == "void"
    act(shop.cashier, f"{path}/invoices", step(options={"delivery_id": rest.id}), 201)
    listed = shop.cashier.get("/v1/billing/invoices", order_id=order_id)["items"]
    assert sorted(InvoiceRow.model_validate(row).status for row in listed) == [
        "partially_paid",
        "sent",
        "void",
    ]
    closed = Order.model_validate(act(shop.cashier, f"{path}/status", step(status="closed"), method="PATCH"))
    assert (closed.status, [d.id for d in closed.deliveries]) == ("closed", [delivery.id, rest.id])
    line = closed.lines[0]
    assert (line.delivered, line.invoiced, line.open) == (Decimal(3), Decimal(3), Decimal(0))
    assert on_hand(shop) == before - 3
    found = shop.cashier.get(PATH, customer_id=customer, status="closed")["items"]
    assert [OrderRow.model_validate(row).quotation_id for row in found] == [closed.quotation_id]


def test_a_draft_is_written_anew_until_it_is_confirmed(shop: Shop, customer: str) -> None:
    body = offer(shop, customer)
    draft = Order.model_validate(shop.cashier.post(PATH, body))
    assert Order.model_validate(shop.cashier.post(PATH, body)) == draft
    path = f"orders/{draft.id}"
    anew = Order.model_validate(act(shop.cashier, path, offer(shop, customer, 1), method="PUT"))
    assert (anew.id, anew.status, anew.total) == (draft.id, "draft", Decimal(1180))
    act(shop.cashier, f"{path}/confirm", step(options={"location_id": shop.location_id}))
    late = shop.cashier.send("PUT", f"{PATH}/{draft.id}", offer(shop, customer))
    assert_problem(late, 409, "invalid_transition")
    assert _read(shop.cashier, draft.id).total == 1180


def test_goods_are_held_without_an_end(shop: Shop, customer: str) -> None:
    made = [confirmed(shop, customer, 1) for _ in range(2)]
    held = _reservation(shop, made[0])
    assert (held.status, held.document, held.document_id) == ("active", "sales_order", UUID(made[0]["id"]))
    assert held.expires_at is None
    until = datetime.now(UTC) + timedelta(days=2)
    order = shop.cashier.post(PATH, offer(shop, customer, 1))
    options = {"location_id": shop.location_id, "expires": until}
    made.append(act(shop.cashier, f"orders/{order['id']}/confirm", step(options=options)))
    made[0] = act(shop.cashier, f"orders/{made[0]['id']}/hold", step())
    ids = {order["reservation_id"] for order in made}
    for sort in ("expires_at", "-expires_at"):
        query: dict[str, Any] = {"org_id": shop.org_id, "sort": sort, "status": "active"}
        whole = shop.admin.get("/v1/inventory/reservations", **query)["items"]
        assert ids <= {str(ReservationRow.model_validate(row).id) for row in whole}
        assert walk(shop.admin, "/v1/inventory/reservations", **query) == [row["id"] for row in whole]


def test_a_cancelled_order_frees_goods_and_money(shop: Shop, customer: str) -> None:
    order = confirmed(shop, customer)
    _advance(shop, customer, order["id"], 500)
    why = step(reason="Moved abroad", options={"refund_method": "upi"})
    refused = shop.cashier.send("POST", f"{PATH}/{order['id']}/cancel", why)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "refund.create"
    assert _read(shop.cashier, order["id"]).status == "confirmed"
    done = Order.model_validate(act(shop.admin, f"orders/{order['id']}/cancel", why))
    assert (done.status, done.reason, done.advances) == ("cancelled", "Moved abroad", Decimal(0))
    refunds = shop.admin.get("/v1/billing/refunds", customer_id=customer)["items"]
    assert [refund["amount"] for refund in refunds] == [500]
    assert _reservation(shop, order).status == "released"
    again = shop.admin.send("POST", f"{PATH}/{order['id']}/cancel", step(reason="Twice"))
    assert_problem(again, 409, "invalid_transition")
    work = shop.cashier.send("POST", f"{PATH}/{order['id']}/work-log", step(note="Sanded"))
    assert_problem(work, 409, "order_not_open")


def test_an_order_beyond_stock_or_credit(shop: Shop, customer: str) -> None:
    place = {"location_id": shop.location_id}
    many = shop.cashier.post(PATH, offer(shop, customer, 5_000))
    path = f"{PATH}/{many['id']}"
    short = shop.cashier.send("POST", f"{path}/confirm", step(options=place))
    assert_problem(short, 409, "insufficient_stock")
    dear = shop.cashier.send("POST", f"{path}/confirm", step(options={**place, "back_order": True}))
    assert_problem(dear, 422, "credit_limit_exceeded")
    unplaced = shop.cashier.send("POST", f"{path}/confirm", step())
    assert_problem(unplaced, 400, "invalid_input")
    assert _read(shop.cashier, many["id"]).status == "draft"
    draft = shop.cashier.send("POST", f"{path}/deliveries", step(**place))
    assert_problem(draft, 409, "invalid_transition")
    assert_problem(shop.cashier.send("POST", f"{path}/invoices", step()), 409, "order_not_open")


@pytest.mark.parametrize(
    ("verb", "method", "body"),
    [
        ("status", "PATCH", {"status": "delivered"}),
        ("status", "PATCH", {"status": "closed", "reason": "No"}),
        ("confirm", "POST", {"options": {"location_id": "here"}}),
        ("work-log", "POST", {"note": ""}),
        ("cancel", "POST", {}),
        ("deliveries", "POST", {"location_id": str(uuid4()), "lines": []}),
        ("deliveries", "POST", {"location_id": str(uuid4()), "lines": [{"line_no": 1, "quantity": 0}]}),
        ("invoices", "POST", {"options": {"due_date": 1}}),
    ],
)
def test_what_does_not_fit(shop: Shop, verb: str, method: str, body: dict[str, Any]) -> None:
    refused = shop.cashier.send(method, f"{PATH}/{uuid4()}/{verb}", step(**body))
    assert_problem(refused, 422, "invalid_input")


def test_who_neither_takes_nor_sees_orders(shop: Shop, storekeeper: Person, customer: str) -> None:
    order = confirmed(shop, customer)
    path = f"{PATH}/{order['id']}"
    # Who delivers may read, and do nothing else.
    assert _read(storekeeper, order["id"]).status == "confirmed"
    for person, status, code in (
        (storekeeper, 403, "permission_denied"),
        (shop.stranger, 404, "not_found"),
    ):
        assert_problem(person.send("POST", PATH, offer(shop, customer)), status, code)
        assert_problem(person.send("PUT", path, offer(shop, customer)), status, code)
        assert_problem(person.send("PATCH", f"{path}/status", step(status="ready")), status, code)
        assert_problem(person.send("POST", f"{path}/work-log", step(note="Sanded")), status, code)
        assert_problem(person.send("POST", f"{path}/cancel", step(reason="No")), status, code)
        assert_problem(person.send("POST", f"{path}/invoices", step()), status, code)
    stranger = shop.stranger
    deliver = step(location_id=shop.location_id)
    assert_problem(stranger.send("POST", f"{path}/deliveries", deliver), 404, "not_found")
    assert_problem(stranger.http.get(path), 404, "not_found")
    for kind in ("orders", "deliveries", "quotations", "invoices"):
        assert stranger.get(f"/v1/billing/{kind}", org_id=shop.org_id)["items"] == []
    assert _read(shop.cashier, order["id"]).status == "confirmed"
