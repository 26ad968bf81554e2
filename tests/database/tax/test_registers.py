"""The registers: every document in its section, all sections together what the documents say."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import Invoice, line, sell
from tests.database.tax.shops import D, Shop, rate, shop
from tests.support.gstin import gstin
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People

YEAR = {"p_from": "2026-01-01", "p_to": "2026-12-31"}
TAXES = ("igst", "cgst", "sgst", "cess")
LISTED = ("b2b", "b2cl", "b2cs", "exp", "cdnr", "cdnur", "nil")
PROFILE = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Books:
    """A shop in Karnataka with goods of every class and buyers of every kind, and what it issued."""

    shop: Shop
    goods: dict[str, UUID]
    buyers: dict[str, UUID | None]
    issued: list[tuple[int, Invoice]] = field(default_factory=list)

    def sell(self, buyer: str, *lines: tuple[str, object], **options: Any) -> Invoice:
        """Sell some of the goods to one of the buyers."""
        basket = [line(self.goods[name], quantity) for name, quantity in lines]
        made = sell(self.shop.admin, self.shop.branch, *basket, customer=self.buyers[buyer], **options)
        self.issued.append((1, made))
        return made

    def credit(
        self, invoice: Invoice, lines: list[dict[str, object]] | None = None, **options: object
    ) -> Invoice:
        """Credit some or all of an invoice and pay it back."""
        made: Invoice = self.shop.admin.rpc(
            "issue_credit_note",
            p_id=new_id(),
            p_invoice_id=invoice["id"],
            p_lines=lines,
            p_reason="Not worth it",
            p_options={"refund": {"method": "cash"}} | options,
        )
        self.issued.append((-1, made))
        return made

    def gstr1(self, **period: object) -> dict[str, Any]:
        """The register of the one registration."""
        answer = self.shop.admin.rpc("gstr1", p_org_id=self.shop.org_id, **(YEAR | period))
        (only,) = answer["registrations"]
        assert isinstance(only, dict)
        return only


@pytest.fixture
def books(people: People) -> Books:
    """Nothing issued yet."""
    made = shop(people, "IN", "INR", region="29")
    goods = {
        "chair": made.variant("1000.00", rate("18"), hsn="9403", unit="NOS"),
        "lamp": made.variant("99.99", rate("18"), inclusive=True, hsn="9405", unit="NOS"),
        "rug": made.variant("333.33", rate("5"), hsn="5703"),
        "water": made.variant("40.00", rate("28", cess_rate=D("12")), hsn="2202", unit="BTL"),
        "book": made.variant("99.00", kind="nil_rated", hsn="4901"),
        "pot": made.variant("45.00", kind="exempt", hsn="6912"),
        "petrol": made.variant("103.00", kind="non_gst", hsn="2710"),
        "repair": made.variant("700.00", rate("18"), hsn="998719"),
        "freight": made.variant("500.00", rate("5"), reverse_charge=True, hsn="996511"),
    }
    number = gstin("27AAACB1234C1Z")
    local = gstin("29AAACB1234C1Z")
    buyers: dict[str, UUID | None] = {
        "walk-in": None,
        "local": made.customer(country="IN", region_code="29", tax_number=local),
        "mumbai": made.customer(country="IN", region_code="27", tax_number=number),
        "consumer": made.customer(country="IN", region_code="27"),
        "abroad": made.customer(country="AE"),
        "zone": made.customer(country="IN", region_code="29", tax_number=local, tax_treatment="sez"),
    }
    return Books(made, goods, buyers)


def _sum(rows: Iterable[dict[str, Any]], key: str) -> Decimal:
    return sum((Decimal(row[key]) for row in rows), Decimal(0))


def _items(section: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for row in section["rows"] for item in row["items"]]


def _component(document: Invoice, *names: str) -> Decimal:
    return _sum((t for sold in document["lines"] for t in sold["taxes"] if t["component"] in names), "amount")


def _held_together(books: Books, seen: dict[str, Any]) -> None:
    """The sections, the HSN summary and the documents all come to the same."""
    names = {"igst": ("IGST",), "cgst": ("CGST",), "sgst": ("SGST", "UTGST"), "cess": ("CESS",)}
    for tax in TAXES:
        expected = sum((sign * _component(d, *names[tax]) for sign, d in books.issued), Decimal(0))
        assert seen["sums"][tax] == expected
        assert sum(seen[name]["sums"][tax] for name in LISTED) == expected
        assert _sum(seen["hsn"]["b2b"], tax) + _sum(seen["hsn"]["b2c"], tax) == expected
        for name in ("b2b", "b2cl", "exp"):
            assert _sum(_items(seen[name]), tax) == seen[name]["sums"][tax]
        for name in ("cdnr", "cdnur"):
            assert _sum(_items(seen[name]), tax) == -seen[name]["sums"][tax]
        assert _sum(seen["b2cs"]["rows"], tax) == seen["b2cs"]["sums"][tax]
    taxable = sum((sign * d["subtotal"] for sign, d in books.issued), Decimal(0))
    assert seen["sums"]["taxable"] == taxable
    assert sum(seen[name]["sums"]["taxable"] for name in LISTED) == taxable
    untaxed = seen["nil"]["rows"]
    assert seen["nil"]["sums"]["taxable"] == sum(_sum(untaxed, k) for k in ("nil_rated", "exempt", "non_gst"))
    charged = sum((sign * d["tax"] for sign, d in books.issued), Decimal(0))
    assert sum(seen["sums"][name] for name in TAXES) == charged
    ours = [row for row in seen["docs"]["rows"] if "vouchers" not in row["document"]]
    assert _sum(ours, "total") == len(books.issued)


# Each document in its section --------------------------------------------------------------------


def test_to_a_registered_buyer(books: Books) -> None:
    """Table 4A, invoice by invoice, a row for each rate; what bears no tax goes to table 8."""
    invoice = books.sell("mumbai", ("chair", 2), ("rug", 3), ("pot", 1))
    seen = books.gstr1()
    (row,) = seen["b2b"]["rows"]
    assert (row["number"], row["value"], row["type"]) == (invoice["number"], invoice["total"], "R")
    assert (row["gstin"], row["place_of_supply"]) == (gstin("27AAACB1234C1Z"), "27")
    assert [(i["rate"], i["taxable"], i["igst"]) for i in row["items"]] == [
        (5, D("999.99"), D("50.00")),
        (18, 2000, 360),
    ]
    assert seen["nil"]["rows"] == [{"type": "INTERB2B", "nil_rated": 0, "exempt": 45, "non_gst": 0}]
    _held_together(books, seen)


def test_reverse_charge_is_marked(books: Books) -> None:
    """Table 4B: the buyer's tax is told beside, and counts to nobody's collected tax."""
    books.sell("local", ("freight", 1))
    (row,) = books.gstr1()["b2b"]["rows"]
    assert row["reverse_charge"] is True
    assert row["items"] == [
        {"rate": 5, "taxable": 500, "igst": 0, "cgst": 0, "sgst": 0, "cess": 0, "recipient_tax": 25}
    ]


def test_the_buyers_tax_has_its_cess(books: Books) -> None:
    """GST (Compensation to States) Act, section 8(1): levied as the tax is, so the buyer owes it too."""
    leaves = rate("5", cess_rate=D("65"), cess_per_unit=D("1.25"))
    books.goods["leaves"] = books.shop.variant("100.00", leaves, reverse_charge=True, hsn="2401")
    invoice = books.sell("local", ("leaves", 4), ("freight", 1))
    (line_of_leaves, _) = invoice["lines"]
    assert (line_of_leaves["tax"], line_of_leaves["total"]) == (0, 400)
    # 5 % and 65 % of 400.00 and 1.25 for each of four; 5 % of 500.00.
    seen = books.gstr1()
    assert seen["b2b"]["sums"]["recipient_tax"] == 20 + 260 + 5 + 25
    assert (seen["b2b"]["sums"]["cess"], seen["sums"]["cess"]) == (0, 0)
    books.credit(invoice, [{"line_no": 1, "quantity": 1}])
    assert books.gstr1()["cdnr"]["sums"]["recipient_tax"] == -(5 + 65 + D("1.25"))


@pytest.mark.parametrize(
    ("day", "pieces", "section"),
    [
        ("2024-07-31", 180, "b2cs"),  # 2,12,400: below two and a half lakh
        ("2024-07-31", 220, "b2cl"),  # 2,59,600
        ("2024-08-01", 85, "b2cl"),  # 1,00,300: above one lakh from that day on
        ("2024-08-01", 84, "b2cs"),  # 99,120
    ],
)
def test_large_invoices_to_consumers(books: Books, day: str, pieces: int, section: str) -> None:
    """Rule 59(4): above Rs 2,50,000, from 1 August 2024 Rs 1,00,000 (Notification 12/2024-CT)."""
    books.sell("consumer", ("chair", pieces), occurred_at=f"{day}T12:00:00+05:30")
    seen = books.gstr1(p_from="2024-07-01", p_to="2024-08-31")
    assert [name for name in LISTED if seen[name]["rows"]] == [section]


def test_exactly_the_threshold_is_small(books: Books) -> None:
    """The rule says more than one lakh."""
    books.goods["hundred"] = books.shop.variant("100000.00", rate("18"), inclusive=True)
    assert books.sell("consumer", ("hundred", 1))["total"] == 100000
    assert books.gstr1()["b2cl"]["rows"] == []


def test_a_large_invoice_within_the_state_is_small(books: Books) -> None:
    """Only inter-State invoices are listed by themselves."""
    books.sell("walk-in", ("chair", 500))
    assert books.gstr1()["b2cs"]["rows"] == [
        {
            "place_of_supply": "29",
            "type": "INTRA",
            "rate": 18,
            "taxable": 500000,
            "igst": 0,
            "cgst": 45000,
            "sgst": 45000,
            "cess": 0,
        }
    ]


def test_exports_and_zones(books: Books) -> None:
    """Tables 6A and 6B, each with and without payment of tax."""
    for buyer, paid, kind in (
        ("abroad", "without_payment", "WOPAY"),
        ("abroad", "with_payment", "WPAY"),
        ("zone", "without_payment", "SEWOP"),
        ("zone", "with_payment", "SEWP"),
    ):
        books.sell(buyer, ("chair", 1), ("pot", 1), export_tax=paid)
        assert books.gstr1()["exp"]["rows"][-1]["type"] == kind
    seen = books.gstr1()
    assert seen["exp"]["sums"]["igst"] == 360
    assert [len(seen["hsn"][kind]) for kind in ("b2b", "b2c")] == [3, 3]
    _held_together(books, seen)


def test_what_was_credited(books: Books) -> None:
    """Table 9B: notes to registered persons, on large invoices and exports; table 7 is net of others."""
    made = {
        "cdnr": books.sell("mumbai", ("chair", 3)),
        "cdnur": books.sell("consumer", ("chair", 100)),
        "b2cs": books.sell("walk-in", ("chair", 3)),
    }
    notes = {name: books.credit(i, [{"line_no": 1, "quantity": 1}]) for name, i in made.items()}
    seen = books.gstr1()
    for name in ("cdnr", "cdnur"):
        (row,) = seen[name]["rows"]
        assert (row["number"], row["invoice_number"]) == (notes[name]["number"], made[name]["number"])
        assert (row["items"][0]["taxable"], row["items"][0]["igst"]) == (1000, 180)
    assert [seen[name]["rows"][0]["type"] for name in ("cdnr", "cdnur")] == ["R", "B2CL"]
    (small,) = seen["b2cs"]["rows"]
    assert (small["taxable"], small["cgst"]) == (2000, 180)
    _held_together(books, seen)


@pytest.mark.parametrize(
    ("buyer", "paid", "section", "kind"),
    [
        ("abroad", "with_payment", "cdnur", "EXPWP"),
        ("abroad", "without_payment", "cdnur", "EXPWOP"),
        ("zone", "with_payment", "cdnr", "SEWP"),
        ("zone", "without_payment", "cdnr", "SEWOP"),
    ],
)
def test_what_was_credited_beyond_the_border(
    books: Books, buyer: str, paid: str, section: str, kind: str
) -> None:
    """Table 9B tells of notes to unregistered persons which kind of supply they are of."""
    invoice = books.sell(buyer, ("chair", 2), export_tax=paid)
    books.credit(invoice, [{"line_no": 1, "quantity": 1}])
    seen = books.gstr1()
    (row,) = seen[section]["rows"]
    assert (row["type"], row["items"][0]["igst"]) == (kind, 180 if paid == "with_payment" else 0)
    _held_together(books, seen)


def test_a_note_of_a_later_month_keeps_the_invoices_section(books: Books) -> None:
    """In the month of the note there is no invoice, only what it takes back."""
    invoice = books.sell("walk-in", ("chair", 3), occurred_at="2026-02-10T12:00:00+05:30")
    books.credit(invoice, [{"line_no": 1, "quantity": 1}], occurred_at="2026-03-10T12:00:00+05:30")
    february = books.gstr1(p_from="2026-02-01", p_to="2026-02-28")
    march = books.gstr1(p_from="2026-03-01", p_to="2026-03-31")
    assert (february["b2cs"]["sums"]["taxable"], march["b2cs"]["sums"]["taxable"]) == (3000, -1000)


def test_a_note_tells_its_own_day_and_the_invoices(books: Books) -> None:
    """Listed in the month of the note, with the invoice of an earlier one named."""
    invoice = books.sell("mumbai", ("chair", 3), occurred_at="2026-02-10T12:00:00+05:30")
    note = books.credit(invoice, [{"line_no": 1, "quantity": 1}], occurred_at="2026-03-12T12:00:00+05:30")
    assert books.gstr1(p_from="2026-02-01", p_to="2026-02-28")["cdnr"]["rows"] == []
    (row,) = books.gstr1(p_from="2026-03-01", p_to="2026-03-31")["cdnr"]["rows"]
    assert (row["number"], row["date"], row["value"]) == (note["number"], "2026-03-12", note["total"])
    assert (row["invoice_number"], row["invoice_date"]) == (invoice["number"], "2026-02-10")


def test_a_voided_sale_comes_to_nothing(books: Books) -> None:
    """Both of its documents were issued, and count against one another."""
    invoice = books.sell("local", ("chair", 1))
    voided = books.shop.admin.rpc(
        "void_sale", p_id=new_id(), p_invoice_id=invoice["id"], p_reason="Typing error"
    )
    assert voided
    seen = books.gstr1()
    assert (seen["sums"]["taxable"], seen["sums"]["cgst"]) == (0, 0)
    assert [(row["document"], row["total"]) for row in seen["docs"]["rows"]] == [
        ("Credit notes", 1),
        ("Invoices for outward supply", 1),
        ("Refund vouchers", 1),
    ]


def test_vouchers_are_series_too(books: Books) -> None:
    """Table 13 lists receipt and refund vouchers, of a month without an invoice too; each year by itself."""
    admin, buyer = books.shop.admin, books.buyers["local"]
    books.sell("walk-in", ("book", 1))
    for day in ("2026-03-31", "2026-04-01"):
        held = {"branch_id": books.shop.branch.id, "hold": True, "occurred_at": f"{day}T12:00:00+05:30"}
        paid = admin.rpc(
            "record_payment",
            p_id=new_id(),
            p_customer_id=buyer,
            p_amount=100,
            p_method="upi",
            p_options=held,
        )
    refund = admin.rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=buyer,
        p_amount=30,
        p_method="upi",
        p_options={"payment_id": paid["id"]},
    )
    rows = books.gstr1()["docs"]["rows"]
    assert [(row["document"], row["total"]) for row in rows] == [
        ("Invoices for outward supply", 1),
        ("Receipt vouchers", 1),
        ("Receipt vouchers", 1),
        ("Refund vouchers", 1),
    ]
    last = rows[-1]
    assert (last["from"], last["to"], last["cancelled"]) == (refund["number"], refund["number"], 0)
    april = books.gstr1(p_from="2026-04-01", p_to="2026-04-30")
    assert [(row["document"], row["from"]) for row in april["docs"]["rows"]] == [
        ("Receipt vouchers", paid["number"])
    ]
    assert (april["sums"]["documents"], april["b2b"]["rows"], april["hsn"]["b2c"]) == (0, [], [])


def test_the_series(books: Books) -> None:
    """Table 13: from the first to the last number, each branch's series by itself."""
    numbers = [books.sell("walk-in", ("book", 1))["number"] for _ in range(3)]
    (row,) = [r for r in books.gstr1()["docs"]["rows"] if "vouchers" not in r["document"]]
    assert (row["from"], row["to"], row["total"], row["cancelled"]) == (numbers[0], numbers[2], 3, 0)


