"""Coupons of documents: counted when an order is confirmed or an invoice sent, given back with it."""

from typing import Any

import pytest

from tests.database.billing.money import assert_books
from tests.database.billing.offers import coupon, promotion
from tests.database.billing.trading import advance, approved, confirm, convert, deliver, invoice
from tests.database.sales import line, quote
from tests.support.personas import new_id, raises
from tests.support.world import People

CODE = {"coupon": "once"}


@pytest.fixture
def used(people: People) -> Any:
    """A code that takes a tenth off and may be used once; how often it was used."""
    made = coupon(people, promotion(people, "percent", 10, needs_coupon=True), "ONCE", max_uses=1)

    def count() -> int:
        row = people.connection.execute(
            "select coalesce(sum(uses), 0) from public.coupon_uses where coupon_id = %s", [made]
        ).fetchone()
        assert row is not None
        return int(row[0])

    return count


def _ordered(people: People, *lines: Any) -> Any:
    made = people.as_sales().rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=list(lines),
        p_options=CODE,
    )
    advance(people, made, made["total"])
    return made


def _refused(people: People) -> None:
    with raises("coupon_used_up", 422):
        quote(people.as_sales(), people.world.blr, line(people.world.teak.variants["sofa"]), coupon="ONCE")


def test_an_order_uses_it_when_it_is_confirmed(people: People, used: Any) -> None:
    """Two drafts hope for the last use; the first confirmed gets it, and gives it back cancelled."""
    sofa = line(people.world.teak.variants["sofa"])
    first, second = _ordered(people, sofa), _ordered(people, sofa)
    assert (first["discount"], used()) == (100, 0)
    confirm(people, first)
    assert used() == 1
    with raises("coupon_used_up", 422):
        confirm(people, second)
    _refused(people)
    cancel = {"p_id": new_id(), "p_order_id": first["id"], "p_reason": "No"}
    people.as_sales().rpc("cancel_order", **cancel)
    assert used() == 0
    people.as_sales().rpc("cancel_order", **cancel)
    assert used() == 0
    confirm(people, second)
    assert used() == 1


def test_a_draft_order_that_is_cancelled_gives_nothing_back(people: People, used: Any) -> None:
    """It had used nothing."""
    made = _ordered(people, line(people.world.teak.variants["sofa"]))
    people.as_sales().rpc("cancel_order", p_id=new_id(), p_order_id=made["id"], p_reason="No")
    assert used() == 0


def test_a_quotation_keeps_what_its_coupon_gave(people: People, used: Any) -> None:
    """On its day the code counted; it expires before the order is confirmed."""
    quoted = approved(people, line(people.world.teak.variants["sofa"], 2), **CODE)
    connection = people.connection
    connection.execute("alter table public.quotations disable trigger t40_enforce_lifecycle")
    connection.execute(
        "update public.quotations"
        " set header = jsonb_set(header, '{asked,priced_on}', to_jsonb(current_date - 3))"
    )
    connection.execute("alter table public.quotations enable trigger t40_enforce_lifecycle")
    connection.execute("update public.coupons set valid_to = current_date - 2")
    made = convert(people.as_sales(), quoted)
    advance(people, made, made["total"])
    confirm(people, made)
    assert used() == 1
    parts = []
    for _ in range(2):
        note = deliver(people.as_sales(), people, made, {"line_no": 1, "quantity": 1})
        parts.append(invoice(people.as_sales(), made, delivery_id=note["id"]))
    for part in parts:
        assert [offer["amount"] for offer in part["lines"][0]["offers"]] == [100]
        assert part["discount"] == 100
    assert used() == 1
    assert_books(people)


@pytest.mark.parametrize("draft", [False, True])
def test_an_invoice_uses_it_when_it_is_sent(people: People, used: Any, draft: bool) -> None:
    """At once or as a draft; void, it gives it back."""
    sales = people.as_sales()
    made = sales.rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(people.world.teak.variants["assembly"])],
        p_options={"draft": draft, **CODE},
    )
    assert (made["discount"], used()) == (50, 0 if draft else 1)
    if draft:
        sales.rpc("set_invoice_status", p_id=new_id(), p_invoice_id=made["id"], p_status="sent")
        assert used() == 1
    _refused(people)
    people.as_admin().rpc(
        "set_invoice_status",
        p_id=new_id(),
        p_invoice_id=made["id"],
        p_status="void",
        p_options={"reason": "Wrong"},
    )
    assert used() == 0


def test_a_draft_whose_code_was_used_up_is_not_sent(people: People, used: Any) -> None:
    """The last use went to somebody else meanwhile."""
    sales = people.as_sales()
    arguments = {
        "p_branch_id": people.world.blr.id,
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(people.world.teak.variants["assembly"])],
    }
    made = sales.rpc("create_invoice", p_id=new_id(), **arguments, p_options={"draft": True, **CODE})
    sales.rpc("create_invoice", p_id=new_id(), **arguments, p_options=CODE)
    with raises("coupon_used_up", 422):
        sales.rpc("set_invoice_status", p_id=new_id(), p_invoice_id=made["id"], p_status="sent")
    assert used() == 1


def test_the_books_tell_of_a_part_that_says_the_whole_offer(people: People, used: Any) -> None:
    """What offers are said to have given is never more than was taken off the line."""
    made = _ordered(people, line(people.world.teak.variants["sofa"], 2))
    confirm(people, made)
    note = deliver(people.as_sales(), people, made, {"line_no": 1, "quantity": 1})
    part = invoice(people.as_sales(), made, delivery_id=note["id"])
    assert_books(people)
    connection = people.connection
    connection.execute("alter table public.invoice_lines disable trigger t10_keep_issued_lines")
    connection.execute(
        "update public.invoice_lines set offers = jsonb_set(offers, '{0,amount}', '200')"
        " where invoice_id = %s",
        [part["id"]],
    )
    connection.execute("alter table public.invoice_lines enable trigger t10_keep_issued_lines")
    (found,) = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)
    assert (found["id"], found["expected"], found["found"]) == (part["id"], 100, 200)
