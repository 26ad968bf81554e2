"""Revenue, the summary of sales and what sells best: against bare aggregates of the same rows."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import offers, trading
from tests.database.billing.money import credit
from tests.database.reports.money import DAY, Json, at, customer, pay, report, sold
from tests.database.sales import line
from tests.support.personas import new_id, raises
from tests.support.world import People

PERIOD = {"p_from": DAY, "p_to": DAY + timedelta(days=30)}


def _bare(people: People, query: str) -> list[tuple[Any, ...]]:
    return people.connection.execute(
        query.encode(),
        {"org": people.world.teak.id, "from": PERIOD["p_from"], "to": PERIOD["p_to"]},
    ).fetchall()


def test_revenue_of_days_and_methods(people: People) -> None:
    """Payments less refunds, each on its own day; what is owed is no revenue."""
    goods = people.world.teak.variants
    first = sold(people, DAY, line(goods["sofa"]), payments=[pay(180, "card"), pay(1000)])
    sold(people, DAY + timedelta(days=1), line(goods["lamp"]), branch=people.world.mum)
    sold(people, DAY + timedelta(days=1), line(goods["sofa"]), buyer=customer(people), payments=[])
    credit(
        people.as_admin(),
        first["id"],
        occurred_at=at(DAY + timedelta(days=2)),
        refund={"method": "cash"},
    )
    days = report(people, "revenue", **PERIOD)
    assert [(row["key"], row["received"], row["refunded"], row["revenue"]) for row in days] == [
        (str(DAY), 1180, 0, 1180),
        (str(DAY + timedelta(days=1)), 118, 0, 118),
        (str(DAY + timedelta(days=2)), 0, 1180, -1180),
    ]
    methods = {row["label"]: row["revenue"] for row in report(people, "revenue", p_by="method", **PERIOD)}
    assert methods == {"Card": 180, "Cash": -62}
    both = report(people, "revenue", p_by="day_method", **PERIOD)
    assert [(row["key"], row["label"], row["payments"], row["revenue"]) for row in both] == [
        (f"{DAY} card", f"{DAY}, Card", 1, 180),
        (f"{DAY} cash", f"{DAY}, Cash", 1, 1000),
        (f"{DAY + timedelta(days=1)} cash", f"{DAY + timedelta(days=1)}, Cash", 1, 118),
        (f"{DAY + timedelta(days=2)} cash", f"{DAY + timedelta(days=2)}, Cash", 0, -1180),
    ]
    branches = {row["label"]: row["revenue"] for row in report(people, "revenue", p_by="branch", **PERIOD)}
    assert branches == {"Indiranagar": 0, "Bandra": 118}
    (user,) = report(people, "revenue", p_by="user", **PERIOD)
    assert (user["label"], user["payments"]) == (people.as_admin().email, 3)


def test_points_are_no_revenue(people: People) -> None:
    """They pay what is owed, and nothing comes in: what the day took is what the tills hold."""
    offers.program(people, 0)
    buyer = customer(people)
    offers.adjust_points(people, buyer, 100)
    sofa = line(people.world.teak.variants["sofa"])
    sold(people, DAY, sofa, buyer=buyer, payments=[pay(50, "points"), pay(1130, "upi")])
    for by, keys in (
        ("day", [str(DAY)]),
        ("method", ["upi"]),
        ("day_method", [f"{DAY} upi"]),
        ("branch", [str(people.world.blr.id)]),
    ):
        rows = report(people, "revenue", p_by=by, **PERIOD)
        assert [(row["key"], row["payments"], row["revenue"]) for row in rows] == [
            (key, 1, 1130) for key in keys
        ]


def test_days_are_the_branchs(people: People) -> None:
    """Half past eleven in the evening in London is the next day in India: the report says the branch's."""
    goods = people.world.teak.variants
    sold(people, DAY, line(goods["lamp"]), time="18:29:59Z")
    sold(people, DAY, line(goods["lamp"]), time="18:30:00Z")
    rows = report(people, "revenue", p_from=DAY, p_to=DAY)
    assert [(row["key"], row["revenue"]) for row in rows] == [(str(DAY), 118)]
    (after,) = report(people, "sales_summary", p_from=DAY + timedelta(days=1), p_to=DAY + timedelta(days=9))
    assert (after["key"], after["total"], after["invoices"]) == (str(DAY + timedelta(days=1)), 118, 1)