def test_hsn_summary(books: Books) -> None:
    """Table 12: by code, unit and rate, registered buyers and others apart; services have no quantity."""
    books.sell("local", ("chair", 2), ("repair", 1))
    books.sell("walk-in", ("chair", 1), ("water", 6))
    hsn = books.gstr1()["hsn"]
    assert [(r["hsn_code"], r["unit"], r["quantity"], r["taxable"]) for r in hsn["b2b"]] == [
        ("9403", "NOS", 2, 2000),
        ("998719", "NA", 0, 700),
    ]
    assert [(r["hsn_code"], r["unit"], r["quantity"], r["cess"]) for r in hsn["b2c"]] == [
        ("2202", "BTL", 6, D("28.80")),
        ("9403", "NOS", 1, 0),
    ]


# Any documents -----------------------------------------------------------------------------------


@PROFILE
@given(
    sales=st.lists(
        st.tuples(
            st.sampled_from(["walk-in", "local", "mumbai", "consumer", "abroad", "zone"]),
            st.lists(
                st.tuples(
                    st.sampled_from(["chair", "lamp", "rug", "water", "book", "pot", "petrol", "repair"]),
                    st.integers(1, 120),
                ),
                min_size=1,
                max_size=4,
            ),
            st.sampled_from(["with_payment", "without_payment"]),
            st.sampled_from(["nothing", "all", "some"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_register_is_what_the_documents_say(
    books: Books, sales: list[tuple[str, list[tuple[str, int]], str, str]]
) -> None:
    """Whatever was sold and credited, to whomever: sections, summary and documents agree to the paisa."""
    for buyer, basket, paid, credited in sales:
        invoice = books.sell(buyer, *basket, export_tax=paid)
        if credited == "all":
            books.credit(invoice)
        elif credited == "some":
            books.credit(invoice, [{"line_no": 1, "quantity": 1}])
    _held_together(books, books.gstr1())


@PROFILE
@given(baskets=st.lists(st.tuples(st.integers(1, 99), st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_any_return_is_what_the_documents_say(people: People, baskets: list[tuple[int, bool, bool]]) -> None:
    """Sales tax of two levels, sales for resale and credits: the components' rows add up to the taxes."""
    york = shop(people, "US", "USD", region="NY", area="NYC", tax_regime="sales_tax")
    goods = york.variant("9.99", rate("4", "US-NY", "State tax"), rate("4.875", "US-NY-NYC", "City tax"))
    reseller = york.customer(country="US", tax_treatment="exempt", tax_number="ST-120")
    books = Books(york, {"goods": goods}, {"reseller": reseller, "walk-in": None})
    for quantity, resale, back in baskets:
        invoice = books.sell("reseller" if resale else "walk-in", ("goods", quantity))
        if back:
            books.credit(invoice, [{"line_no": 1, "quantity": 1}])
    seen = york.admin.rpc("vat_return", p_org_id=york.org_id, **YEAR)
    tax = sum((sign * d["tax"] for sign, d in books.issued), Decimal(0))
    taxable = sum((sign * d["subtotal"] for sign, d in books.issued), Decimal(0))
    assert seen["sums"] == {"taxable": taxable, "tax": tax}
    assert _sum(seen["rows"], "tax") == tax
    by_component = [r["taxable"] for r in seen["rows"]]
    assert _sum(seen["untaxed"], "taxable") + (by_component[0] if by_component else 0) == taxable


# Who may see it ----------------------------------------------------------------------------------


def test_a_registration_at_a_time(people: People) -> None:
    """Each GSTIN has its own register; who covers one branch sees that branch's."""
    teak = people.world.teak
    whole = people.as_admin().rpc("gstr1", p_org_id=teak.id, **YEAR)
    numbers = [r["gstin"] for r in whole["registrations"]]
    assert numbers == [gstin("27ABCDE1234F1Z"), gstin("29ABCDE1234F1Z")]
    mine = people.as_sales().rpc("gstr1", p_org_id=teak.id, p_branch_id=people.world.blr.id, **YEAR)
    assert [r["gstin"] for r in mine["registrations"]] == numbers[1:]
    assert mine["registrations"][0] == whole["registrations"][1]
    with raises("permission_denied", 403):
        people.as_sales().rpc("gstr1", p_org_id=teak.id, **YEAR)
    with raises("permission_denied", 403):
        people.as_cashier().rpc("gstr1", p_org_id=teak.id, p_branch_id=people.world.blr.id, **YEAR)


def test_a_registration_is_whole(people: People) -> None:
    """A second branch under the same number belongs to the register, so half of it is not shown."""
    people.as_admin().rpc(
        "create_branch",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_code="BL2",
        p_name="Jayanagar",
        p_options={"region_code": "29", "tax_number": gstin("29ABCDE1234F1Z")},
    )
    with raises("permission_denied", 403):
        people.as_sales().rpc("gstr1", p_org_id=people.world.teak.id, p_branch_id=people.world.blr.id, **YEAR)


def test_composition_is_declared_elsewhere(people: People) -> None:
    """A composition dealer files GSTR-4: nothing of his is in GSTR-1."""
    dealer = shop(people, "IN", "INR", region="29", tax_scheme="composition")
    sell(dealer.admin, dealer.branch, line(dealer.variant("100.00", rate("1"))))
    assert dealer.admin.rpc("gstr1", p_org_id=dealer.org_id, **YEAR)["registrations"] == []


@pytest.mark.parametrize(
    "period",
    [
        ("2026-02-01", "2026-01-31"),
        (None, "2026-01-31"),
        ("2025-01-01", "2026-12-31"),
        ("-infinity", "2026-01-01"),
    ],
)
@pytest.mark.parametrize("register", ["gstr1", "vat_return"])
def test_a_period_has_two_ends(people: People, register: str, period: tuple[Any, Any]) -> None:
    """In order, and a year apart at most."""
    admin: Persona = people.as_admin()
    with raises("invalid_input", 400):
        admin.rpc(register, p_org_id=people.world.teak.id, p_from=period[0], p_to=period[1])


def test_british_vat(people: People) -> None:
    """Output tax by rate, with exports and zero-rated supplies beside."""
    uk = shop(people, "GB", "GBP", tax_regime="vat")
    goods, food = uk.variant("60.00", rate("20"), inclusive=True), uk.variant("5.00", kind="zero_rated")
    sell(uk.admin, uk.branch, line(goods, 2), line(food))
    sell(uk.admin, uk.branch, line(goods), customer=uk.customer(country="US"))
    seen = uk.admin.rpc("vat_return", p_org_id=uk.org_id, **YEAR)
    assert seen["rows"] == [
        {
            "place": "GB",
            "place_name": "United Kingdom",
            "component": "VAT",
            "rate": 20,
            "taxable": 100,
            "tax": 20,
        }
    ]
    assert [(u["supply_type"], u["tax_kind"], u["taxable"]) for u in seen["untaxed"]] == [
        ("domestic", "zero_rated", 5),
        ("export", "zero_rated", 50),
    ]
    assert seen["sums"] == {"taxable": 155, "tax": 20}
