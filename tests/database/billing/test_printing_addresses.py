"""Papers of goods that are brought elsewhere, end to end: made by the acts, rendered, and read back."""

import re
from typing import Any

import pytest

from backend.app.services.documents import kinds
from backend.app.services.documents.text import is_right_to_left
from tests.database.billing import trading
from tests.database.billing.names import ARABIC, ENGLISH, HINDI, LONG, Names
from tests.database.billing.printing import Json, Shop, open_shop
from tests.database.billing.test_printing import shapes
from tests.database.tax.shops import add
from tests.documents import reading
from tests.documents.test_ship_to import SITE
from tests.documents.test_words import ALLOWED
from tests.support.personas import new_id
from tests.support.world import People


def brought(shop: Shop) -> dict[str, Json]:
    """A quotation, its order, its delivery and the invoice, over goods that go to a site in Pune."""
    admin, customer = shop.people.as_admin(), shop.customer
    site = add(
        admin,
        "customer_addresses",
        org_id=shop.people.world.teak.id,
        customer_id=customer,
        kind="delivery",
        recipient=shop.names.customer,
        phone="+91 98450 12345",
        address_line1=shop.names.street,
        city=shop.names.city,
        region_code="27",
        postal_code="411001",
        country="IN",
    )
    basket = [shop.line(0, 60), shop.line(5, 1)]
    made = trading.quote_for(admin, shop.people, *basket, customer=customer, deliver_to=str(site))
    for step in ("send_quotation", "approve_quotation"):
        admin.rpc(step, p_id=new_id(), p_quotation_id=made["id"])
    order = trading.convert(admin, made)
    trading.confirm(shop.people, order, admin)
    note = trading.deliver(admin, shop.people, order)
    billed = trading.invoice(admin, order, delivery_id=note["id"])
    read: dict[str, Json] = {
        kind: admin.rpc(f"get_{kind}", p_id=document["id"])
        for kind, document in (("quotation", made), ("order", order), ("delivery", note), ("invoice", billed))
    }
    return {**read, "receipt": read["invoice"]}


def _print(kind: str, document: Json, settings: dict[str, Any] | None = None) -> bytes:
    return kinds.render(kind, document, settings, None)  # type: ignore[arg-type]


def test_each_paper_says_it(people: People) -> None:
    """Recipient, address, state with its code and phone; the buyer with his number is there as well."""
    for kind, document in brought(open_shop(people)).items():
        text = reading.text(_print(kind, document)).replace(" ", "")
        parts = ("Deliver", ENGLISH.street, "411001", "Maharashtra (27)", "+91 98450 12345", ENGLISH.customer)
        for part in (*parts, document["buyer"]["tax_number"]):
            assert part.replace(" ", "").lower() in text.lower(), (kind, part)


def test_to_a_consumer_it_is_the_place_of_supply(people: People) -> None:
    """From 50,000 on rule 46(e) asks for both addresses with their states and codes: both are there."""
    shop = open_shop(people)
    people.connection.execute("update public.customers set tax_number = null where id = %s", [shop.customer])
    made = brought(shop)
    text = reading.text(_print("invoice", made["invoice"]))
    assert made["invoice"]["subtotal"] >= 50_000
    for part in ("Karnataka (29)", "Maharashtra (27)", "PLACE OF SUPPLY Maharashtra (27)", "IGST"):
        assert part in text, part
    assert "CGST" not in text
    text = reading.text(_print("delivery", made["delivery"]))
    assert "Karnataka (29)" in text
    assert "PLACE OF SUPPLY Maharashtra (27)" in text


def test_in_hindi(people: People) -> None:
    """Nothing English is left of it."""
    codes = r"\b[A-Z]{3}/[A-Z0-9/-]+|\b\d{2}[A-Z0-9]{13}\b|\bPRN-\w+|\w+@okbank|BLR"
    for kind, document in brought(open_shop(people, HINDI)).items():
        text = re.sub(codes, " ", reading.text(_print(kind, document, {"language": "hi"})))
        assert set(re.findall(r"[A-Za-z]{2,}", text)) <= ALLOWED, (kind, text)


@pytest.mark.parametrize("names", [ARABIC, LONG], ids=["arabic", "long"])
def test_names_of_any_length_and_script(people: People, names: Names) -> None:
    """Nothing leaves the paper, and no two words lie over one another."""
    for kind, document in brought(open_shop(people, names)).items():
        wide = 226.8 if kind == "receipt" else 595.3
        for page in reading.words(_print(kind, document)):
            assert all(word[0] >= 11 and word[2] <= wide - 11 for word in page), kind
            plain = [word for word in page if not is_right_to_left(word[4])]
            for a in plain:
                for b in plain:
                    assert not (abs(a[1] - b[1]) < 2 and a[0] < b[0] < a[2] - 0.5), (kind, a, b)


def test_the_sample_has_the_keys_of_the_real_one(people: People) -> None:
    """What the tests of layout print is what the database gives."""
    for document in brought(open_shop(people)).values():
        assert dict(shapes(document["ship_to"])) == dict(shapes(SITE))
