"""Two people do the same thing, and the second comes while the first has not finished: no luck is needed.

The first one's transaction is held open until the second one waits for a lock of its. Then it ends, either
way: what was done stands and the second is refused, or it was undone and the second gets what there is.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest

from bench.shop import Connection, Shop, call
from local.processes import wait_until
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.test_money import ask, waits_for_a_lock
from tests.concurrency.together import together
from tests.support.refusals import code_of

Act = Callable[[Connection], Any]


@dataclass(frozen=True)
class Overlap:
    """Holds the first act open until the second waits for it. ends: commit or rollback of the first."""

    shop: Shop
    till: OpenTill
    ends: str

    def __call__(self, first: Act, second: Act) -> tuple[Any, Any]:
        """What the first act returned, and what the second did, or the code of its refusal."""
        holding, waiting = self.till(self.shop, autocommit=False), self.till(self.shop)
        done = first(holding)

        def end() -> None:
            assert wait_until(waits_for_a_lock(self.shop, waiting.info.backend_pid), 30), (
                "they do not overlap"
            )
            getattr(holding, self.ends)()

        outcome, _ = together([partial(second, waiting), end])
        return done, code_of(outcome) if isinstance(outcome, psycopg.Error) else outcome


@pytest.fixture(params=["commit", "rollback"])
def overlap(request: pytest.FixtureRequest, found_shop: FoundShop, till: OpenTill) -> Overlap:
    """A shop with two variants, nine pieces of each, and acts in it that overlap."""
    return Overlap(found_shop(variants=2, stock=9), till, request.param)


def _owed(overlap: Overlap, customer: uuid.UUID) -> uuid.UUID:
    """An invoice on credit over 118.00."""
    shop, made = overlap.shop, uuid.uuid4()
    till = overlap.till(shop)
    shop.sell(till, shop.branches[0], shop.variants[:1], sale_id=made, customer=customer, paid=Decimal(0))
    return made


def _pay(customer: uuid.UUID, amount: int, *invoices: uuid.UUID) -> Act:
    """A payment over the whole amount for the invoice; without one, for whatever is open."""
    parts = json.dumps([{"invoice_id": str(each), "amount": amount} for each in invoices])
    named = parts if invoices else None
    return lambda till: call(till, "record_payment", uuid.uuid4(), customer, Decimal(amount), "cash", named)


def _member(shop: Shop, points: int) -> uuid.UUID:
    """A customer with credit, and with points that are worth 1.00 each."""
    customer = shop.customer(credit_limit=1_000)
    with shop.sign_in(shop.admin_id) as admin:
        admin.execute(
            "insert into public.loyalty_programs (org_id, point_value) values (%s, 1)", [shop.org_id]
        )
        call(admin, "adjust_points", uuid.uuid4(), customer, points, "Welcome")
    return customer


def _books_are_right(overlap: Overlap) -> bool:
    return call(overlap.till(overlap.shop), "check_books", overlap.shop.org_id) is None


def test_two_payments_on_one_invoice(overlap: Overlap) -> None:
    customer = overlap.shop.customer(credit_limit=500)
    invoice = _owed(overlap, customer)
    pay = _pay(customer, 100, invoice)
    _, second = overlap(pay, pay)
    if overlap.ends == "commit":
        assert second == "invoice_overpaid"
    else:
        assert second["unallocated"] == 0
    assert ask(overlap.shop, "select paid from public.invoices where id = %s", invoice) == 100
    assert _books_are_right(overlap)


def test_two_payments_that_seek_what_is_open(overlap: Overlap) -> None:
    """Nothing is refused: what the invoice does not take any more stays the customer's credit."""
    customer = overlap.shop.customer(credit_limit=500)
    invoice = _owed(overlap, customer)
    _, second = overlap(_pay(customer, 100), _pay(customer, 100))
    committed = overlap.ends == "commit"
    assert second["unallocated"] == (82 if committed else 0)
    paid = ask(overlap.shop, "select paid from public.invoices where id = %s", invoice)
    assert paid == (118 if committed else 100)
    assert _books_are_right(overlap)


def test_two_redemptions_of_the_last_points(overlap: Overlap) -> None:
    """Of two invoices: only the customer stands between them."""
    customer = _member(overlap.shop, 150)
    one, other = (_owed(overlap, customer) for _ in range(2))

    def redeem(invoice: uuid.UUID) -> Act:
        return lambda till: call(till, "redeem_points", uuid.uuid4(), invoice, Decimal(118))

    _, second = overlap(redeem(one), redeem(other))
    if overlap.ends == "commit":
        assert second == "points_insufficient"
    else:
        assert second["amount"] == 118
    assert ask(overlap.shop, "select sum(points) from public.loyalty_entries") == 150 - 118
    assert _books_are_right(overlap)


