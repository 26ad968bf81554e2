"""Customers who were entered twice: everything that was one's is the other's, and nothing is lost."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import credit as instalments
from tests.database.billing import offers, trading
from tests.database.billing.money import held
from tests.database.sales import Invoice, line, pay, sell
from tests.database.tax.shops import shop
from tests.support.gstin import gstin
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People

WHOLE_PERIOD = {"p_from": "2000-01-01", "p_to": "2100-01-01"}


def _customer(people: People, name: str = "Asha", **columns: object) -> UUID:
    made = new_id()
    names = "".join(f", {column}" for column in columns)
    people.as_admin().execute(
        f"insert into public.customers (id, org_id, name{names}) "  # noqa: S608 - names of this file
        f"values (%s, %s, %s{', %s' * len(columns)})",
        [made, people.world.teak.id, name, *columns.values()],
    )
    people.as_admin().rpc("set_credit_limit", p_customer_id=made, p_credit_limit=100_000)
    return made


def _merge(people: People, keep: UUID, merge: UUID, act: UUID | None = None) -> Any:
    return people.as_admin().rpc("merge_customers", p_id=act or new_id(), p_keep_id=keep, p_merge_id=merge)


def _buy(people: People, customer: UUID, paid: int = 0) -> Invoice:
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=[pay(paid)] if paid else [],
        customer=customer,
    )


def _deposit(people: People, customer: UUID, amount: int) -> Any:
    return people.as_cashier().rpc(
        "record_payment",
        p_id=new_id(),
        p_customer_id=customer,
        p_amount=amount,
        p_method="upi",
        p_options={"branch_id": people.world.blr.id, "hold": True},
    )


def _row(people: People, query: str, *values: object) -> Any:
    found = people.connection.execute(query.encode(), values).fetchone()
    assert found is not None
    return found[0] if len(found) == 1 else found


def _figures(people: People, customer: UUID) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Owed, held for him, how many things happened, and the closing balance of his statement."""
    owed = _row(
        people, "select coalesce(sum(balance), 0) from public.invoices where customer_id = %s", customer
    )
    credit = held(people.connection, people.world.teak.id, customer)
    history = people.as_admin().rpc("customer_history", p_customer_id=customer, p_limit=500)["items"]
    closing = people.as_admin().rpc("statement", p_customer_id=customer, **WHOLE_PERIOD)["closing"]
    return owed, credit, Decimal(len(history)), closing


def test_everything_moves_and_adds_up(people: People) -> None:
    """Balances, credit and history of both are those of the one who stays; nothing is left behind."""
    keep, merge = _customer(people), _customer(people, "Asha R")
    first, second = _buy(people, keep, 90), _buy(people, merge, 190)
    _deposit(people, keep, 70)
    held = _deposit(people, merge, 40)
    people.as_admin().rpc(
        "issue_credit_note", p_id=new_id(), p_invoice_id=second["id"], p_lines=None, p_reason="Not done"
    )
    people.as_admin().rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=merge,
        p_amount=30,
        p_method="cash",
        p_options={"payment_id": held["id"]},
    )
    mine, others = _figures(people, keep), _figures(people, merge)
    before = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)

    answer = _merge(people, keep, merge)

    assert (answer["id"], answer["merged"]) == (str(keep), [str(merge)])
    assert _figures(people, keep) == tuple(a + b for a, b in zip(mine, others, strict=True))
    # Whoever asks for the other is shown the same account.
    statement = people.as_admin().rpc("statement", p_customer_id=merge, **WHOLE_PERIOD)
    assert statement["customer_id"] == str(keep)
    assert statement["closing"] == mine[3] + others[3]
    assert people.as_admin().rpc("customer_history", p_customer_id=merge)["items"]
    for (table,) in people.connection.execute("select t::text from private.customer_tables() t").fetchall():
        assert _row(people, f"select count(*) from {table} where customer_id = %s", merge) == 0, table  # noqa: S608
    merged = _row(
        people, "select merged_into, archived_at is not null from public.customers where id = %s", merge
    )
    assert merged == (keep, True)
    assert people.as_admin().rpc("check_books", p_org_id=people.world.teak.id) == before == []
    # The documents say what they said.
    kept = people.as_admin().rpc("get_invoice", p_id=second["id"])
    assert kept["buyer"] == second["buyer"]
    assert kept["buyer"]["name"] == "Asha R"
    assert people.as_admin().rpc("get_invoice", p_id=first["id"])["buyer"] == first["buyer"]


