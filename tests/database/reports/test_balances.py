"""Outstanding balances and their age."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import credit as instalments
from tests.database.billing.money import credit, record
from tests.database.reports.money import DAY, Json, at, customer, on_credit, pay, report, sold
from tests.database.sales import line
from tests.support.personas import new_id, raises
from tests.support.world import People


def _of(rows: list[Json], name: str) -> Json:
    (row,) = [row for row in rows if row["customer"] == name]
    return row


def _assembly(people: People, price: object = 100) -> dict[str, object]:
    return line(people.world.teak.variants["assembly"], unit_price=price)


def test_who_owes_how_much(people: People) -> None:
    """By customer, over the branches or of one; overdue is what was due before the day."""
    asha, ravi = customer(people, "Asha"), customer(people, "Ravi")
    people.as_admin().rpc("set_payment_terms", p_customer_id=ravi, p_days=30)
    on_credit(people, asha, DAY, _assembly(people))
    on_credit(people, asha, DAY, _assembly(people, 200), branch=people.world.mum)
    on_credit(people, ravi, DAY, _assembly(people, 1000))
    rows = report(people, "outstanding", p_as_of=DAY + timedelta(days=5))
    assert _of(rows, "Asha") == {
        "customer_id": str(asha),
        "customer": "Asha",
        "invoices": 2,
        "owed": 354,
        "overdue": 354,
        "oldest_due": str(DAY),
    }
    assert (_of(rows, "Ravi")["owed"], _of(rows, "Ravi")["overdue"]) == (1180, 0)
    assert [row["owed"] for row in rows] == sorted((row["owed"] for row in rows), reverse=True)
    (only,) = report(people, "outstanding", p_branch_id=people.world.mum.id, p_as_of=DAY)
    assert (only["customer"], only["owed"], only["overdue"]) == ("Asha", 236, 0)
    ages = report(people, "ageing", p_as_of=DAY + timedelta(days=75))
    assert (_of(ages, "Asha")["days_61_90"], _of(ages, "Asha")["total"]) == (354, 354)
    assert _of(ages, "Ravi")["days_31_60"] == 1180


def test_counter_sale_that_bounced_is_nobodys(people: People) -> None:
    """A walk-in's cheque came back: the debt has no name, and is reported all the same."""
    sale = sold(people, DAY, _assembly(people), payments=[pay(118, "cheque")])
    people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=sale["payments"][0]["id"], p_reason="No cover"
    )
    (row,) = [row for row in report(people, "outstanding") if row["customer_id"] is None]
    assert (row["customer"], row["owed"], row["overdue"]) == (None, 118, 118)


def test_scope_of_reports(people: People) -> None:
    """A sales executive reads those of his branch, and only that is in his figures; a cashier none."""
    asha = customer(people)
    on_credit(people, asha, DAY, _assembly(people))
    on_credit(people, asha, DAY, _assembly(people, 200), branch=people.world.mum)
    org = people.world.teak.id
    for name in ("outstanding", "ageing"):
        rows = people.as_sales().rpc(name, p_org_id=org, p_as_of=DAY)
        assert _of(rows, "Asha").get("owed", _of(rows, "Asha").get("total")) == 118
        with raises("not_found", 404):
            people.as_sales().rpc(name, p_org_id=org, p_branch_id=people.world.mum.id)
        with raises("permission_denied", 403):
            people.as_cashier().rpc(name, p_org_id=org)
        for branch in (people.world.lagoon.branches[0].id, new_id()):
            with raises("not_found", 404):
                people.as_admin().rpc(name, p_org_id=org, p_branch_id=branch)
        with raises("invalid_input", 400):
            people.as_admin().rpc(name, p_org_id=org, p_as_of="infinity")


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "pay", "credit"]),
        st.integers(0, 1),
        st.integers(0, 120),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, after=st.integers(0, 150))
def test_open_on_any_day(people: People, acts: list[tuple[str, int, int, int]], after: int) -> None:
    """On any day: invoices until then less what had settled them by then, told by a model of our own."""
    with people.connection.transaction(force_rollback=True):
        buyers = [customer(people, "Asha"), customer(people, "Ravi")]
        day = DAY + timedelta(days=after)
        bought: dict[str, tuple[int, date, Decimal]] = {}
        settled: list[tuple[str, date, Decimal]] = []
        credited: set[str] = set()
        for act, who, offset, amount in acts:
            when = DAY + timedelta(days=offset)
            if act == "buy":
                made = on_credit(people, buyers[who], when, _assembly(people, amount))
                bought[made["id"]] = (who, when, made["total"])
            elif act == "pay":
                paid = record(
                    people.as_admin(),
                    buyers[who],
                    amount,
                    p_options={"occurred_at": at(when), "branch_id": people.world.blr.id},
                )
                settled += [(a["invoice_id"], when, a["amount"]) for a in paid["allocations"]]
            elif mine := [
                key
                for key, facts in bought.items()
                if facts[0] == who and facts[1] <= when and key not in credited
            ]:
                credited.add(mine[-1])
                before = people.as_admin().rpc("get_invoice", p_id=mine[-1])
                credit(people.as_admin(), mine[-1], occurred_at=at(when))
                settled.append((mine[-1], when, before["balance"]))
        model = [Decimal(0), Decimal(0)]
        for key, (who, when, total) in bought.items():
            if when <= day:
                # What was paid before the invoice settles it from its first day.
                model[who] += total - sum(a for k, d, a in settled if k == key and max(d, when) <= day)
        rows = {
            row["customer"]: row["owed"]
            for row in report(people, "outstanding", p_as_of=day)
            if row["customer_id"] in map(str, buyers)
        }
        assert rows == {n: owed for n, owed in zip(("Asha", "Ravi"), model, strict=True) if owed}
        for row in report(people, "ageing", p_as_of=day):
            parts = ("current_due", "days_1_30", "days_31_60", "days_61_90", "over_90")
            assert row["total"] == sum(row[part] for part in parts)
        now = {
            row["customer_id"]: row["owed"]
            for row in report(people, "outstanding")
            if row["customer_id"] is not None
        }
        bare = people.connection.execute(
            "select customer_id::text, sum(balance) from public.invoices "
            "where org_id = %s and balance > 0 group by 1",
            [people.world.teak.id],
        ).fetchall()
        assert now == dict(bare)


