"""Quotations: prices that are kept, revisions, validity, and who may do what."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.database.billing.trading import approved, convert, events, order, quote_for
from tests.database.moving import traces
from tests.database.sales import line
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def _step(person: Persona, act: str, quotation: Any, **more: Any) -> Any:
    return person.rpc(act, **({"p_id": new_id(), "p_quotation_id": quotation["id"]} | more))


def _overdue(people: People, quotation: Any) -> None:
    """Let the quotation's last day be over, as time would."""
    connection = people.connection
    connection.execute("alter table public.quotations disable trigger t40_enforce_lifecycle")
    connection.execute(
        "update public.quotations set valid_until = current_date - 5 where id = %s", [quotation["id"]]
    )
    connection.execute("alter table public.quotations enable trigger t40_enforce_lifecycle")


def _expire(people: People) -> int:
    row = people.connection.execute(
        "select sum(private.expire_quotations(o.id)) from public.organizations o"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_quotation_has_the_shape_of_an_invoice(people: People) -> None:
    """Header, lines, tax summary and totals are named alike, so that one layout prints both."""
    sofa = people.world.teak.variants["sofa"]
    made = quote_for(people.as_cashier(), people, line(sofa, 2), note="By lorry", terms="Half now.")
    known = people.as_admin().rpc("get_invoice", p_id=people.world.teak.invoices["BLR"])
    shared = set(known) - {
        *("paid", "credited", "balance", "tendered", "change_due", "payments", "credit_notes", "due_date"),
        *("location_id", "delivery_id", "points"),
    }
    assert shared <= set(made)
    assert set(known["lines"][0]) <= set(made["lines"][0])
    assert (made["title"], made["number"], made["status"]) == ("Quotation", None, "draft")
    assert made["revision"] == 1
    assert (made["subtotal"], made["tax"], made["total"]) == (2000, 360, 2360)
    assert (made["note"], made["terms"], made["buyer"]["name"]) == ("By lorry", "Half now.", "Trusted")
    assert made["tax_summary"][0]["taxable"] == 2000
    assert made == people.as_sales().rpc("get_quotation", p_id=made["id"])


def test_from_draft_to_order(people: People) -> None:
    """Written by the cashier, sent, approved by the sales executive, converted once."""
    sofa = people.world.teak.variants["sofa"]
    cashier, sales = people.as_cashier(), people.as_sales()
    made = quote_for(cashier, people, line(sofa))
    sent = _step(cashier, "send_quotation", made)
    assert sent["status"] == "sent"
    assert "/Q" in sent["number"]
    with raises("permission_denied", 403):
        _step(cashier, "approve_quotation", made)
    assert _step(sales, "approve_quotation", made)["status"] == "approved"
    bought = convert(cashier, made)
    assert (bought["status"], bought["quotation_id"], bought["total"]) == ("draft", made["id"], made["total"])
    assert [x["unit_price"] for x in bought["lines"]] == [x["unit_price"] for x in made["lines"]]
    now = cashier.rpc("get_quotation", p_id=made["id"])
    assert (now["status"], now["order_id"]) == ("converted", bought["id"])
    seen = events(people.connection, made["id"])
    assert seen == ["quotation.saved", "quotation.sent", "quotation.approved", "order.created"]


def test_each_act_twice_has_one_effect(people: People) -> None:
    """The same call again gives the same answer and writes nothing; other content is refused."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    act = new_id()
    arguments = {
        "p_id": act,
        "p_quotation_id": None,
        "p_branch_id": people.world.blr.id,
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(sofa)],
    }
    made = sales.rpc("save_quotation", **arguments)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("save_quotation", arguments),
        ("send_quotation", {"p_id": new_id(), "p_quotation_id": made["id"]}),
        ("approve_quotation", {"p_id": new_id(), "p_quotation_id": made["id"]}),
        ("convert_quotation", {"p_id": new_id(), "p_quotation_id": made["id"]}),
    ]
    for name, each in calls:
        first = sales.rpc(name, **each)
        before = traces(people.connection)
        assert sales.rpc(name, **each) == first
        assert traces(people.connection) == before
    with raises("id_reused", 409):
        sales.rpc("save_quotation", **(arguments | {"p_lines": [line(sofa, 2)]}))


def test_prices_are_kept_when_the_catalogue_changes(people: People) -> None:
    """Order and invoice cost what was quoted, until the last day."""
    sofa = people.world.teak.variants["sofa"]
    quoted = approved(people, line(sofa, unit_price=900, discount=50))
    people.as_admin().execute("update public.product_variants set price = 5000 where id = %s", [sofa])
    # A cashier, who may neither change a price nor give such a discount, converts what others agreed.
    bought = convert(people.as_cashier(), quoted)
    assert (bought["subtotal"], bought["total"]) == (850, 1003)
    assert order(people, line(sofa))["subtotal"] == 5000


def test_revisions_are_kept(people: People) -> None:
    """A new revision is a draft with the old number; what was sent before can still be read, whole."""
    sofa, lamp = people.world.teak.variants["sofa"], people.world.teak.variants["lamp"]
    cashier = people.as_cashier()
    first = _step(cashier, "send_quotation", quote_for(cashier, people, line(sofa)))
    again = {
        "p_branch_id": people.world.blr.id,
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(lamp, 3)],
    }
    second = _step(cashier, "save_quotation", first, **again)
    assert (second["revision"], second["status"], second["number"]) == (2, "draft", first["number"])
    assert [x["sku"] for x in second["lines"]] == ["LAMP"]
    assert [(r["revision"], r["total"], r["status"]) for r in second["revisions"]] == [(1, 1180, "sent")]
    kept = people.connection.execute(
        "select document from public.quotation_revisions where quotation_id = %s", [first["id"]]
    ).fetchone()
    assert kept is not None
    assert kept[0]["lines"] == first["lines"]
    assert _step(cashier, "send_quotation", first)["number"] == first["number"]
    _step(people.as_sales(), "approve_quotation", first)
    convert(cashier, first)
    with raises("invalid_transition", 409):
        _step(cashier, "save_quotation", first, **again)


def test_what_was_sent_stays_as_it_is_whoever_asks(people: People) -> None:
    """The owner of the tables changes nothing of a quotation that was sent, nor of its lines."""
    sent = _step(
        people.as_cashier(),
        "send_quotation",
        quote_for(people.as_cashier(), people, line(people.world.teak.variants["sofa"])),
    )
    owner, mine = Persona(people.connection, "postgres"), [sent["id"]]
    with raises("document_final", 409):
        owner.execute("update public.quotations set total = 1 where id = %s", mine)
    with raises("append_only", 403):
        owner.execute("update public.quotation_lines set quantity = 9 where quotation_id = %s", mine)
    with raises("append_only", 403):
        owner.execute("delete from public.quotation_lines where quotation_id = %s", mine)
    with raises("document_final", 409):
        owner.execute("delete from public.quotations where id = %s", mine)
    with raises_sqlstate("42501"):
        people.as_service().execute("update public.quotations set total = 1 where id = %s", mine)


@pytest.mark.parametrize(
    ("status", "act"),
    [
        ("draft", "approve_quotation"),
        ("draft", "reject_quotation"),
        ("draft", "convert_quotation"),
        ("sent", "send_quotation"),
        ("sent", "convert_quotation"),
        ("approved", "reject_quotation"),
        ("rejected", "approve_quotation"),
        ("rejected", "convert_quotation"),
        ("expired", "approve_quotation"),
        ("expired", "convert_quotation"),
        ("converted", "convert_quotation"),
        ("converted", "send_quotation"),
    ],
)
def test_no_step_out_of_turn(people: People, status: str, act: str) -> None:
    """Every act has the statuses it starts from; from any other it is refused and nothing is written."""
    sales, sofa = people.as_sales(), people.world.teak.variants["sofa"]
    made = quote_for(sales, people, line(sofa))
    steps = {
        "draft": [],
        "sent": ["send_quotation"],
        "approved": ["send_quotation", "approve_quotation"],
        "rejected": ["send_quotation", "reject_quotation"],
        "converted": ["send_quotation", "approve_quotation", "convert_quotation"],
        "expired": ["send_quotation"],
    }
    more: dict[str, dict[str, Any]] = {"reject_quotation": {"p_reason": "Too dear"}}
    for step in steps[status]:
        _step(sales, step, made, **more.get(step, {}))
    if status == "expired":
        _overdue(people, made)
        assert _expire(people) == 1
    before = traces(people.connection)
    with raises("invalid_transition", 409) as refusal:
        _step(sales, act, made, **more.get(act, {}))
    assert refusal.facts["from"] == status
    assert traces(people.connection) == before


def test_after_its_last_day_a_quotation_binds_nobody(people: People) -> None:
    """Sending, approving and converting ask for the branch's date themselves; the job only tidies up."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    draft, agreed = quote_for(sales, people, line(sofa)), approved(people, line(sofa))
    sent = _step(sales, "send_quotation", quote_for(sales, people, line(sofa)))
    for each in (draft, agreed, sent):
        _overdue(people, each)
    for act, each in (
        ("send_quotation", draft),
        ("approve_quotation", sent),
        ("convert_quotation", agreed),
    ):
        with raises("quotation_expired", 422):
            _step(sales, act, each)
    assert _expire(people) == 2
    assert _expire(people) == 0
    for each, status in ((draft, "draft"), (agreed, "expired"), (sent, "expired")):
        assert sales.rpc("get_quotation", p_id=each["id"])["status"] == status
    assert events(people.connection, agreed["id"])[-1] == "quotation.expired"


def test_the_last_day_is_the_branchs(people: People) -> None:
    """In Samoa it is tomorrow already, in Niue still yesterday: the job asks each branch's clock."""
    made = approved(people, line(people.world.teak.variants["sofa"]))
    row = people.connection.execute(
        "select (now() at time zone 'Pacific/Niue')::date, (now() at time zone 'Pacific/Kiritimati')::date"
    ).fetchone()
    assert row is not None
    west, east = row
    # Twenty-five hours apart: for one hour of the day by two dates.
    assert east > west
    connection = people.connection
    connection.execute("alter table public.quotations disable trigger t40_enforce_lifecycle")
    connection.execute("update public.quotations set valid_until = %s where id = %s", [west, made["id"]])
    connection.execute("alter table public.quotations enable trigger t40_enforce_lifecycle")
    for zone, ended in (("Pacific/Niue", 0), ("Pacific/Kiritimati", 1)):
        connection.execute(
            "update public.branches set timezone = %s where id = %s", [zone, made["branch_id"]]
        )
        assert _expire(people) == ended


def test_who_may_not(people: People) -> None:
    """Stockkeeper and technician write no quotation; another branch and another house find none."""
    sofa = people.world.teak.variants["sofa"]
    made = quote_for(people.as_sales(), people, line(sofa))
    for person in (people.as_stockkeeper(), people.as_technician()):
        with raises("permission_denied", 403):
            quote_for(person, people, line(sofa))
        with raises("permission_denied", 403):
            person.rpc("get_quotation", p_id=made["id"])
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            person.rpc("get_quotation", p_id=made["id"])
        with raises("not_found", 404):
            _step(person, "send_quotation", made)


@pytest.mark.parametrize(
    "changed",
    [
        {"p_customer_id": None},
        {"p_lines": []},
        {"p_options": {"valid_until": "2020-01-01"}},
        {"p_options": {"valid_until": "9999-01-01"}},
        {"p_options": {"valid_until": "soon"}},
        {"p_options": {"occurred_at": "2026-01-01"}},
        {"p_options": {"terms": "x" * 4001}},
        {"p_options": {"note": 5}},
        {"p_id": None},
    ],
)
def test_nonsense_is_refused(people: People, changed: dict[str, Any]) -> None:
    """Malformed calls leave nothing behind."""
    arguments = {
        "p_id": new_id(),
        "p_quotation_id": None,
        "p_branch_id": people.world.blr.id,
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(people.world.teak.variants["sofa"])],
    }
    before = traces(people.connection)
    with raises("invalid_input", 400):
        people.as_sales().rpc("save_quotation", **(arguments | changed))
    assert traces(people.connection) == before


