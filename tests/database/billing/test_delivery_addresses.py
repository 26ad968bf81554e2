"""Where goods go: named on a document, frozen with its buyer, carried along, and what it does to the tax."""

from typing import Any

import pytest

from tests.database.billing.addresses import (
    DUBAI,
    MYSURU,
    PUNE,
    address,
    change,
    confirmed_to,
    draft_to,
    ordered,
    place,
)
from tests.database.billing.credit import today
from tests.database.billing.money import assert_books
from tests.database.billing.trading import advance, confirm, convert, deliver, invoice, quote_for
from tests.database.moving import traces
from tests.database.sales import line, pay, quote, sell
from tests.database.tax.shops import add, parts, shop
from tests.support.gstin import gstin
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People

# On the document ---------------------------------------------------------------------------------


def test_from_the_order_to_the_invoice(people: People) -> None:
    """The note says where the goods go, and the invoice of it, in the shape of every address."""
    site = address(people, recipient="Ravi, foreman", phone="+91 98450 12345", label="Site 4", **MYSURU)
    order = confirmed_to(people, deliver_to=site)
    assert order["ship_to"] == {
        "id": str(site),
        "name": "Ravi, foreman",
        "phone": "+91 98450 12345",
        "tax_area": None,
        "address": {
            "line1": "Plot 11, Hosur Road",
            "line2": None,
            "city": "Mysuru",
            "region_code": "29",
            "region_name": "Karnataka",
            "postal_code": "570001",
            "country": "IN",
            "country_name": "India",
        },
    }
    note = deliver(people.as_stockkeeper(), people, order)
    billed = invoice(people.as_cashier(), order, delivery_id=note["id"])
    assert note["ship_to"] == billed["ship_to"] == order["ship_to"]
    assert billed == people.as_admin().rpc("get_invoice", p_id=billed["id"])
    again = people.as_admin().rpc("get_delivery", p_id=note["id"])
    assert again == note | {"invoice_id": billed["id"]}
    assert_books(people)


def test_from_the_quotation_all_the_way(people: People) -> None:
    """Copied, not looked up again: what was quoted stays, whatever becomes of the address."""
    site, sales = address(people, **MYSURU), people.as_sales()
    made = quote_for(sales, people, line(people.world.teak.variants["sofa"]), deliver_to=str(site))
    sales.rpc("send_quotation", p_id=new_id(), p_quotation_id=made["id"])
    sales.rpc("approve_quotation", p_id=new_id(), p_quotation_id=made["id"])
    change(people, site, address_line1="Elsewhere 1", recipient="Somebody", archived_at="2026-01-01")
    order = convert(sales, made)
    advance(people, order, order["total"])
    order = confirm(people, order)
    note = deliver(people.as_stockkeeper(), people, order)
    billed = invoice(people.as_cashier(), order)
    assert made["ship_to"]["name"] == made["buyer"]["name"]
    assert [x["ship_to"] for x in (order, note, billed)] == [made["ship_to"]] * 3
    again = people.as_sales().rpc("get_quotation", p_id=made["id"])
    assert again["ship_to"] == made["ship_to"]


def test_nothing_is_said_where_nothing_was_named(people: People) -> None:
    """Goods that go to the buyer's own address, or over the counter."""
    cashier, sofa = people.as_cashier(), line(people.world.teak.variants["sofa"])
    order = confirmed_to(people)
    note = deliver(cashier, people, order)
    documents = [
        order,
        note,
        invoice(cashier, order),
        sell(cashier, people.world.blr, sofa),
        draft_to(people),
    ]
    assert [x["ship_to"] for x in documents] == [None] * 5


def test_a_revision_and_a_draft_are_written_anew_with_their_address(people: People) -> None:
    """What is left out is empty, as with all options; a revision keeps what it said."""
    site, sales = address(people, **MYSURU), people.as_sales()
    sofa = line(people.world.teak.variants["sofa"])
    made = quote_for(sales, people, sofa, deliver_to=str(site))
    again = sales.rpc(
        "save_quotation",
        p_id=new_id(),
        p_quotation_id=made["id"],
        p_branch_id=made["branch_id"],
        p_customer_id=made["customer_id"],
        p_lines=[sofa],
    )
    assert again["ship_to"] is None
    kept = people.connection.execute(
        "select document -> 'ship_to' ->> 'id' from public.quotation_revisions where quotation_id = %s",
        [made["id"]],
    ).fetchone()
    assert kept == (str(site),)
    draft = draft_to(people, deliver_to=site)
    for options, expected in (({}, None), ({"deliver_to": site}, draft["ship_to"])):
        saved = sales.rpc(
            "save_invoice_draft",
            p_id=new_id(),
            p_invoice_id=draft["id"],
            p_customer_id=draft["customer_id"],
            p_lines=[line(people.world.teak.variants["assembly"])],
            p_options=options,
        )
        assert saved["ship_to"] == expected