def test_payment_of_one_pays_the_invoice_of_the_other(people: People) -> None:
    """After the merge they are one customer's: allocation, credit and limit."""
    keep, merge = _customer(people), _customer(people)
    invoice = _buy(people, merge)
    held = _deposit(people, keep, 590)
    with raises("customer_mismatch", 422):
        people.as_cashier().rpc(
            "allocate_payment",
            p_id=new_id(),
            p_payment_id=held["id"],
            p_allocations=[{"invoice_id": invoice["id"], "amount": 590}],
        )
    _merge(people, keep, merge)
    paid = people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"])
    assert (paid["unallocated"], paid["allocations"][0]["invoice_id"]) == (0, invoice["id"])
    people.as_admin().rpc("set_credit_limit", p_customer_id=keep, p_credit_limit=600)
    _buy(people, keep)
    with raises("credit_limit_exceeded", 422):
        _buy(people, keep)


def test_the_same_call_again_changes_nothing(people: People) -> None:
    keep, merge, act = _customer(people), _customer(people), new_id()
    _buy(people, merge)
    first = _merge(people, keep, merge, act)
    assert _merge(people, keep, merge, act) == first
    events = "select count(*) from private.outbox where event = 'customer.merged' and org_id = %s"
    assert _row(people, events, people.world.teak.id) == 1
    with raises("id_reused", 409):
        _merge(people, merge, keep, act)


def test_nobody_sells_to_the_merged_one(people: People) -> None:
    """Neither at the till nor by a payment; and he stays archived."""
    keep, merge = _customer(people), _customer(people)
    _merge(people, keep, merge)
    with raises("not_found", 404):
        _buy(people, merge)
    with raises("customer_merged", 409) as refusal:
        _deposit(people, merge, 5)
    assert refusal.facts["merged_into"] == str(keep)
    with raises_sqlstate("23514"):
        people.as_admin().execute("update public.customers set archived_at = null where id = %s", [merge])
    with raises("customer_merged", 409):
        people.as_cashier().execute(
            "insert into public.customer_addresses (org_id, customer_id, kind, address_line1) "
            "values (%s, %s, 'billing', 'x')",
            [people.world.teak.id, merge],
        )


def test_merges_in_a_row_point_to_the_last(people: People) -> None:
    """C into B, then B into A: both are A. Who was merged is merged no more, nor kept."""
    a, b, c = (_customer(people, name) for name in "ABC")
    invoice = _buy(people, c)
    _merge(people, b, c)
    answer = _merge(people, a, b)
    assert answer["merged"] == sorted([str(b), str(c)])
    assert _row(people, "select customer_id from public.invoices where id = %s", invoice["id"]) == a
    assert people.as_admin().rpc("statement", p_customer_id=c, **WHOLE_PERIOD)["customer_id"] == str(a)
    for keep, merge in ((b, _customer(people)), (a, c), (c, a)):
        with raises("customer_merged", 409):
            _merge(people, keep, merge)


def test_what_the_kept_one_lacks_comes_along(people: People) -> None:
    """Phone, e-mail and terms fill gaps; an address goes with its country or stands apart; limits stay."""
    keep = _customer(people, phone="1")
    merge = _customer(people, phone="2", email="a@b.c", country="IN", region_code="27", city="Pune")
    people.as_admin().rpc("set_credit_limit", p_customer_id=keep, p_credit_limit=7)
    people.as_admin().rpc("set_payment_terms", p_customer_id=merge, p_days=15)
    answer = _merge(people, keep, merge)
    assert (answer["phone"], answer["email"], answer["city"], answer["region_code"]) == (
        "1",
        "a@b.c",
        "Pune",
        "27",
    )
    assert (answer["credit_limit"], answer["payment_terms_days"]) == (7, 15)

    third = _customer(people, country="IN", region_code="29", address_line1="9 Lane")
    assert _merge(people, keep, third)["city"] == "Pune"
    rows = people.as_admin().select(
        "select kind, address_line1 from public.customer_addresses where customer_id = %s", [keep]
    )
    assert rows == [{"kind": "billing", "address_line1": "9 Lane"}]


OURS, THEIRS = gstin("29AAACB1234C1Z"), gstin("27AAACB1234C1Z")
KNOWN = "tax_number, kind, tax_treatment, tax_area, country, region_code, city, address_line1"


def _known(people: People, customer: UUID) -> Any:
    return _row(people, f"select {KNOWN} from public.customers where id = %s", customer)  # noqa: S608