def test_summary_counts_cost_and_what_came_back(people: People) -> None:
    """Two sofas at 1,000 that cost 40 each; one came back to the shelf, one lamp to the scrap."""
    goods = people.world.teak.variants
    two = sold(people, DAY, line(goods["sofa"], 2, discount=100))
    lamp = sold(people, DAY, line(goods["lamp"]))
    admin = people.as_admin()
    back = {"occurred_at": at(DAY), "refund": {"method": "cash"}}
    credit(admin, two["id"], [{"line_no": 1, "quantity": 1}], **back)
    credit(admin, lamp["id"], [{"line_no": 1, "quantity": 1, "disposition": "scrap"}], **back)
    (row,) = report(people, "sales_summary", p_by="all", **PERIOD)
    assert (row["invoices"], row["credit_notes"], row["net"], row["discount"], row["tax"]) == (
        2,
        2,
        950,
        50,
        171,
    )
    assert (row["total"], row["cost"], row["margin"]) == (1121, 80, 870)
    seen = {r["sku"]: (r["quantity"], r["revenue"], r["cost"], r["margin"]) for r in _top(people)}
    assert seen == {"SOFA": (1, 950, 40, 910), "LAMP": (0, 0, 40, -40)}


def test_voided_sale_is_no_sale(people: People) -> None:
    """Neither the invoice nor the credit note that voided it counts; its money came and went."""
    goods = people.world.teak.variants
    today = people.connection.execute("select (now() at time zone 'Asia/Kolkata')::date").fetchone()
    assert today is not None
    period = {"p_from": today[0], "p_to": today[0], "p_by": "all"}
    before = report(people, "sales_summary", **period)
    sale = people.as_cashier().rpc(
        "post_sale",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_location_id=people.world.blr.showroom,
        p_customer_id=None,
        p_lines=[line(goods["sofa"])],
        p_payments=[pay(1180)],
    )
    assert report(people, "sales_summary", **period) != before
    people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=sale["id"], p_reason="Wrong")
    assert report(people, "sales_summary", **period) == before


def _top(people: People, **changed: object) -> list[Json]:
    return report(people, "top_sellers", **(PERIOD | changed))


def test_best_by_what_counts(people: People) -> None:
    """Ten pots are most pieces, a sofa most money; a set costs what its components cost."""
    goods = people.world.teak.variants
    sold(people, DAY, line(goods["pot"], 9), line(goods["sofa"]), line(goods["suite"]))
    assert next(row["sku"] for row in _top(people, p_by="quantity")) == "POT"
    assert [row["sku"] for row in _top(people)] == ["SUITE", "SOFA", "POT"]
    assert [row["sku"] for row in _top(people, p_by="margin", p_limit=2)] == ["SUITE", "SOFA"]
    costs = {row["sku"]: row["cost"] for row in _top(people)}
    assert costs == {"POT": 360, "SOFA": 40, "SUITE": 120}
    (summary,) = report(people, "sales_summary", p_by="all", **PERIOD)
    assert summary["cost"] == sum(costs.values())


def _costs(people: People) -> dict[str, Any]:
    """Cost of everything sold today, by the summary and by variant; both agree."""
    (found,) = _bare(people, "select (now() at time zone 'Asia/Kolkata')::date")
    period = {"p_from": found[0], "p_to": found[0]}
    (whole,) = report(people, "sales_summary", p_by="all", **period)
    each = {row["sku"]: row["cost"] for row in report(people, "top_sellers", p_limit=1000, **period)}
    assert whole["cost"] == sum(each.values())
    return {"all": whole["cost"], **each}


def _more(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {key: cost - before.get(key, 0) for key, cost in after.items() if cost != before.get(key, 0)}


def test_cost_of_an_order_delivered_in_parts_and_invoiced_at_the_end(people: People) -> None:
    """Two sofas and a suite (a sofa and two lamps) at 40 a piece; what comes back is worth what it cost."""
    goods, sales, before = people.world.teak.variants, people.as_sales(), _costs(people)
    made = trading.confirmed(people, line(goods["sofa"], 2), line(goods["suite"]), customer="trusted")
    trading.deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    trading.deliver(sales, people, made)
    assert _more(before, _costs(people)) == {}
    invoiced = trading.invoice(sales, made)
    assert _more(before, _costs(people)) == {"all": 200, "SOFA": 80, "SUITE": 120}
    credit(people.as_admin(), invoiced["id"], [{"line_no": 1, "quantity": 1}])
    assert _more(before, _costs(people)) == {"all": 160, "SOFA": 40, "SUITE": 120}


def test_cost_of_an_order_counts_once(people: People) -> None:
    """Invoiced by delivery and at the end, before the goods have left, voided and invoiced anew."""
    goods, sales, before = people.world.teak.variants, people.as_sales(), _costs(people)
    people.as_admin().rpc(
        "set_credit_limit", p_customer_id=people.world.teak.customers["trusted"], p_credit_limit=100_000
    )
    made = trading.order(people, line(goods["sofa"], 4), customer="trusted")
    trading.confirm(people, made)
    first = trading.deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    trading.invoice(sales, made, delivery_id=first["id"])
    rest = trading.invoice(sales, made)
    # Three are invoiced that have not left: what has cost so far is one.
    assert _more(before, _costs(people)) == {"all": 40, "SOFA": 40}
    trading.deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    assert _more(before, _costs(people)) == {"all": 80, "SOFA": 80}
    trading.deliver(sales, people, made)
    assert _more(before, _costs(people)) == {"all": 160, "SOFA": 160}
    people.as_admin().rpc(
        "set_invoice_status",
        p_id=new_id(),
        p_invoice_id=rest["id"],
        p_status="void",
        p_options={"reason": "Wrong"},
    )
    assert _more(before, _costs(people)) == {"all": 40, "SOFA": 40}
    trading.invoice(sales, made)
    assert _more(before, _costs(people)) == {"all": 160, "SOFA": 160}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("revenue", {"p_by": "weather"}),
        ("revenue", {"p_by": None}),
        ("revenue", {"p_from": None}),
        ("sales_summary", {"p_by": "method"}),
        ("sales_summary", {"p_to": date(2020, 1, 1)}),
        ("top_sellers", {"p_by": "name"}),
        ("top_sellers", {"p_limit": 0}),
        ("top_sellers", {"p_limit": None}),
        ("top_sellers", {"p_to": "infinity"}),
    ],
)
def test_malformed(people: People, name: str, wrong: dict[str, object]) -> None:
    with raises("invalid_input", 400):
        report(people, name, **(PERIOD | wrong))