def test_what_is_sent_stays(people: People) -> None:
    """Nobody changes where it went: no edit of the address, not the owner of the table."""
    site = address(people, **MYSURU)
    sofa = line(people.world.teak.variants["sofa"])
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        sofa,
        customer=people.world.teak.customers["trusted"],
        deliver_to=site,
    )
    assert sold == people.as_admin().rpc("get_invoice", p_id=sold["id"])
    assert sold["ship_to"]["address"]["city"] == "Mysuru"
    change(people, site, city="Mandya")
    assert people.as_admin().rpc("get_invoice", p_id=sold["id"]) == sold
    order = confirmed_to(people, deliver_to=site)
    note = deliver(people.as_cashier(), people, order)
    for statement, code in (
        ("update public.invoices set ship_to = null where id = %s", "document_final"),
        ("update public.sales_orders set header = header - 'ship_to' where id = %s", "document_final"),
        ("update public.deliveries set header = '{}' where id = %s", "append_only"),
    ):
        key = {"invoices": sold, "sales_orders": order, "deliveries": note}[statement.split()[1][7:]]
        with raises(code, 403 if code == "append_only" else 409), people.connection.transaction():
            people.connection.execute(statement, [key["id"]])
    with raises_sqlstate("42501"):
        people.as_admin().execute("update public.invoices set ship_to = null where id = %s", [sold["id"]])


def test_the_call_again_answers_the_same(people: People) -> None:
    """And with another address it is another call."""
    site, act = address(people, **MYSURU), new_id()
    order = confirmed_to(people, deliver_to=site)
    once = {"p_id": act, "p_options": {"deliver_to": site}}
    first = deliver(people.as_cashier(), people, order, **once)
    assert deliver(people.as_cashier(), people, order, **once) == first
    with raises("id_reused", 409):
        deliver(people.as_cashier(), people, order, p_id=act)


# Whose address -----------------------------------------------------------------------------------


def _every_act(people: People, customer: str, deliver_to: object) -> list[Any]:
    """Every act that takes an address, as a call without arguments."""
    cashier, blr, sofa = people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"])
    whom = people.world.teak.customers[customer]
    order = confirmed_to(people, line(people.world.teak.variants["sofa"]), customer=customer)
    sold = sell(cashier, blr, line(people.world.teak.variants["lamp"]), customer=whom)
    direct = {"p_branch_id": blr.id, "p_customer_id": whom, "p_lines": [sofa]}
    named: dict[str, Any] = {"deliver_to": deliver_to}
    draft = draft_to(people)
    return [
        lambda: quote_for(cashier, people, sofa, customer=customer, **named),
        lambda: ordered(people, sofa, customer=customer, **named),
        lambda: deliver(cashier, people, order, p_options=named),
        lambda: invoice(cashier, order, **named),
        lambda: quote(cashier, blr, sofa, customer=whom, **named),
        lambda: sell(cashier, blr, sofa, customer=whom, payments=[pay(1180)], **named),
        lambda: cashier.rpc(
            "create_invoice", p_id=new_id(), p_options={"location_id": blr.showroom, **named}, **direct
        ),
        lambda: cashier.rpc(
            "save_invoice_draft",
            p_id=new_id(),
            p_invoice_id=draft["id"],
            p_customer_id=whom,
            p_lines=[line(people.world.teak.variants["assembly"])],
            p_options=named,
        ),
        lambda: people.as_sales().rpc(
            "post_exchange",
            p_id=new_id(),
            p_invoice_id=sold["id"],
            p_return_lines=[{"line_no": 1, "quantity": 1, "disposition": "restock"}],
            p_branch_id=blr.id,
            p_location_id=blr.showroom,
            p_lines=[sofa],
            p_payments=[pay(1062)],
            p_options=named,
        ),
    ]


def _refused(people: People, deliver_to: object, code: str, status: int) -> None:
    for at, act in enumerate(_every_act(people, "trusted", deliver_to)):
        before = traces(people.connection)
        with raises(code, status) as refusal:
            act()
        assert refusal.facts["field"] == "deliver_to", at
        assert traces(people.connection) == before, at


def test_every_act_takes_one(people: People) -> None:
    """What is refused below would have been taken."""
    site = address(people, "trusted", **MYSURU)
    for at, act in enumerate(_every_act(people, "trusted", site)):
        made = act()
        assert made.get("invoice", made)["ship_to"]["id"] == str(site), at