@pytest.mark.parametrize(
    ("keep", "merge", "stays"),
    [
        # Nothing was known of him: all of it comes.
        (
            {},
            {"tax_number": OURS, "region_code": "29", "city": "Mysuru", "tax_treatment": "sez"},
            (OURS, "business", "sez", None, "IN", "29", "Mysuru", None),
        ),
        # A city in the same state, and no street on either side: the registration joins it.
        (
            {"country": "IN", "region_code": "29", "city": "Bengaluru"},
            {"tax_number": OURS, "region_code": "29"},
            (OURS, "business", "regular", None, "IN", "29", "Bengaluru", None),
        ),
        # An address in another state: the registration keeps its own, and the other goes on as a further one.
        (
            {"country": "IN", "region_code": "29", "city": "Bengaluru", "address_line1": "9 Lane"},
            {"tax_number": THEIRS, "region_code": "27", "city": "Pune", "tax_treatment": "sez"},
            (THEIRS, "business", "sez", None, "IN", "27", "Pune", None),
        ),
        # Who has a registration of his own keeps all that goes with it.
        (
            {"tax_number": OURS, "country": "IN", "region_code": "29", "kind": "person"},
            {"tax_number": OURS, "region_code": "29", "city": "Mysuru", "tax_treatment": "sez"},
            (OURS, "person", "regular", None, "IN", "29", None, None),
        ),
    ],
)
def test_what_tax_asks_of_a_customer_moves_together(
    people: People, keep: dict[str, Any], merge: dict[str, Any], stays: tuple[object, ...]
) -> None:
    """Number, kind, treatment and area are one thing, and a GSTIN stays with an address of its state."""
    kept = _customer(people, **keep)
    merged = _customer(people, **{"country": "IN", "kind": "business", **merge})
    _merge(people, kept, merged)
    assert _known(people, kept) == stays
    rows = people.as_admin().select(
        "select address_line1, city from public.customer_addresses where customer_id = %s", [kept]
    )
    moved = keep.get("region_code") == "29" and merge["region_code"] == "27"
    assert rows == ([{"address_line1": "9 Lane", "city": "Bengaluru"}] if moved else [])


def test_a_tax_area_and_a_certificate_come_along(people: People) -> None:
    """An exempt buyer of New York who is known by name only on the other side."""
    york = shop(people, "US", "USD", region="NY", area="NYC", tax_regime="sales_tax")
    kept = york.customer()
    merged = york.customer(
        country="US",
        region_code="NY",
        tax_area="NYC",
        tax_treatment="exempt",
        tax_number="ST-120",
        kind="business",
    )
    york.admin.rpc("merge_customers", p_id=new_id(), p_keep_id=kept, p_merge_id=merged)
    assert _known(people, kept)[:6] == ("ST-120", "business", "exempt", "NYC", "US", "NY")


def test_quotations_orders_and_points_say_whose_they_are(people: People) -> None:
    """A document made for the other entry answers the customer he is now; the buyer as printed stays."""
    offers.program(people)
    keep, merge = _customer(people), _customer(people, "Asha R")
    basket = line(people.world.teak.variants["sofa"])
    made = {
        "get_quotation": trading.quote_for(people.as_sales(), people, basket, customer=merge),
        "get_order": trading.order(people, basket, customer=merge),
    }
    trading.confirm(people, made["get_order"])
    made["get_delivery"] = trading.deliver(people.as_sales(), people, made["get_order"])
    offers.adjust_points(people, merge, 70)
    _merge(people, keep, merge)
    for get, document in made.items():
        read = people.as_sales().rpc(get, p_id=document["id"])
        assert (read["customer_id"], read["buyer"]["name"]) == (str(keep), "Asha R"), get
    for who in (keep, merge):
        assert people.as_cashier().rpc("loyalty_balance", p_customer_id=who)["points"] == 70
        told = people.as_cashier().rpc("loyalty_statement", p_customer_id=who)
        assert (told["customer_id"], told["closing"], len(told["entries"])) == (str(keep), 70, 1)


def test_addresses_move_and_one_default_stays(people: People) -> None:
    keep, merge = _customer(people), _customer(people)
    for customer, street in ((keep, "Kept Street"), (merge, "Merged Street")):
        people.as_admin().execute(
            "insert into public.customer_addresses (org_id, customer_id, kind, is_default, address_line1) "
            "values (%s, %s, 'delivery', true, %s)",
            [people.world.teak.id, customer, street],
        )
    _merge(people, keep, merge)
    rows = people.as_admin().select(
        "select address_line1, is_default from public.customer_addresses where customer_id = %s order by 1",
        [keep],
    )
    assert [tuple(row.values()) for row in rows] == [("Kept Street", True), ("Merged Street", False)]


def test_what_is_refused(people: People) -> None:
    """Oneself, strangers, two tax numbers; anybody but the admin."""
    teak, lagoon = people.world.teak, people.world.lagoon
    one = _customer(people)
    with raises("invalid_input", 400):
        _merge(people, one, one)
    for other in (new_id(), lagoon.customers["abroad"], None):
        with raises("not_found", 404):
            _merge(people, one, other)  # type: ignore[arg-type]
    with raises("tax_numbers_differ", 422):
        _merge(people, teak.customers["local"], teak.customers["elsewhere"])
    for person in (people.as_cashier(), people.as_sales()):
        with raises("permission_denied", 403):
            person.rpc("merge_customers", p_id=new_id(), p_keep_id=one, p_merge_id=_customer(people))
    with raises("not_found", 404):
        people.as_foreign_admin().rpc(
            "merge_customers", p_id=new_id(), p_keep_id=one, p_merge_id=_customer(people)
        )


