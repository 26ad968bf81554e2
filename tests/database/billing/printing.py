"""The JSON of every kind of paper, made by the acts: a shop with names of any script, and its documents."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.database.billing import credit as instalments
from tests.database.billing import offers, trading
from tests.database.billing.money import credit, record
from tests.database.billing.names import ENGLISH, Names
from tests.database.sales import Line, line, pay, quote, sell
from tests.support.gstin import gstin
from tests.support.personas import new_id
from tests.support.world import Branch, People

Json = dict[str, Any]

COUPON = "DIWALI-25"


@dataclass
class Shop:
    """Bengaluru's branch with goods, offers and a customer of these names.

    goods: what a long basket holds; sold: how many numbered pieces are gone.
    """

    people: People
    names: Names
    goods: list[UUID] = field(default_factory=list)
    piece: UUID = field(default_factory=new_id)
    suite: UUID = field(default_factory=new_id)
    lot: UUID = field(default_factory=new_id)
    customer: UUID = field(default_factory=new_id)
    sold: int = 0

    @property
    def branch(self) -> Branch:
        """Where all of it happens."""
        return self.people.world.blr

    def line(self, number: int, quantity: object | None = None, **extra: object) -> Line:
        """A line of the goods, by their number."""
        at = number % len(self.goods)
        asked = quantity or (Decimal("2.5") if at == 2 else 1 + number % 3)
        return line(self.goods[at], asked, **extra)

    def numbers(self) -> list[str]:
        """The numbers of two pieces that are still here."""
        self.sold += 2
        return [f"3567-{number:04}" for number in (self.sold - 2, self.sold - 1)]

    def basket(self, count: int | None) -> list[Line]:
        """So many lines; unless told, one of every sort of goods and tax that a shop of GST has."""
        if count is not None:
            return [self.line(number) for number in range(count)]
        return [*(self.line(number) for number in range(6)), line(self.suite)]


# Tax class, price, unit, HSN code, whether the price includes the tax, and kind of each of the goods.
_GOODS = (
    ("GST18", "1000.00", "NOS", "9401", False, "goods"),
    ("GST18", "118.00", "NOS", "9405", True, "goods"),
    ("GST5", "250.50", "MTR", "5309", False, "goods"),
    ("NIL", "99.00", "NOS", "4901", False, "goods"),
    ("EXEMPT", "45.00", "PRS", "6912", False, "goods"),
    ("GST18", "500.00", "NOS", "9987", False, "service"),
)


def _variant(shop: Shop, name: str, sku: str, number: int, kind: str, tracking: str = "none") -> UUID:
    tax, price, unit, hsn, inclusive, _ = _GOODS[number]
    person, org, product, made = shop.people.as_admin(), shop.people.world.teak.id, new_id(), new_id()
    (tax_class,) = person.select(
        "select id from public.tax_classes where org_id = %s and code = %s", [org, tax]
    )
    offers.insert(
        person,
        "products",
        id=product,
        org_id=org,
        name=name,
        kind=kind,
        hsn_code=hsn,
        tax_class_id=tax_class["id"],
        unit_code=unit,
    )
    offers.insert(
        person,
        "product_variants",
        id=made,
        org_id=org,
        product_id=product,
        sku=sku,
        name=name,
        price=Decimal(price),
        price_includes_tax=inclusive,
        tracking=tracking,
    )
    return made


def _stock(shop: Shop, variant: UUID, quantity: int, **options: object) -> None:
    shop.people.as_admin().rpc(
        "adjust_stock",
        p_id=new_id(),
        p_location_id=shop.branch.showroom,
        p_variant_id=variant,
        p_quantity=quantity,
        p_reason="opening",
        p_unit_cost=Decimal(40),
        p_options=options,
    )


def _customer(shop: Shop) -> None:
    offers.insert(
        shop.people.as_admin(),
        "customers",
        id=shop.customer,
        org_id=shop.people.world.teak.id,
        name=shop.names.customer,
        kind="business",
        tax_number=gstin("29AAACB1234C1Z"),
        phone="+91 98200 00000",
        address_line1=shop.names.street,
        city=shop.names.city,
        region_code="29",
        postal_code="560001",
        country="IN",
    )
    shop.people.as_admin().rpc("set_credit_limit", p_customer_id=shop.customer, p_credit_limit=10_000_000)


def open_shop(people: People, names: Names = ENGLISH) -> Shop:
    """The shop, stocked; offers on the first goods, one by coupon; a customer with credit and points."""
    shop, world = Shop(people, names), people.world
    people.connection.execute(
        "update public.organizations set name = %s, legal_name = %s, invoice_terms = %s where id = %s",
        [names.seller, names.legal, names.terms, world.teak.id],
    )
    people.connection.execute(
        "update public.branches set name = %s, city = %s, address_line1 = %s, postal_code = '560038', "
        "phone = '+91 80 4123 4567', upi_id = 'teakthread@okbank' where id = %s",
        [names.branch, names.city, names.street, shop.branch.id],
    )
    for number, name in enumerate(names.goods):
        kind = _GOODS[number][5]
        shop.goods.append(_variant(shop, name, f"PRN-{number + 1:03}", number, kind))
        if kind == "goods":
            _stock(shop, shop.goods[-1], 5000)
    shop.piece = _variant(shop, names.piece, "PRN-IMEI", 0, "goods", "serial")
    _stock(shop, shop.piece, 20, serials=[f"3567-{number:04}" for number in range(20)])
    shop.lot = _variant(shop, names.goods[2], "PRN-LOT", 2, "goods", "batch")
    for code, pieces, expires_on in (("2604-11", 2, "2099-05-31"), ("2605-02", 50, "2099-11-30")):
        _stock(shop, shop.lot, pieces, batch=code, expires_on=expires_on)
    shop.suite = _variant(shop, names.suite, "PRN-SET", 0, "set")
    for component, quantity in ((shop.goods[0], 1), (shop.goods[1], 2)):
        offers.insert(
            people.as_admin(),
            "set_components",
            org_id=world.teak.id,
            set_variant_id=shop.suite,
            component_variant_id=component,
            quantity=quantity,
        )
    _customer(shop)
    offers.program(people)
    offers.adjust_points(people, shop.customer, 500)
    first = {"variant_id": shop.goods[0]}
    offers.promotion(people, "percent", 5, first, name=names.offer, combinable=True)
    special = offers.promotion(
        people, "percent", 10, first, name=names.coupon_offer, combinable=True, needs_coupon=True
    )
    offers.coupon(people, special, COUPON)
    return shop


def _read(shop: Shop, get: str, made: Json) -> Json:
    """The document as it is read when it is printed."""
    answer: Json = shop.people.as_admin().rpc(get, p_id=made["id"])
    return answer


def _options(shop: Shop, **more: object) -> Json:
    return {"note": shop.names.note, "reference": "4411", **more}


def _owe(shop: Shop, count: int | None = 1, **options: Any) -> Json:
    """An invoice of which nothing is paid."""
    return sell(
        shop.people.as_admin(),
        shop.branch,
        *shop.basket(count),
        payments=[],
        customer=shop.customer,
        **options,
    )


def invoices(shop: Shop, count: int | None) -> Iterator[Json]:
    """Paid in three ways with change; on credit till a day, then partly paid and credited; a walk-in."""
    admin, basket = shop.people.as_admin(), shop.basket(count)
    asked = _options(shop, coupon=COUPON)
    due = Decimal(quote(admin, shop.branch, *basket, customer=shop.customer, **asked)["total"])
    payments = [pay(10, "points"), pay(20, "card", reference="AUTH 884213"), pay(due - 30 + 500)]
    paid = sell(admin, shop.branch, *basket, payments=payments, customer=shop.customer, **asked)
    yield _read(shop, "get_invoice_paper", paid)
    if count is not None:
        return
    numbered = line(shop.piece, 2, serials=shop.numbers())
    day = instalments.today(shop.people.connection) + timedelta(days=30)
    owed: Json = admin.rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=shop.branch.id,
        p_customer_id=shop.customer,
        p_lines=[*basket, numbered],
        p_options=_options(shop, due_date=day, location_id=shop.branch.showroom),
    )
    yield _read(shop, "get_invoice_paper", owed)
    record(admin, shop.customer, 50, p_allocations=[{"invoice_id": owed["id"], "amount": 50}])
    credit(admin, owed["id"], [{"line_no": 1, "quantity": 1}])
    yield _read(shop, "get_invoice_paper", owed)
    walk_in = sell(admin, shop.branch, shop.line(1), shop.line(3), line(shop.lot, 3))
    yield _read(shop, "get_invoice_paper", walk_in)


def quotations(shop: Shop, count: int | None) -> Iterator[Json]:
    """Sent in its second revision, with terms of its own."""
    admin, basket = shop.people.as_admin(), shop.basket(count)
    made: Json = {"id": None}
    for _ in range(2):
        made = admin.rpc(
            "save_quotation",
            p_id=new_id(),
            p_quotation_id=made["id"],
            p_branch_id=shop.branch.id,
            p_customer_id=shop.customer,
            p_lines=basket,
            p_options=_options(shop, terms=shop.names.terms),
        )
        if made["revision"] == 1:
            admin.rpc("send_quotation", p_id=new_id(), p_quotation_id=made["id"])
    admin.rpc("send_quotation", p_id=new_id(), p_quotation_id=made["id"])
    yield _read(shop, "get_quotation", made)


def _ordered(shop: Shop, count: int | None) -> Json:
    """A confirmed order of an approved quotation with an advance of 500 and two entries in its log."""
    admin = shop.people.as_admin()
    for quotation in quotations(shop, count):
        admin.rpc("approve_quotation", p_id=new_id(), p_quotation_id=quotation["id"])
        made = trading.convert(admin, quotation)
    admin.rpc(
        "record_payment",
        p_id=new_id(),
        p_customer_id=shop.customer,
        p_amount=500,
        p_method="upi",
        p_reference="UTR 118822",
        p_options={"branch_id": shop.branch.id, "order_id": made["id"]},
    )
    trading.confirm(shop.people, made, admin)
    for note, options in (
        (shop.names.note, {"visible_to_customer": True, "status": "in_production"}),
        ("Call Ravi, the linen is late", {}),
    ):
        admin.rpc(
            "log_work",
            p_id=new_id(),
            p_order_id=made["id"],
            p_note=note,
            p_options=options,
        )
    return made


def orders(shop: Shop, count: int | None) -> Iterator[Json]:
    """In production with an advance; then delivered and invoiced in part, and the invoice paid."""
    made = _ordered(shop, count)
    yield _read(shop, "get_order", made)
    if count is not None:
        return
    admin = shop.people.as_admin()
    note = trading.deliver(admin, shop.people, made, {"line_no": 1, "quantity": 1})
    invoiced = trading.invoice(admin, made, delivery_id=note["id"])
    rest = invoiced["balance"]
    if rest:
        record(admin, shop.customer, rest, p_allocations=[{"invoice_id": invoiced["id"], "amount": rest}])
    yield _read(shop, "get_order", made)


def deliveries(shop: Shop, count: int | None) -> Iterator[Json]:
    """A part of an order, with the numbers of two pieces; then the rest; or all of a long one."""
    admin = shop.people.as_admin()
    if count is not None:
        made = _ordered(shop, count)
        admin.rpc("mark_order", p_id=new_id(), p_order_id=made["id"], p_status="ready")
        yield _read(shop, "get_delivery_paper", trading.deliver(admin, shop.people, made))
        return
    basket = [shop.line(0, 3), line(shop.piece, 2), shop.line(2, 10), line(shop.suite), line(shop.lot, 4)]
    made = trading.order(shop.people, *basket, person=admin)
    made = admin.rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=made["id"],
        p_branch_id=shop.branch.id,
        p_customer_id=shop.customer,
        p_lines=basket,
        p_options=_options(shop),
    )
    trading.confirm(shop.people, made, admin)
    part = (
        {"line_no": 1, "quantity": 1},
        {"line_no": 2, "quantity": 2, "serials": shop.numbers()},
        {"line_no": 3, "quantity": Decimal("2.5")},
    )
    first = trading.deliver(admin, shop.people, made, *part)
    second = trading.deliver(admin, shop.people, made)
    yield _read(shop, "get_delivery_paper", first)
    yield _read(shop, "get_delivery_paper", second)


def credit_notes(shop: Shop, count: int | None) -> Iterator[Json]:
    """Of an invoice partly paid: what it owed is settled, the rest stays; then one that is refunded."""
    admin = shop.people.as_admin()
    for refund in (None, {"method": "bank_transfer", "reference": "UTR 9"}):
        invoice = _owe(shop, count, coupon=COUPON)
        paid = (Decimal(invoice["total"]) / 2).quantize(Decimal("0.01"))
        record(admin, shop.customer, paid, p_allocations=[{"invoice_id": invoice["id"], "amount": paid}])
        more: Json = {"refund": refund} if refund else {}
        made = credit(admin, invoice["id"], p_reason=shop.names.reason, **more)
        yield _read(shop, "get_credit_note", made)
        if count is not None:
            return


def payments(shop: Shop, count: int | None) -> Iterator[Json]:
    """Over invoices with a rest on account, part of it paid back; of an instalment with charges; reversed."""
    admin = shop.people.as_admin()
    owed = [_owe(shop) for _ in range(2 if count is None else count)]
    parts = [{"invoice_id": invoice["id"], "amount": invoice["balance"]} for invoice in owed]
    total = sum(Decimal(invoice["balance"]) for invoice in owed)
    made = record(
        admin,
        shop.customer,
        total + 500,
        p_method="bank_transfer",
        p_allocations=parts,
        p_reference="UTR 118822",
        p_options={"branch_id": shop.branch.id, "note": shop.names.note},
    )
    admin.rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=shop.customer,
        p_amount=200,
        p_method="cash",
        p_options={"payment_id": made["id"], "branch_id": shop.branch.id},
    )
    yield _read(shop, "get_payment", made)
    if count is not None:
        return
    agreement = _agreed(shop, 3)
    instalment = new_id()
    admin.rpc(
        "pay_agreement",
        p_id=instalment,
        p_agreement_id=agreement["id"],
        p_amount=agreement["schedule"][0]["total"],
        p_method="cash",
    )
    yield _read(shop, "get_payment", {"id": instalment})
    bounced = record(
        admin,
        shop.customer,
        300,
        p_method="cheque",
        p_options={"branch_id": shop.branch.id, "hold": True},
    )
    admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason=shop.names.reason)
    yield _read(shop, "get_payment", bounced)


def statements(shop: Shop, count: int | None) -> Iterator[Json]:
    """A quarter: an opening balance, debts of several ages, a credit note, a bounced cheque, instalments."""
    admin, today = shop.people.as_admin(), instalments.today(shop.people.connection)
    # What other papers did to the customer is not in his account.
    shop = replace(shop, customer=new_id())
    _customer(shop)
    first = today - timedelta(days=89)

    def at(day: int) -> str:
        return f"{first + timedelta(days=day)}T06:30:00Z"

    if count is None:
        _owe(shop, 1, occurred_at=f"{first - timedelta(days=20)}T06:30:00Z")
    for number in range(4 if count is None else count):
        _owe(shop, 1, occurred_at=at(number * 25 if count is None else number % 80))
    if count is None:
        late = _owe(shop, 2, occurred_at=at(80))
        credit(admin, late["id"], p_reason=shop.names.reason)
        for hold, reverse in ((True, True), (False, False)):
            paid = record(
                admin,
                shop.customer,
                400,
                p_method="cheque",
                p_reference="004411",
                p_options={"branch_id": shop.branch.id, "hold": hold, "occurred_at": at(60)},
            )
            if reverse:
                admin.rpc(
                    "reverse_payment", p_id=new_id(), p_payment_id=paid["id"], p_reason=shop.names.reason
                )
        agreement = _agreed(shop, 3)
        instalments.pay_in(shop.people, agreement, agreement["schedule"][0]["total"])
    answer: Json = admin.rpc("statement", p_customer_id=shop.customer, p_from=first, p_to=today)
    yield answer


def _agreed(shop: Shop, count: int, kind: str = "flat") -> Json:
    invoice = _owe(shop, None)
    asked = {
        "deposit": 0,
        "count": count,
        "first_due_on": instalments.today(shop.people.connection) + timedelta(days=30),
        "interval": "month",
        "interest": {"kind": kind, "annual_percent": 12},
        "fees": [{"name": shop.names.fee, "amount": 250}],
        "grace_days": 5,
        "late_fee": 200,
        "default_after_days": 60,
        "remind_days_before": 3,
    }
    return instalments.agree(shop.people, invoice["id"], asked, shop.people.as_admin())


def agreements(shop: Shop, count: int | None) -> Iterator[Json]:
    """Fresh, on a reducing balance; then one instalment paid and one late. At most 120 instalments."""
    if count is not None:
        yield _read(shop, "get_agreement", _agreed(shop, min(count, 120)))
        return
    made = _agreed(shop, 6, "reducing")
    yield _read(shop, "get_agreement", made)
    instalments.pay_in(shop.people, made, made["schedule"][0]["total"])
    day = instalments.today(shop.people.connection)
    instalments.run_job(shop.people, day + timedelta(days=75))
    yield _read(shop, "get_agreement", made)
    instalments.set_today(shop.people.connection, day)


MAKERS: dict[str, Callable[[Shop, int | None], Iterator[Json]]] = {
    "invoice": invoices,
    "receipt": invoices,
    "quotation": quotations,
    "order": orders,
    "delivery": deliveries,
    "credit_note": credit_notes,
    "payment": payments,
    "statement": statements,
    "agreement": agreements,
}
