"""Papers end to end: each kind made by the acts, read as for printing, rendered, and read back."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from backend.app.services.documents import kinds, money
from backend.app.services.documents.text import is_right_to_left
from backend.app.services.documents.words import LANGUAGES, TERMS
from bench import papers, samples
from tests.database.billing.names import ARABIC, ENGLISH, HINDI, LONG, Names
from tests.database.billing.printing import MAKERS, Json, open_shop
from tests.documents import reading
from tests.documents.test_words import ALLOWED
from tests.support.world import People

KINDS = list(MAKERS)
OF_GOODS = ["invoice", "receipt", "quotation", "order", "delivery", "credit_note"]
LOOKS: list[dict[str, Any]] = [{"language": "en"}, {"language": "hi"}]


def figure(value: Any) -> str:
    return money.figure(value, "INR")


def words(document: Json, kind: str) -> Iterator[str]:
    """What must stand on a paper whatever its language: numbers, names, and every amount that it is about."""
    seller, buyer = document["seller"], document.get("customer" if kind == "statement" else "buyer")
    yield seller["name"]
    yield seller["legal_name"]
    if buyer:
        yield buyer["name"]
        yield buyer["tax_number"]
    if kind != "statement":
        yield document["number"]
        yield seller["tax_number"]
    if kind in OF_GOODS:
        yield from _goods(document, kind)
    else:
        yield from {"payment": _payment, "statement": _statement, "agreement": _agreement}[kind](document)


def _goods(document: Json, kind: str) -> Iterator[str]:
    for row in document["lines"]:
        yield row["description"]
        yield from row["serials"] or []
        yield from (item["name"] for item in row["set_items"] or [])
        if kind == "delivery":
            continue
        yield figure(row["total"])
        for offer in row.get("offers", []):
            yield f"{offer['name']}"
            yield figure(offer["amount"])
            yield offer.get("coupon", "")
    if kind == "delivery":
        yield document["order_number"]
        return
    yield from _sums(document, kind)
    if kind == "invoice":
        yield figure(document["paid"])
        yield figure(document["balance"])
        yield from (row["number"] for row in document["credit_notes"])
    if kind == "order":
        yield document["quotation_number"]
        yield from (row["number"] for row in [*document["deliveries"], *document["invoices"]])
    if kind == "credit_note":
        yield document["invoice"]["number"]
        yield document["reason"]
        yield from (figure(row["amount"]) for row in [*document["allocations"], *document["refunds"]])
        yield figure(document["left"]) if document["left"] else ""


def _sums(document: Json, kind: str) -> Iterator[str]:
    yield figure(document["total"])
    yield figure(document["subtotal"])
    if kind in ("invoice", "credit_note"):
        yield from (figure(tax["amount"]) for row in document["tax_summary"] for tax in row["taxes"])
    else:
        yield figure(sum(row["taxes"][0]["amount"] for row in document["tax_summary"] if row["taxes"]))
    if document["round_off"]:
        yield figure(document["round_off"])
    for row in document.get("payments", []):
        yield figure(row["tendered"] if row.get("change") and kind == "receipt" else row["amount"])
        yield row["reference"] or ""


def _payment(document: Json) -> Iterator[str]:
    yield figure(document["amount"])
    yield document["reference"] or ""
    for row in document["allocations"]:
        yield row["invoice_number"]
        yield figure(row["amount"])
    yield from (figure(row["amount"]) for row in document["refunds"])
    yield from (figure(document[key]) for key in ("unallocated", "charges") if document[key])
    yield document["reversed"]["reason"] if document["reversed"] else ""


def _statement(document: Json) -> Iterator[str]:
    yield from (figure(document[key]) for key in ("opening", "closing", "debits", "owed"))
    yield from (figure(value) for value in document["ageing"].values())
    for row in document["lines"]:
        yield row["number"]
        yield row["reference"] or ""
        yield figure(row["balance"])
        yield figure(row["debit"] or row["credit"])
    for row in document["open_invoices"]:
        yield row["number"]
        yield figure(row["balance"])


def _agreement(document: Json) -> Iterator[str]:
    yield document["invoice_number"]
    for key in ("financed", "interest", "fees", "late_fees", "total", "paid", "overdue"):
        yield figure(document[key]) if document[key] else ""
    for fee in document["terms"]["fees"]:
        yield fee["name"]
        yield figure(fee["amount"])
    for row in document["schedule"]:
        yield from (figure(row[key]) for key in ("principal", "interest", "total"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_says_what_its_document_says(people: People, kind: str) -> None:
    """In both languages: every number, name and amount, and nothing that stands for a missing field."""
    for document, look in product(MAKERS[kind](open_shop(people), None), LOOKS):
        text = reading.text(kinds.render(kind, document, look, None))  # type: ignore[arg-type]
        joined = text.replace(" ", "")
        for part in words(document, kind):
            assert part.replace(" ", "") in joined, (part, text)
        assert not re.search(r"\b(None|null|nan|Decimal|True|False)\b|[{}]|₹\s*[A-Za-z]", text), text


@pytest.mark.parametrize("kind", OF_GOODS)
def test_the_sums_of_a_paper_agree(people: People, kind: str) -> None:
    """Lines and round-off make the total, components the tax; what followed from it leaves the balance."""
    for document in MAKERS[kind](open_shop(people), None):
        assert sum(row["total"] for row in document["lines"]) + document["round_off"] == document["total"]
        parts = [tax["amount"] for row in document["tax_summary"] for tax in row["taxes"]]
        assert sum(parts) == document["tax"] == sum(row["tax"] for row in document["lines"])
        for row in document["lines"]:
            assert sum(offer["amount"] for offer in row.get("offers", [])) <= row["discount"]
        if kind in ("invoice", "receipt"):
            assert document["total"] - document["paid"] - document["credited"] == document["balance"]
            assert sum(row["amount"] for row in document["payments"]) == document["paid"]


def test_what_a_payment_was_used_for_makes_its_amount(people: People) -> None:
    """Invoices, interest and fees, refunds and the rest: nothing is missing on the receipt."""
    seen = set()
    for document in MAKERS["payment"](open_shop(people), None):
        if document["reversed"]:
            continue
        parts = [row["amount"] for row in [*document["allocations"], *document["refunds"]]]
        assert sum(parts) + document["charges"] + document["unallocated"] == document["amount"]
        seen |= {key for key in ("charges", "unallocated", "refunds") if document[key]}
    assert seen == {"charges", "unallocated", "refunds"}


def test_what_is_left_to_pay_of_an_order_is_what_is_not_paid(people: People) -> None:
    """Also when a part is invoiced and paid there; the log tells work that he may see, and the goods."""
    first, second = MAKERS["order"](open_shop(people), None)
    left = first["total"] - 500
    text = reading.text(kinds.render("order", first, None, None))
    assert f"Advance paid ₹500.00 Left to pay ₹{figure(left)}" in text
    assert "Ravi" not in text
    (invoice,) = second["invoices"]
    assert invoice["balance"] == 0
    text = reading.text(kinds.render("order", second, None, None))
    assert f"Left to pay ₹{figure(second['total'] - invoice['total'])}" in text
    assert f"Delivered: {second['deliveries'][0]['number']}" in text
    assert f"Invoiced: {invoice['number']}, ₹{figure(invoice['total'])}" in text


def test_a_delivery_says_what_is_to_follow_as_of_then(people: People) -> None:
    """The first note, printed after the second delivery, still says what was to come."""
    first, second = MAKERS["delivery"](open_shop(people), None)
    rows = [(row["line_no"], row["ordered"], row["quantity"], row["to_follow"]) for row in first["lines"]]
    assert rows == [(1, 3, 1, 2), (2, 2, 2, 0), (3, 10, Decimal("2.5"), Decimal("7.5"))]
    assert {row["to_follow"] for row in second["lines"]} == {0}
    assert "Ordered Delivered To follow" in reading.text(kinds.render("delivery", first, None, None))
    assert "3 NOS 1 NOS 2 NOS" in reading.text(kinds.render("delivery", first, None, None))
    assert "To follow" not in reading.text(kinds.render("delivery", second, None, None))


def test_the_other_house_prints_in_its_own_tax_and_currency(people: People) -> None:
    """VAT in pounds, with the number of the customer; its account too, though it is in no lakhs."""
    lagoon = people.world.lagoon
    invoice = people.as_foreign_admin().rpc("get_invoice", p_id=lagoon.documents["owed@LON"])
    text = reading.text(kinds.render("invoice", invoice, None, None))
    for part in ("VAT No. GB123456789", "Balance due £", "Pounds", "VAT"):
        assert part in text, part
    statement = people.as_foreign_admin().rpc(
        "statement",
        p_customer_id=invoice["customer_id"],
        p_from="2020-01-01",
        p_to=invoice["business_date"],
    )
    text = reading.text(kinds.render("statement", statement, None, None))
    for part in ("VAT No. GB123456789", "Greenwich (LON)", f"£{money.figure(statement['closing'], 'GBP')}"):
        assert part in text, part
    assert "GST" not in text


def test_a_statement_of_one_branch_has_its_address(people: People) -> None:
    """The cashier of one branch prints what that branch is owed, with its tax number."""
    shop = open_shop(people)
    invoice = next(MAKERS["invoice"](shop, 1))
    asked = {"p_customer_id": shop.customer, "p_from": "2020-01-01", "p_to": invoice["business_date"]}
    document = people.as_cashier().rpc("statement", **asked)
    text = reading.text(kinds.render("statement", document, None, None))
    for part in (
        invoice["seller"]["tax_number"],
        "BRANCH Indiranagar (BLR)",
        "Only documents of some branches",
    ):
        assert part in text, part
    whole = people.as_admin().rpc("statement", **asked)
    assert set(whole["seller"]) == {"name", "legal_name", "tax_regime"}


def test_the_state_of_an_agreement_is_told(people: People) -> None:
    """Fresh it has a schedule; later what is paid, late and due, and what has been charged for it."""
    fresh, late = MAKERS["agreement"](open_shop(people), None)
    text = reading.text(kinds.render("agreement", fresh, None, None))
    assert "Overdue" not in text
    assert "AS OF" not in text
    text = reading.text(kinds.render("agreement", late, None, None))
    for part in (
        f"Late fee {figure(late['late_fees'])}",
        f"Overdue ₹{figure(late['overdue'])}",
        f"Outstanding ₹{figure(late['outstanding'])}",
        "· Paid",
        "· Overdue",
        "AS OF",
    ):
        assert part in text, part


@pytest.mark.parametrize("kind", KINDS)
def test_a_hindi_paper_is_wholly_hindi(people: People, kind: str) -> None:
    """What the acts say of states, units, methods and kinds of entries is Hindi on paper."""
    codes = r"\b[A-Z]{3}/[A-Z0-9/-]+|\b\d{2}[A-Z0-9]{13}\b|\b(UTR|AUTH) \d+|\bPRN-\w+|\w+@okbank|DIWALI|BLR"
    for document in MAKERS[kind](open_shop(people, HINDI), None):
        pdf = kinds.render(kind, document, {"language": "hi"}, None)  # type: ignore[arg-type]
        text = re.sub(codes, " ", reading.text(pdf))
        assert set(re.findall(r"[A-Za-z]{2,}", text)) <= ALLOWED, text
        assert reading.characters(pdf, "Devanagari") > 200


@pytest.mark.parametrize("names", [ARABIC, LONG], ids=["arabic", "long"])
@pytest.mark.parametrize("kind", KINDS)
def test_names_of_any_length_and_script_stay_in_their_place(people: People, kind: str, names: Names) -> None:
    """Nothing leaves the paper, and no two words lie over one another."""
    shop = open_shop(people, names)
    for document in (*MAKERS[kind](shop, None), *MAKERS[kind](shop, 1)):
        pdf = kinds.render(kind, document, None, None)  # type: ignore[arg-type]
        wide = 226.8 if kind == "receipt" else 595.3
        for page in reading.words(pdf):
            assert all(word[0] >= 11 and word[2] <= wide - 11 for word in page)
            # Readers join Arabic letters with what stands beside them: their place is not measured.
            plain = [word for word in page if not is_right_to_left(word[4])]
            for a in plain:
                for b in plain:
                    assert not (abs(a[1] - b[1]) < 2 and a[0] < b[0] < a[2] - 0.5), (a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_paper_has_every_line_and_ends_whole(people: People, kind: str) -> None:
    """500 lines of goods, and as many invoices or instalments as there can be."""
    count = 500 if kind in OF_GOODS else 120
    (document,) = MAKERS[kind](open_shop(people), count)
    text = reading.text(kinds.render(kind, document, None, None))  # type: ignore[arg-type]
    joined = text.replace(" ", "")
    if kind in OF_GOODS:
        assert len(document["lines"]) == 500
        for row in document["lines"]:
            total = "" if kind == "delivery" else figure(row["total"])
            assert row["description"].replace(" ", "") in joined
            assert total in joined
        assert [text.count(name) >= 80 for name in ENGLISH.goods] == [True] * 6
    for part in words(document, kind):
        if document.get("open_invoices") is None or "BLR" in part:
            assert part.replace(" ", "") in joined, part


# The keys of samples -----------------------------------------------------------------------------


def shapes(value: Any, path: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """The keys of every object in JSON, with the path to it."""
    if isinstance(value, dict):
        yield path, frozenset(value)
        for key, inner in value.items():
            yield from shapes(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from shapes(inner, f"{path}[]")


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_exactly_the_keys_of_the_real_answers(people: People, kind: str) -> None:
    """What the tests of layout print has no field that the database does not give, and lacks none."""
    real = {shape for made in MAKERS[kind](open_shop(people), None) for shape in shapes(made)}
    lagoon = people.as_foreign_admin().rpc("get_invoice", p_id=people.world.lagoon.invoices["LON"])
    samples_of = [papers.ALL[kind](), papers.in_hindi(kind), papers.ALL[kind](3)]
    if kind == "invoice":
        samples_of += [samples.intra_state(), samples.inter_state(), samples.wholesale(2)]
        real |= set(shapes(lagoon))
    # Samples of goods that are brought nowhere else do not say so.
    nowhere = {"ship_to": None} if kind in OF_GOODS and kind != "credit_note" else {}
    for sample in samples_of:
        for path, keys in shapes({**nowhere, **sample}):
            known = [other for at, other in real if at == path]
            assert keys in known, (path, [(keys - other, other - keys) for other in known])


def test_every_field_that_papers_read_is_given_by_some_answer(people: People) -> None:
    """The code names no field that no RPC has; what it makes up itself is listed here."""
    shop = open_shop(people)
    given = {
        key
        for make in MAKERS.values()
        for made in make(shop, None)
        for _, keys in shapes(made)
        for key in keys
    }
    folder = Path(money.__file__).parent
    # A cess by the unit has it; no goods of this shop bear one.
    own = {"per_unit"}
    for path in folder.glob("*.py"):
        if path.stem in ("look", "fonts", "text", "typeset"):
            continue
        read = set(re.findall(r"""(?:\.get\(|\w\[)["']([a-z_]+)["']""", path.read_text()))
        assert read <= given | own, (path.name, read - given - own)


# Words for what the database's tables hold ---------------------------------------------------------


def test_every_unit_and_state_of_the_database_has_a_hindi_name(people: People) -> None:
    """A new row of these tables needs its word."""
    everybody = people.as_admin()
    units = {row["code"] for row in everybody.select("select code from public.units")}
    states = {row["code"] for row in everybody.select("select code from public.regions where country = 'IN'")}
    assert units == set(TERMS["hi"]["unit"])
    assert states == set(TERMS["hi"]["state"])


def test_every_status_and_method_of_the_database_has_a_word(people: People) -> None:
    """In every language."""
    rows = people.as_admin().select(
        "select distinct to_status as status from public.lifecycle_transitions "
        "where document in ('quotation', 'sales_order', 'credit_agreement')"
    )
    needed = {f"status_{row['status']}" for row in rows}
    needed |= {
        f"method_{row['code']}" for row in people.as_admin().select("select code from public.payment_methods")
    }
    needed |= {
        f"entry_{kind}" for kind in ("invoice", "credit_note", "payment", "reversal", "refund", "charges")
    }
    needed |= {f"kind_{kind}" for kind in ("nil_rated", "exempt", "non_gst")}
    for language, known in LANGUAGES.items():
        assert needed <= set(known), (language, needed - set(known))