@pytest.mark.parametrize(
    "change",
    [
        "public.payments set customer_id = %(other)s",
        "public.payments set customer_id = %(keep)s, note = 'x'",
        "public.invoices set customer_id = %(other)s",
        "public.invoices set customer_id = %(keep)s, total = total + 1, round_off = round_off + 1",
        "public.invoices set customer_id = null",
    ],
)
def test_documents_stay_otherwise_as_they_are(people: People, change: str) -> None:
    """The owner himself moves no document but to whom its customer was merged into, and nothing besides."""
    keep, merge, other = _customer(people), _customer(people), _customer(people)
    _buy(people, merge, 90)
    people.connection.execute(
        "update public.customers set merged_into = %s, archived_at = now() where id = %s", [keep, merge]
    )
    with raises_sqlstate("403", "409"), people.connection.transaction():
        people.connection.execute(
            f"update {change} where customer_id = %(merge)s".encode(),
            {"keep": keep, "merge": merge, "other": other},
        )


def test_every_table_of_customers_follows(people: People) -> None:
    """Whatever refers to a customer does so by customer_id and has the trigger: a merge finds it."""
    rows = people.connection.execute(
        """
        select c.conrelid::regclass::text, a.attname, exists (
          select from pg_trigger g where g.tgrelid = c.conrelid and g.tgname = 't20_refuse_merged')
        from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey) and a.attname <> 'org_id'
        where c.contype = 'f' and c.confrelid = 'public.customers'::regclass
        """
    ).fetchall()
    assert len(rows) > 5
    for table, column, followed in rows:
        assert (column, followed) == ("customer_id", True) or (table, column) == (
            "customers",
            "merged_into",
        ), table


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["buy", "hold", "pay"]), st.integers(1, 500)),
        min_size=1,
        max_size=8,
    ),
    order=st.permutations([0, 1, 2]),
)
def test_sums_of_any_merges(people: People, acts: list[tuple[int, str, int]], order: list[int]) -> None:
    """Three entries with any dealings, merged in any order: the sums of the three are the one's."""
    with people.connection.transaction(force_rollback=True):
        entries = [_customer(people, str(n)) for n in range(3)]
        for who, act, amount in acts:
            if act == "buy":
                _buy(people, entries[who], amount)
            elif act == "hold":
                _deposit(people, entries[who], amount)
            else:
                people.as_cashier().rpc(
                    "record_payment",
                    p_id=new_id(),
                    p_customer_id=entries[who],
                    p_amount=amount,
                    p_method="card",
                    p_options={"branch_id": people.world.blr.id},
                )
        before = [_figures(people, entry) for entry in entries]
        first, second, third = (entries[n] for n in order)
        _merge(people, second, first)
        _merge(people, third, second)
        assert _figures(people, third) == tuple(sum(column) for column in zip(*before, strict=True))
        assert _figures(people, third)[3] == _figures(people, third)[0] - _figures(people, third)[1]


def test_documents_before_the_sale_name_who_stays(people: People) -> None:
    """Quotation and order keep the buyer as printed and answer with the customer that he is now."""
    keep, merge = _customer(people), _customer(people, "Asha K")
    papers = {
        name: people.as_sales().rpc(
            f"save_{name}",
            p_id=new_id(),
            p_branch_id=people.world.blr.id,
            p_customer_id=merge,
            p_lines=[line(people.world.teak.variants["assembly"])],
            **{f"p_{name}_id": None},
        )
        for name in ("quotation", "order")
    }
    _merge(people, keep, merge)
    for name, paper in papers.items():
        found = people.as_sales().rpc(f"get_{name}", p_id=paper["id"])
        assert (paper["customer_id"], found["customer_id"]) == (str(merge), str(keep))
        assert found["buyer"]["name"] == "Asha K"


def test_instalments_go_with_who_stays(people: People) -> None:
    """Agreement and default are his from then on, he pays them, and the books know it of both entries."""
    agreed = instalments.sold_on_credit(people, default_after_days=10)
    keep, merge = _customer(people), UUID(agreed["customer_id"])
    instalments.run_job(people, instalments.today(people.connection) + timedelta(days=45))
    assert _merge(people, keep, merge)["credit_status"] == "defaulted"
    for entry, status in ((keep, "defaulted"), (merge, "none")):
        assert _row(people, "select credit_status from public.customers where id = %s", entry) == status
    with raises("customer_defaulted", 422):
        _buy(people, keep)
    paid = instalments.pay_in(people, agreed, agreed["total"])
    assert (paid["customer_id"], paid["status"], paid["credit_status"]) == (
        str(keep),
        "completed",
        "completed",
    )
    instalments.in_order(people)
