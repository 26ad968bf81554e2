"""A phone shop that sells on instalments: Ravi pays a deposit and the first part, then nothing for weeks.

He is reminded, charged for being late, in default, and gets no new credit. Then he pays after all. Before
every step somebody tries it whose role does not allow it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tests.api.conftest import People
from tests.scenarios.telling import Actor, House, Json, days_passing, events, open_house

PRICE, DEPOSIT, FINANCED = 23_600, 3_600, 20_000
FEE, LATE_FEE, GRACE, DEFAULT_AFTER = 250, 100, 3, 40
# 24 % a year on what is left, 2 % a month: four equal payments of 20,000 * 0.02 / (1 - 1.02 ^ -4), reckoned
# by hand. The fee comes on top of the first one.
INTEREST = [Decimal("400.00"), Decimal("302.95"), Decimal("203.96"), Decimal("102.99")]
PRINCIPAL = [Decimal("4852.48"), Decimal("4949.53"), Decimal("5048.52"), Decimal("5149.47")]
EACH = Decimal("5252.48")
LAST = PRINCIPAL[3] + INTEREST[3]
NOTHING = {"agreements": 0, "overdue": 0, "late_fees": 0, "defaulted": 0, "reminders": 0}


@dataclass
class PhoneShop:
    """The story. Its methods are its chapters, each begins where the one before has ended.

    Parameters:
        pass_days: lets it be so many days after today.
        told: the facts of the events of a name, as the programs that send messages get them.
    """

    house: House
    pass_days: Callable[[int], None]
    told: Callable[[str], list[Json]]
    phone: UUID = field(init=False)
    case: UUID = field(init=False)
    ravi: UUID = field(init=False)
    invoice: Json = field(default_factory=dict)
    agreement: Json = field(default_factory=dict)

    def due(self, number: int) -> date:
        """The day on which an instalment is due."""
        return date.fromisoformat(self.agreement["schedule"][number - 1]["due_on"])

    def it_is(self, day: date) -> None:
        """The sun rises over this day, the first customers are not there yet."""
        self.pass_days((day - self.house.today).days)

    def the_job_runs(self, **found: int) -> None:
        """The daily job, which nobody but the owner may start by hand, finds this; the second run nothing."""
        house = self.house
        owner = house.owner.after(house.cashier, house.executive, house.keeper)
        seen = owner.asks("run_overdue", p_org_id=house.org_id)
        assert {what: count for what, count in seen.items() if count} == {"agreements": 1, **found}
        assert house.owner.asks("run_overdue", p_org_id=house.org_id) == NOTHING
        self.read()

    def read(self) -> Json:
        """The agreement as it is now."""
        self.agreement = self.house.cashier.asks("get_agreement", p_id=self.agreement["id"])
        return self.agreement

    def pays(self, amount: Decimal, method: str = "upi") -> Json:
        """He pays at the till. Returns what the payment was used for."""
        cashier = self.house.cashier.after(self.house.keeper, self.house.technician)
        self.agreement = cashier.does(
            "pay_agreement", p_agreement_id=self.agreement["id"], p_amount=amount, p_method=method
        )
        payment: Json = self.agreement["payment"]
        return payment

    def paid_of(self, number: int) -> list[Decimal]:
        """What is paid of an instalment: late fee, fee, interest, principal, the order of settling."""
        part = self.agreement["schedule"][number - 1]
        return [part[f"{each}_paid"] for each in ("late_fee", "fee", "interest", "principal")]

    def statuses(self) -> list[str]:
        """How the instalments stand."""
        return [part["status"] for part in self.agreement["schedule"]]

    def standing(self) -> str:
        """Ravi's credit, as everybody of the house may read it."""
        [row] = self.house.cashier.sees("customers", id=self.ravi)
        return str(row["credit_status"])

    def sale(self, variant: UUID, *payments: Json, **line: object) -> Json:
        """Something sold to Ravi over the counter."""
        return {
            "p_branch_id": self.house.branch_id,
            "p_location_id": self.house.places["SHOP"],
            "p_customer_id": self.ravi,
            "p_lines": [{"variant_id": variant, "quantity": 1, **line}],
            "p_payments": list(payments),
        }

    # The chapters.

    def phones_come_in(self) -> None:
        """Two phones, each known by its number, and some cases."""
        house = self.house
        self.phone = house.product("Nova 5G, 128 GB", "PHN-NOVA", 20_000, "8517", tracking="serial")
        self.case = house.product("Clear case", "ACC-CASE", 500, "3926")
        keeper = house.keeper.after(house.cashier, house.executive)
        imeis = {"serials": ["356938035643809", "356938035643817"]}
        for variant, pieces, options in ((self.phone, 2, imeis), (self.case, 10, {})):
            keeper.does(
                "adjust_stock",
                p_location_id=house.places["SHOP"],
                p_variant_id=variant,
                p_quantity=pieces,
                p_reason="opening",
                p_unit_cost=300,
                p_options=options,
            )

    def ravi_is_given_credit(self) -> None:
        """The clerk enters him; how much he may owe is the owner's to say."""
        house = self.house
        clerk = house.executive.after(house.keeper, house.technician)
        customer = {"org_id": house.org_id, "name": "Ravi Kulkarni", "phone": "+91 9822011111"}
        self.ravi = UUID(clerk.posts("/v1/customers", customer)["id"])
        assert self.standing() == "none"
        owner = house.owner.after(house.cashier, house.executive)
        owner.asks("set_credit_limit", p_customer_id=self.ravi, p_credit_limit=25_000)

    def the_clerk_sells_a_phone(self) -> None:
        """23,600.00, of which 3,600.00 are paid in cash; the phone leaves with its number."""
        clerk = self.house.executive
        deposit = {"method": "cash", "amount": DEPOSIT}
        clerk.cannot(422, "serials_required", "post_sale", **self.sale(self.phone, deposit))
        named = self.sale(self.phone, deposit, serials=["356938035643809"])
        clerk = clerk.after(self.house.keeper, self.house.technician)
        self.invoice = clerk.does("post_sale", **named)
        assert (self.invoice["status"], self.invoice["total"]) == ("partially_paid", PRICE)
        assert self.invoice["balance"] == FINANCED
        self.house.executive.cannot(409, "serial_not_here", "post_sale", **named)

    def four_instalments_are_agreed(self) -> None:
        """What is quoted is agreed; by the clerk, not the cashier; not before the deposit; and only once."""
        house = self.house
        terms: Json = {
            "deposit": DEPOSIT,
            "count": 4,
            "first_due_on": house.today + timedelta(days=30),
            "interest": {"kind": "reducing", "annual_percent": 24},
            "fees": [{"name": "File charge", "amount": FEE}],
            "grace_days": GRACE,
            "late_fee": LATE_FEE,
            "default_after_days": DEFAULT_AFTER,
            "remind_days_before": 3,
        }
        quoted = house.cashier.asks("quote_credit", p_amount=PRICE, p_terms=terms, p_date=house.today)
        asked = {"p_invoice_id": self.invoice["id"]}
        more = {**terms, "deposit": DEPOSIT + 1}
        clerk = house.executive
        facts = clerk.cannot(422, "deposit_missing", "open_credit_sale", **asked, p_terms=more)
        assert facts["paid"] == DEPOSIT
        clerk = clerk.after(house.cashier, house.keeper, house.technician)
        self.agreement = clerk.does("open_credit_sale", **asked, p_terms=terms)
        house.executive.cannot(409, "agreement_exists", "open_credit_sale", **asked, p_terms=terms)
        schedule = self.agreement["schedule"]
        assert [part["principal"] for part in schedule] == PRINCIPAL
        assert [part["interest"] for part in schedule] == INTEREST
        assert [part["fee"] for part in schedule] == [FEE, 0, 0, 0]
        assert [part["total"] for part in schedule] == [part["total"] for part in quoted["schedule"]]
        assert sum(PRINCIPAL) == self.agreement["financed"] == FINANCED
        total = FINANCED + sum(INTEREST) + FEE
        assert self.agreement["total"] == self.agreement["outstanding"] == total == quoted["total"]
        assert (self.agreement["status"], self.standing()) == ("active", "active")
        path = f"/v1/billing/agreements/{self.agreement['id']}/pdf"
        text = house.executive.after(house.stranger).prints(path)
        for word in (self.agreement["number"], "Ravi Kulkarni", "5,252.48", "File charge"):
            assert word in text, word
        house.stranger.refused(404, "not_found", "get_agreement", p_id=self.agreement["id"])

    def he_pays_the_first_one(self) -> None:
        """Reminded three days before and on the day; he comes and pays: the fee, the interest, the rest."""
        assert self.told("instalment.reminder") == []
        self.it_is(self.due(1) - timedelta(days=3))
        self.the_job_runs(reminders=1)
        self.it_is(self.due(1))
        self.the_job_runs(reminders=1)
        payment = self.pays(EACH + FEE)
        assert self.statuses() == ["paid", "pending", "pending", "pending"]
        assert self.paid_of(1) == [0, FEE, INTEREST[0], PRINCIPAL[0]]
        assert payment["charges"] == FEE + INTEREST[0]
        # The invoice lacks what is left of the principal, as ever.
        invoice = self.house.cashier.asks("get_invoice", p_id=self.invoice["id"])
        assert invoice["balance"] == sum(PRINCIPAL[1:])
        path = f"/v1/billing/payments/{payment['id']}/pdf"
        assert "5,502.48" in self.house.cashier.after(self.house.stranger).prints(path)

    def he_misses_the_second_one(self) -> None:
        """Nothing happens within the days of grace; then he is overdue and the late fee comes, once."""
        self.it_is(self.due(2) - timedelta(days=3))
        self.the_job_runs(reminders=1)
        self.it_is(self.due(2))
        self.the_job_runs(reminders=1)
        self.it_is(self.due(2) + timedelta(days=GRACE))
        assert self.house.owner.asks("run_overdue", p_org_id=self.house.org_id) == NOTHING
        self.it_is(self.due(2) + timedelta(days=GRACE + 1))
        self.the_job_runs(overdue=1, late_fees=1, reminders=1)
        assert self.statuses() == ["paid", "overdue", "pending", "pending"]
        assert self.agreement["overdue"] == EACH + LATE_FEE
        self.it_is(self.due(2) + timedelta(days=GRACE + 2))
        assert self.house.owner.asks("run_overdue", p_org_id=self.house.org_id) == NOTHING
        asked = {"p_org_id": self.house.org_id, "p_branch_id": None}
        clerk = self.house.executive.after(self.house.cashier, self.house.keeper)
        [late] = clerk.asks("instalments_overdue", **asked)
        assert (late["no"], late["outstanding"], late["days_late"]) == (2, EACH + LATE_FEE, GRACE + 2)

    def he_misses_the_third_one_too(self) -> None:
        """Forty days after the second was due he is in default, and everybody is told, once."""
        for days in (-3, 0):
            self.it_is(self.due(3) + timedelta(days=days))
            self.the_job_runs(reminders=1)
        self.it_is(self.due(3) + timedelta(days=GRACE + 1))
        self.the_job_runs(overdue=1, late_fees=1, reminders=1)
        assert (self.agreement["status"], self.standing()) == ("active", "active")
        self.it_is(self.due(2) + timedelta(days=DEFAULT_AFTER + 1))
        self.the_job_runs(defaulted=1)
        assert (self.agreement["status"], self.standing()) == ("defaulted", "defaulted")
        assert self.agreement["late_fees"] == 2 * LATE_FEE
        sent = [(each["no"], each["kind"]) for each in self.told("instalment.reminder")]
        of_both = [(no, kind) for no in (2, 3) for kind in ("before", "due", "after")]
        assert sent == [(1, "before"), (1, "due"), *of_both]
        assert {each["customer_id"] for each in self.told("instalment.reminder")} == {str(self.ravi)}
        [told] = self.told("credit_agreement.defaulted")
        assert told["agreement_id"] == self.agreement["id"]

    def he_gets_no_new_credit(self) -> None:
        """Not at the till, not from the clerk; what he pays he may have; the owner may decide otherwise."""
        house = self.house
        on_credit, paid = self.sale(self.case), self.sale(self.case, {"method": "upi", "amount": 590})
        for who in (house.cashier, house.executive):
            facts = who.cannot(422, "customer_defaulted", "post_sale", **on_credit)
            assert facts["permission"] == "credit.override"
        assert house.cashier.does("post_sale", **paid)["status"] == "paid"
        trusted = house.owner.does("post_sale", **on_credit)
        assert trusted["balance"] == 590
        terms = {"count": 2, "first_due_on": house.today + timedelta(days=200)}
        asked = {"p_invoice_id": trusted["id"], "p_terms": terms}
        house.executive.cannot(422, "customer_defaulted", "open_credit_sale", **asked)
        named = {"p_allocations": [{"invoice_id": trusted["id"], "amount": 590}]}
        cashier = house.cashier.after(house.keeper, house.technician)
        cashier.does("record_payment", p_customer_id=self.ravi, p_amount=590, p_method="cash", **named)
        # Nobody but the owner lets him off anything, or gives him more time.
        waive = {"p_no": 2, "p_component": "late_fee", "p_amount": LATE_FEE, "p_reason": "He asked"}
        more_time = {"p_terms": terms, "p_reason": "He asked"}
        agreement = {"p_agreement_id": self.agreement["id"]}
        for who in (house.cashier, house.executive):
            who.cannot(403, "permission_denied", "waive_charge", **agreement, **waive)
            who.cannot(403, "permission_denied", "reschedule", **agreement, **more_time)

    def he_pays_after_all(self) -> None:
        """First a part: the late fee, the interest, then the principal. Then all that is overdue."""
        overdue = self.agreement["overdue"]
        assert overdue == 2 * (EACH + LATE_FEE)
        payment = self.pays(Decimal(5000), "cash")
        principal = 5000 - LATE_FEE - INTEREST[1]
        assert self.paid_of(2) == [LATE_FEE, 0, INTEREST[1], principal]
        assert self.paid_of(3) == [0, 0, 0, 0]
        assert payment["charges"] == LATE_FEE + INTEREST[1]
        assert (self.agreement["status"], self.standing()) == ("defaulted", "defaulted")
        self.house.cashier.cannot(422, "customer_defaulted", "post_sale", **self.sale(self.case))
        self.pays(overdue - 5000)
        assert self.paid_of(3) == [LATE_FEE, 0, INTEREST[2], PRINCIPAL[2]]
        assert self.statuses() == ["paid", "paid", "paid", "pending"]
        assert (self.agreement["status"], self.standing()) == ("active", "active")
        assert (self.agreement["overdue"], self.agreement["outstanding"]) == (0, LAST)

    def he_pays_the_last_one(self) -> None:
        """Never a paisa too much; then it is over, and he may have credit again."""
        cashier, named = self.house.cashier, {"p_agreement_id": self.agreement["id"], "p_method": "upi"}
        more = {**named, "p_amount": LAST + Decimal("0.01")}
        facts = cashier.cannot(422, "agreement_overpaid", "pay_agreement", **more)
        assert (facts["outstanding"], facts["excess"]) == (LAST, Decimal("0.01"))
        self.pays(LAST)
        assert self.statuses() == ["paid"] * 4
        assert (self.agreement["status"], self.standing()) == ("completed", "completed")
        assert self.agreement["outstanding"] == 0
        assert self.agreement["paid"] == FINANCED + sum(INTEREST) + FEE + 2 * LATE_FEE
        cashier.cannot(409, "agreement_closed", "pay_agreement", **named, p_amount=1)
        assert cashier.asks("get_invoice", p_id=self.invoice["id"])["status"] == "paid"
        assert self.house.owner.asks("run_overdue", p_org_id=self.house.org_id) == NOTHING

    def the_account_is_even(self, clerk: Actor) -> None:
        """The phone, two cases, interest and fees against all that he paid; and the books agree."""
        asked = {"p_customer_id": self.ravi, "p_from": self.house.today, "p_to": self.house.today}
        said = clerk.asks("statement", **asked)
        charges = sum(INTEREST) + FEE + 2 * LATE_FEE
        assert said["debits"] == said["credits"] == PRICE + 2 * 590 + charges
        assert said["opening"] + said["debits"] - said["credits"] == said["closing"] == 0
        assert sum(line["debit"] - line["credit"] for line in said["lines"]) == 0
        assert (said["open_invoices"], said["owed"], said["unallocated"]) == ([], 0, 0)
        self.house.books_agree()


@pytest.fixture
def story(people: People, database_url: str) -> Iterator[PhoneShop]:
    """Ring Ring Phones in Pune. When the story is over, it is today again."""
    house = open_house(
        people, "Ring Ring Phones", "RNG", {"region_code": "27", "city": "Pune"}, {"SHOP": "showroom"}
    )
    with days_passing(database_url, house.org_id) as pass_days:
        yield PhoneShop(house, pass_days, lambda event: events(database_url, house.org_id, event))


def test_the_phone_shop(story: PhoneShop) -> None:
    """Deposit, missed instalments, default, recovery, completion."""
    house = story.house
    story.phones_come_in()
    story.ravi_is_given_credit()
    story.the_clerk_sells_a_phone()
    story.four_instalments_are_agreed()
    story.he_pays_the_first_one()
    story.he_misses_the_second_one()
    story.he_misses_the_third_one_too()
    story.he_gets_no_new_credit()
    story.he_pays_after_all()
    story.he_pays_the_last_one()
    story.the_account_is_even(house.executive.after(house.keeper, house.technician))