def test_an_address_of_somebody_else(people: People) -> None:
    """Another customer's of the house is as unknown as none at all."""
    _refused(people, address(people, "elsewhere"), "not_found", 404)


def test_an_address_of_another_house(people: People) -> None:
    """It is not told that there is one."""
    lagoon = people.world.lagoon
    foreign = add(
        people.as_foreign_admin(),
        "customer_addresses",
        org_id=lagoon.id,
        customer_id=lagoon.customers["abroad"],
        kind="delivery",
        address_line1="1 Quai",
    )
    _refused(people, foreign, "not_found", 404)


def test_an_address_that_was_archived(people: People) -> None:
    """It is kept for the documents that have it, and takes no more goods."""
    site = address(people, **MYSURU)
    change(people, site, archived_at="2026-01-01")
    _refused(people, site, "address_archived", 422)


@pytest.mark.parametrize("value", ["Site 4", 5, True, {}, []])
def test_what_is_no_address(people: People, value: object) -> None:
    """The option is an id."""
    for act in _every_act(people, "trusted", value):
        with raises("invalid_input", 400):
            act()


def test_a_walk_in_has_no_addresses(people: People) -> None:
    """Who wants goods brought gives a name."""
    with raises("invalid_input", 400) as refusal:
        sell(
            people.as_cashier(),
            people.world.blr,
            line(people.world.teak.variants["sofa"]),
            payments=[pay(1180)],
            deliver_to=address(people),
        )
    assert refusal.facts["field"] == "p_customer_id"


def test_addresses_go_with_their_customer(people: People) -> None:
    """After a merge they are the other's, on documents that were written before, too."""
    teak, site = people.world.teak, address(people, "trusted", **MYSURU)
    other = add(
        people.as_cashier(), "customers", org_id=teak.id, name="Twice", country="IN", region_code="29"
    )
    theirs = address(people, other, **MYSURU)
    order = confirmed_to(people, deliver_to=site)
    people.as_admin().rpc(
        "merge_customers", p_id=new_id(), p_keep_id=other, p_merge_id=teak.customers["trusted"]
    )
    first = deliver(people.as_cashier(), people, order, {"line_no": 1, "quantity": 1})
    second = deliver(people.as_cashier(), people, order, p_options={"deliver_to": theirs})
    assert (first["ship_to"], second["ship_to"]["id"]) == (order["ship_to"], str(theirs))
    sofa = line(teak.variants["sofa"])
    assert sell(people.as_cashier(), people.world.blr, sofa, customer=other, deliver_to=site)["ship_to"] == (
        order["ship_to"] | {"name": "Twice"}
    )


# The tax -----------------------------------------------------------------------------------------


def test_a_consumer_is_supplied_where_the_goods_go(people: People) -> None:
    """IGST Act 2017, section 10(1)(a): to Pune integrated tax, as much as before; a till may say so."""
    sofa, whom = line(people.world.teak.variants["sofa"]), people.world.teak.customers["trusted"]
    cashier, blr = people.as_cashier(), people.world.blr
    here = sell(cashier, blr, sofa, customer=whom)
    there = sell(cashier, blr, sofa, customer=whom, deliver_to=address(people))
    assert (place(here), place(there)) == (("intra_state", "29"), ("inter_state", "27"))
    assert there["place_of_supply"]["name"] == "Maharashtra"
    assert parts(there["lines"][0]) == [("IGST", 18, 180)]
    assert (here["total"], here["tax"]) == (there["total"], there["tax"])
    assert there == people.as_admin().rpc("get_invoice", p_id=there["id"])


def test_a_registered_buyer_is_supplied_at_home(people: People) -> None:
    """Section 10(1)(b): goods that go elsewhere at his direction are deemed received by him, in his state."""
    sofa, blr, cashier = line(people.world.teak.variants["sofa"]), people.world.blr, people.as_cashier()
    for buyer, where, expected in (
        ("local", PUNE, ("intra_state", "29")),
        ("elsewhere", MYSURU, ("inter_state", "27")),
    ):
        site = address(people, buyer, **where)
        sold = sell(cashier, blr, sofa, customer=people.world.teak.customers[buyer], deliver_to=site)
        assert place(sold) == expected
        assert sold["ship_to"]["address"]["city"] == where["city"]