def test_the_last_points_at_two_tills(overlap: Overlap) -> None:
    """Different goods, paid with the same points."""
    shop, customer = overlap.shop, _member(overlap.shop, 150)

    def buy(variant: uuid.UUID) -> Act:
        arguments = list(shop.sale_arguments(shop.branches[0], [variant], customer=customer))
        arguments[5] = '[{"method": "points", "amount": 118}]'
        return lambda till: call(till, "post_sale", *arguments)

    _, second = overlap(buy(shop.variants[0]), buy(shop.variants[1]))
    if overlap.ends == "commit":
        assert second == "points_insufficient"
    else:
        assert second["status"] == "paid"
    assert ask(shop, "select count(*) from public.invoices") == 1
    assert ask(shop, "select sum(points) from public.loyalty_entries") == 150 - 118


@pytest.mark.parametrize("limit", ["max_uses", "max_uses_per_customer"])
def test_the_last_use_of_a_coupon(overlap: Overlap, limit: str) -> None:
    """Different goods, the same coupon."""
    shop, promotion, customer = overlap.shop, uuid.uuid4(), overlap.shop.customer(credit_limit=0)
    with shop.sign_in(shop.admin_id) as admin:
        admin.execute(
            "insert into public.promotions (id, org_id, name, kind, value, applies_to, needs_coupon) "
            "values (%s, %s, 'Opening', 'percent', 10, 'everything', true)",
            [promotion, shop.org_id],
        )
        admin.execute(
            f"insert into public.coupons (org_id, promotion_id, code, {limit}) "  # noqa: S608
            "values (%s, %s, 'OPENING', 1)",
            [shop.org_id, promotion],
        )

    def buy(variant: uuid.UUID) -> Act:
        return lambda till: shop.sell(
            till,
            shop.branches[0],
            [variant],
            customer=customer,
            paid=Decimal("106.20"),
            options={"coupon": "OPENING"},
        )

    _, second = overlap(buy(shop.variants[0]), buy(shop.variants[1]))
    if overlap.ends == "commit":
        assert second == "coupon_used_up"
    else:
        assert second["total"] == 106
    assert ask(shop, "select sum(uses) from public.coupon_uses") == 1
    assert ask(shop, "select count(*) from public.invoices") == 1


@pytest.mark.parametrize("same_id", [True, False])
def test_convert_pressed_twice(overlap: Overlap, same_id: bool) -> None:
    """The button's second press comes with the same id, or from another window with another."""
    shop, quotation = overlap.shop, uuid.uuid4()
    till, customer = overlap.till(shop), shop.customer(credit_limit=1_000)
    lines = json.dumps([{"variant_id": str(shop.variants[0]), "quantity": 1}])
    call(till, "save_quotation", quotation, None, shop.branches[0].id, customer, lines)
    for step in ("send_quotation", "approve_quotation"):
        call(till, step, uuid.uuid4(), quotation)
    press = uuid.uuid4()
    again = press if same_id else uuid.uuid4()
    first, second = overlap(
        lambda till: call(till, "convert_quotation", press, quotation),
        lambda till: call(till, "convert_quotation", again, quotation),
    )
    if overlap.ends == "commit":
        assert second == (first if same_id else "invalid_transition")
    else:
        assert second["id"] == str(again)
    assert ask(shop, "select count(*) from public.sales_orders where quotation_id = %s", quotation) == 1


def test_the_overdue_job_twice(overlap: Overlap) -> None:
    """The second run waits, then looks again beneath its locks: the late fee comes once, whoever adds it."""
    shop, customer = overlap.shop, overlap.shop.customer(credit_limit=500)
    day = ask(shop, "select (now() at time zone timezone)::date from public.branches limit 1")
    terms = {"count": 2, "first_due_on": str(day + timedelta(days=10)), "grace_days": 2, "late_fee": 7}
    terms |= {"default_after_days": 20}
    agreed = (uuid.uuid4(), _owed(overlap, customer), json.dumps(terms))
    call(overlap.till(shop), "open_credit_sale", *agreed)
    with psycopg.connect(shop.url, autocommit=True) as owner:
        # The room's only look at the clock: it is 31 days later for everybody.
        owner.execute(
            "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date "
            "language plpgsql stable set search_path = '' as $$ begin "
            "return private.local_date(p_org_id, p_branch_id, now()) + 31; end; $$"
        )

    def run(till: Connection) -> Any:
        return call(till, "run_overdue", shop.org_id)

    all_of_it = {"agreements": 1, "overdue": 1, "late_fees": 1, "defaulted": 1, "reminders": 1}
    first, second = overlap(run, run)
    assert first == all_of_it
    assert second == (dict.fromkeys(all_of_it, 0) if overlap.ends == "commit" else all_of_it)
    assert ask(shop, "select sum(amount) from public.credit_charges where kind = 'late_fee'") == 7
    for event in ("instalment.reminder", "credit_agreement.defaulted"):
        assert ask(shop, "select count(*) from private.outbox where event = %s", event) == 1
    assert _books_are_right(overlap)