@pytest.mark.parametrize("name", ["outstanding", "ageing"])
def test_nothing_owed_before_the_first_sale(people: People, name: str) -> None:
    on_credit(people, customer(people), DAY, _assembly(people))
    assert report(people, name, p_as_of=DAY - timedelta(days=1)) == []


def _in_four(people: People) -> Json:
    """An invoice of 1,180.00 of DAY, payable in four instalments of 295.00, each a month after the other."""
    buyer = customer(people)
    two = line(people.world.teak.variants["assembly"], 2, unit_price=500)
    invoice = on_credit(people, buyer, DAY, two)
    instalments.set_today(people.connection, DAY)
    return instalments.agree(
        people, invoice["id"], instalments.terms(people, 4, first=DAY + timedelta(days=30))
    )


def test_an_instalment_is_due_on_its_own_day(people: People) -> None:
    """Not the whole invoice is overdue, but what of its instalments is; a payment ends it from its day on."""
    agreement = _in_four(people)
    buyer, (first, second) = agreement["customer_id"], [DAY + timedelta(days=30), date(2025, 8, 10)]

    def owed(day: date) -> tuple[object, ...]:
        row = _of(report(people, "outstanding", p_as_of=day), "Asha")
        return row["invoices"], row["owed"], row["overdue"], row["oldest_due"]

    assert owed(DAY + timedelta(days=5)) == (1, 1180, 0, str(first))
    assert owed(first + timedelta(days=1)) == (1, 1180, 295, str(first))
    record(
        people.as_admin(),
        buyer,
        400,
        p_options={"occurred_at": at(first + timedelta(days=20)), "branch_id": people.world.blr.id},
    )
    # Before the payment it is as it was; after it the second instalment is paid in part.
    assert owed(first + timedelta(days=19)) == (1, 1180, 295, str(first))
    assert owed(first + timedelta(days=20)) == (1, 780, 0, str(second))
    ages = _of(report(people, "ageing", p_as_of=second + timedelta(days=40)), "Asha")
    assert (ages["current_due"], ages["days_1_30"], ages["days_31_60"]) == (295, 295, 190)
    seen = people.as_admin().rpc("statement", p_customer_id=buyer, p_from=DAY, p_to=second)
    assert [(row["instalment"], row["due_date"], row["balance"]) for row in seen["open_invoices"]] == [
        (2, "2025-08-10", 190),
        (3, "2025-09-10", 295),
        (4, "2025-10-10", 295),
    ]
    assert (seen["ageing"]["current"], seen["owed"]) == (780, 780)


def test_instalments_on_days_before_something_changed(people: People) -> None:
    """What was credited and rescheduled since counts on no day before."""
    agreement = _in_four(people)
    buyer, admin = agreement["customer_id"], people.as_admin()
    record(admin, buyer, 295, p_options={"occurred_at": at(DAY), "branch_id": people.world.blr.id})
    later = DAY + timedelta(days=100)
    instalments.set_today(people.connection, later)
    other = admin.rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=agreement["id"],
        p_terms=instalments.terms(people, 2, first=later + timedelta(days=10)),
        p_reason="He lost his work",
    )
    day_before = _of(report(people, "outstanding", p_as_of=later - timedelta(days=1)), "Asha")
    assert (day_before["owed"], day_before["overdue"], day_before["oldest_due"]) == (885, 590, "2025-08-10")
    since = _of(report(people, "outstanding", p_as_of=later), "Asha")
    assert (since["owed"], since["overdue"], since["oldest_due"]) == (885, 0, other["schedule"][0]["due_on"])
    # Credited today: on the days before nothing changes.
    credit(admin, agreement["invoice_id"], [{"line_no": 1, "quantity": 1}])
    for day, expected in ((later - timedelta(days=1), day_before), (later, since)):
        assert _of(report(people, "outstanding", p_as_of=day), "Asha") == expected
    now = _of(report(people, "outstanding"), "Asha")
    assert now["owed"] == 295


def test_today_is_the_branchs(people: People) -> None:
    """Where it is still yesterday, what was sold just now is not overdue."""
    people.connection.execute(
        "update public.branches set timezone = 'Pacific/Pago_Pago' where id = %s", [people.world.blr.id]
    )
    buyer = customer(people, "Asha")
    people.as_admin().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=buyer,
        p_lines=[_assembly(people)],
    )
    row = _of(report(people, "outstanding"), "Asha")
    assert (row["owed"], row["overdue"]) == (118, 0)
    aged = _of(report(people, "ageing"), "Asha")
    assert (aged["current_due"], aged["total"]) == (118, 118)