def test_the_tills_word_comes_first(people: People) -> None:
    """place_of_supply wins, on a sale and on an order whose delivery goes elsewhere."""
    site = address(people)
    order = confirmed_to(people, deliver_to=site, place_of_supply="29")
    note = deliver(people.as_cashier(), people, order, p_options={"deliver_to": address(people)})
    billed = invoice(people.as_cashier(), order, delivery_id=note["id"])
    assert [place(x) for x in (order, note, billed)] == [("intra_state", "29")] * 3


def test_a_till_lowers_no_tax_by_an_address(people: People) -> None:
    """Abroad it would be an export, in another state with a rate of its own cheaper; who may does."""
    teak, blr = people.world.teak, people.world.blr
    sofa, whom, abroad = line(teak.variants["sofa"]), teak.customers["trusted"], address(people, **DUBAI)
    with raises("price_override_denied", 403):
        quote(people.as_cashier(), blr, sofa, customer=whom, deliver_to=abroad)
    seen = quote(people.as_sales(), blr, sofa, customer=whom, deliver_to=abroad)
    assert (place(seen), seen["tax"]) == (("export", "96"), 0)
    people.as_admin().execute(
        "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from, region) "
        "select org_id, id, 12, '2020-01-01', '27' from public.tax_classes "
        "where code = 'GST18' and org_id = %s",
        [teak.id],
    )
    with raises("price_override_denied", 403):
        quote(people.as_cashier(), blr, sofa, customer=whom, deliver_to=address(people))
    assert quote(people.as_sales(), blr, sofa, customer=whom, deliver_to=address(people))["tax"] == 120


def test_what_stays_in_india_is_no_export(people: People) -> None:
    """A foreigner's goods brought to Pune: section 2(5) of the IGST Act asks that they leave India."""
    site, sofa = address(people, "abroad"), line(people.world.teak.variants["sofa"])
    whom = people.world.teak.customers["abroad"]
    seen = quote(people.as_cashier(), people.world.blr, sofa, customer=whom, deliver_to=site)
    assert (place(seen), seen["tax"]) == (("inter_state", "27"), 180)


def test_an_address_without_a_country_moves_no_tax(people: People) -> None:
    """As with a customer without one: the best guess stays what it was."""
    site = address(people, city="Somewhere")
    seen = quote(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        customer=people.world.teak.customers["trusted"],
        deliver_to=site,
    )
    assert (place(seen), seen["ship_to"]["address"]["country"]) == (("intra_state", "29"), None)


def test_a_composition_dealer_delivers_within_his_state(people: People) -> None:
    """CGST Act, section 10(2)(c): he makes no inter-State supply."""
    dealer = shop(people, "IN", "INR", region="29", tax_scheme="composition")
    buyer = dealer.customer(country="IN", region_code="29")
    goods = line(dealer.variant("100.00"))
    sites = [
        add(
            dealer.admin,
            "customer_addresses",
            org_id=dealer.org_id,
            customer_id=buyer,
            kind="delivery",
            address_line1="1",
            **where,
        )
        for where in (MYSURU, PUNE)
    ]
    assert quote(dealer.admin, dealer.branch, goods, customer=buyer, deliver_to=sites[0])["tax"] == 0
    with raises("composition_interstate", 422):
        quote(dealer.admin, dealer.branch, goods, customer=buyer, deliver_to=sites[1])


def test_the_register_says_the_same(people: People) -> None:
    """Table 7 by the place where the goods went, table 4 by the buyer's registration, and all of it sums."""
    made = shop(people, "IN", "INR", region="29")
    goods = line(
        made.variant("1000.00", {"rate": 18, "region": None, "component": None, "valid_from": "2017-07-01"})
    )
    consumer = made.customer(country="IN", region_code="29")
    firm = made.customer(country="IN", region_code="29", tax_number=gstin("29AAACB1234C1Z"))
    for whom in (consumer, firm):
        site = add(
            made.admin,
            "customer_addresses",
            org_id=made.org_id,
            customer_id=whom,
            kind="delivery",
            address_line1="1",
            **PUNE,
        )
        sell(made.admin, made.branch, goods, customer=whom, deliver_to=site)
    register = made.admin.rpc(
        "gstr1", p_org_id=made.org_id, p_from=today(people.connection), p_to=today(people.connection)
    )
    (seen,) = register["registrations"]
    (small,) = seen["b2cs"]["rows"]
    assert (small["place_of_supply"], small["type"], small["igst"]) == ("27", "INTER", 180)
    (large,) = seen["b2b"]["rows"]
    assert (large["place_of_supply"], large["items"][0]["cgst"], large["items"][0]["igst"]) == ("29", 90, 0)
    assert seen["sums"]["igst"] + seen["sums"]["cgst"] + seen["sums"]["sgst"] == 360