def test_lots_and_pieces_are_named_at_delivery(people: People) -> None:
    """A quotation names none; nor does it sell below the role's limits."""
    variants = people.world.teak.variants
    for asked in (line(variants["phone"], serials=["BLR-1"]), line(variants["paint"], batch="BLR-NEW")):
        with raises("invalid_input", 400):
            quote_for(people.as_sales(), people, asked)
    with raises("price_override_denied", 403):
        quote_for(people.as_cashier(), people, line(variants["sofa"], unit_price=1))
    with raises("discount_limit", 422):
        quote_for(people.as_cashier(), people, line(variants["sofa"], discount=100))


def test_a_date_of_ones_own(people: People) -> None:
    """valid_until is kept; thirty days without it; an id that is nobody's is not found."""
    sofa = people.world.teak.variants["sofa"]
    default = quote_for(people.as_sales(), people, line(sofa))
    until = date.fromisoformat(default["valid_until"]) + timedelta(days=3000)
    made = quote_for(people.as_sales(), people, line(sofa), valid_until=str(until))
    assert made["valid_until"] == str(until)
    days = date.fromisoformat(default["valid_until"]) - date.fromisoformat(default["business_date"])
    assert days == timedelta(days=30)
    assert default["total"] == Decimal("1180.00")
    with raises("not_found", 404):
        _step(
            people.as_sales(),
            "save_quotation",
            {"id": new_id()},
            p_branch_id=people.world.blr.id,
            p_customer_id=people.world.teak.customers["trusted"],
            p_lines=[line(sofa)],
        )