def test_scope(people: People) -> None:
    """His branch's figures for who has one branch; nobody else's for anybody."""
    goods = people.world.teak.variants
    sold(people, DAY, line(goods["sofa"]))
    sold(people, DAY, line(goods["lamp"]), branch=people.world.mum)
    org = people.world.teak.id
    for name, key in (("revenue", "revenue"), ("sales_summary", "total"), ("top_sellers", "revenue")):
        (mine,) = people.as_sales().rpc(name, p_org_id=org, **PERIOD)
        assert mine[key] in (1180, 1000)
        with raises("not_found", 404):
            people.as_sales().rpc(name, p_org_id=org, p_branch_id=people.world.mum.id, **PERIOD)
        with raises("permission_denied", 403):
            people.as_cashier().rpc(name, p_org_id=org, **PERIOD)
        with raises("not_found", 404):
            people.as_foreign_admin().rpc(name, p_org_id=org, **PERIOD)


BASKETS = st.lists(
    st.tuples(
        st.sampled_from(["sofa", "lamp", "book", "pot", "assembly"]),
        st.integers(1, 2),
        st.integers(-1, 31),
        st.booleans(),
        st.sampled_from(["keep", "keep", "credit", "scrap"]),
        st.integers(0, 23),
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(baskets=BASKETS)
def test_every_report_is_its_bare_aggregate(
    people: People, baskets: list[tuple[str, int, int, bool, str, int]]
) -> None:
    """However it is grouped, the sums are those of the rows of the period, by business date."""
    with people.connection.transaction(force_rollback=True):
        for key, quantity, offset, elsewhere, then, hour in baskets:
            day = DAY + timedelta(days=offset)
            sale = sold(
                people,
                day,
                line(people.world.teak.variants[key], quantity),
                branch=people.world.mum if elsewhere else None,
                time=f"{hour:02}:10:00Z",
            )
            if then != "keep":
                disposition = "none" if key == "assembly" else {"credit": "restock"}.get(then, then)
                credit(
                    people.as_admin(),
                    sale["id"],
                    [{"line_no": 1, "quantity": 1, "disposition": disposition}],
                    occurred_at=at(day + timedelta(days=1)),
                    refund={"method": "upi"},
                )
        in_period = "org_id = %(org)s and business_date between %(from)s and %(to)s"
        money = _bare(
            people,
            f"select (select coalesce(sum(amount), 0) from public.payments where {in_period}) - "  # noqa: S608
            f"(select coalesce(sum(amount), 0) from public.refunds where {in_period})",
        )[0][0]
        for by in ("day", "method", "branch", "user"):
            rows = report(people, "revenue", p_by=by, **PERIOD)
            assert sum((row["revenue"] for row in rows), Decimal(0)) == money
        sums = _bare(
            people,
            "select coalesce(sum(n.subtotal), 0), coalesce(sum(n.tax), 0), coalesce(sum(n.total), 0) from ("  # noqa: S608
            f"select subtotal, tax, total from public.invoices where {in_period} union all "
            f"select -subtotal, -tax, -total from public.credit_notes where {in_period}) n",
        )[0]
        for by in ("day", "branch", "all"):
            rows = report(people, "sales_summary", p_by=by, **PERIOD)
            assert tuple(sum((r[k] for r in rows), Decimal(0)) for k in ("net", "tax", "total")) == sums
            assert all(row["total"] == row["net"] + row["tax"] + row["round_off"] for row in rows)
        tops = {by: _top(people, p_by=by, p_limit=1000) for by in ("quantity", "revenue", "margin")}
        for by, rows in tops.items():
            assert sum((row["revenue"] for row in rows), Decimal(0)) == sums[0]
            assert [row[by] for row in rows] == sorted((row[by] for row in rows), reverse=True)
        (whole,) = report(people, "sales_summary", p_by="all", **PERIOD) or [{"cost": Decimal(0)}]
        assert sum((row["cost"] for row in tops["margin"]), Decimal(0)) == whole["cost"]
