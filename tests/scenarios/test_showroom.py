"""A furniture showroom: Meera furnishes her dining room, from the quotation to the last rupee.

A table and six chairs, of which two are still to come; paid in parts, by UPI and with points; and one chair
that goes back. Before every step somebody tries it whose role does not allow it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import People
from tests.scenarios.telling import House, Json, open_house

# Before tax; with 18 % GST a table less 10 % is 42,480.00, a chair 5,900.00.
TABLE, CHAIR = 40_000, 5_000
WELCOME, ORDER, FIRST_PART, REST = 5_900, 77_880, 66_080, 11_800


@dataclass
class Showroom:
    """The story. Its methods are its chapters, each begins where the one before has ended."""

    house: House
    meera: UUID = field(init=False)
    table: UUID = field(init=False)
    chair: UUID = field(init=False)
    quotation: Json = field(default_factory=dict)
    order: Json = field(default_factory=dict)
    notes: list[Json] = field(default_factory=list)
    invoices: list[Json] = field(default_factory=list)
    credit: Json = field(default_factory=dict)

    def lines(self, tables: int, chairs: int, discount: int = 0) -> list[Json]:
        """What is quoted: `discount` is off the tables."""
        return [
            {"variant_id": self.table, "quantity": tables, "discount": discount},
            {"variant_id": self.chair, "quantity": chairs},
        ]

    def step(self, who: Any, act: str, **arguments: Any) -> Json:
        """A step of the order."""
        self.order = who.does(act, p_order_id=self.order["id"], **arguments)
        return self.order

    def points(self) -> int:
        """Meera's points."""
        return int(self.house.cashier.asks("loyalty_balance", p_customer_id=self.meera)["points"])

    def owes(self) -> object:
        """What Meera owes, by her statement of today."""
        return self.house.cashier.asks("statement", **self.today())["closing"]

    def today(self) -> Json:
        """Meera's statement: whose, from when, to when."""
        day = self.house.today
        return {"p_customer_id": self.meera, "p_from": day, "p_to": day}

    def invoice(self, number: int) -> Json:
        """One of the two invoices of the order, as it is now."""
        found: Json = self.house.cashier.asks("get_invoice", p_id=self.invoices[number]["id"])
        return found

    # The chapters.

    def the_owner_sets_up_points(self) -> None:
        """A point is a rupee, 20 rupees paid in money earn one; at most a tenth of an invoice."""
        house = self.house
        owner = house.owner.after(house.cashier, house.executive, house.keeper)
        program: Json = {"org_id": house.org_id, "point_value": 1, "minimum_points": 100}
        program |= {"max_share_percent": 10, "expiry_months": 12}
        owner.posts("/v1/billing/loyalty/programs", program)
        owner.adds("loyalty_rules", org_id=house.org_id, name="Everything", points_per_unit=0.05)

    def goods_come_into_the_warehouse(self) -> None:
        """Two tables and five chairs. One chair goes to the showroom, as the keeper decides, nobody else."""
        house = self.house
        keeper = house.keeper.after(house.cashier, house.executive, house.technician)
        self.table = house.product("Dining table, teak", "TBL-DIN", TABLE, "9403")
        self.chair = house.product("Dining chair, teak", "CHR-DIN", CHAIR, "9401")
        for variant, pieces, cost in ((self.table, 2, 24_000), (self.chair, 5, 2_800)):
            keeper.does(
                "adjust_stock",
                p_location_id=house.places["WH"],
                p_variant_id=variant,
                p_quantity=pieces,
                p_reason="opening",
                p_unit_cost=cost,
            )
        moved = keeper.after(house.cashier, house.executive).does(
            "create_transfer",
            p_from_location_id=house.places["WH"],
            p_to_location_id=house.places["SHOW"],
            p_lines=[{"variant_id": self.chair, "quantity": 1}],
            p_options={"immediate": True},
        )
        assert moved["status"] == "received"
        assert (house.stock("WH", self.chair), house.stock("SHOW", self.chair)) == ((4, 0), (1, 0))

    def meera_buys_one_chair_to_try_it(self) -> None:
        """The cashier enters her and sells it over the counter: it earns the first points."""
        house = self.house
        body = {"org_id": house.org_id, "name": "Meera Nair", "phone": "+91 9800012345"}
        cashier = house.cashier.after(house.keeper, house.technician)
        self.meera = UUID(cashier.posts("/v1/customers", body)["id"])
        sale = {
            "p_branch_id": house.branch_id,
            "p_location_id": house.places["SHOW"],
            "p_customer_id": self.meera,
            "p_lines": [{"variant_id": self.chair, "quantity": 1}],
        }
        # She is known, but nobody has given her credit yet.
        house.cashier.cannot(422, "credit_limit_exceeded", "post_sale", **sale, p_payments=[])
        paid = [{"method": "upi", "amount": WELCOME}]
        sold = cashier.does("post_sale", **sale, p_payments=paid)
        assert (sold["status"], sold["total"], self.points()) == ("paid", WELCOME, 295)
        house.cashier.cannot(409, "insufficient_stock", "post_sale", **sale, p_payments=paid)

    def the_executive_quotes(self) -> None:
        """First eight chairs; sent, printed, and when she thinks again, revised to six."""
        house = self.house
        executive = house.executive.after(house.keeper, house.technician)
        asked: Json = {
            "p_quotation_id": None,
            "p_branch_id": house.branch_id,
            "p_customer_id": self.meera,
            "p_options": {"valid_until": house.today + timedelta(days=14), "terms": "40 % with the order"},
        }
        tenth = self.lines(1, 8, TABLE // 10)
        # The cashier may quote, but not give ten per cent.
        limit = house.cashier.cannot(422, "discount_limit", "save_quotation", **asked, p_lines=tenth)
        assert limit["max_discount_percent"] == 5
        drafted = executive.does("save_quotation", **asked, p_lines=tenth)
        assert (drafted["status"], drafted["number"]) == ("draft", None)
        named = {"p_quotation_id": drafted["id"]}
        house.executive.cannot(409, "invalid_transition", "approve_quotation", **named)
        first = executive.does("send_quotation", **named)
        assert "89,680.00" in house.executive.after(house.stranger).prints(
            f"/v1/billing/quotations/{drafted['id']}/pdf"
        )
        revised = executive.does(
            "save_quotation", **{**asked, **named}, p_lines=self.lines(1, 6, TABLE // 10)
        )
        assert (revised["status"], revised["revision"]) == ("draft", 2)
        self.quotation = executive.does("send_quotation", **named)
        assert (self.quotation["number"], self.quotation["total"]) == (first["number"], ORDER)

    def she_accepts_and_it_becomes_an_order(self) -> None:
        """The cashier cannot accept for her; what was not accepted cannot be converted; and only once."""
        house, named = self.house, {"p_quotation_id": self.quotation["id"]}
        house.executive.cannot(409, "invalid_transition", "convert_quotation", **named)
        executive = house.executive.after(house.cashier, house.keeper)
        assert executive.does("approve_quotation", **named)["status"] == "approved"
        executive = house.executive.after(house.keeper, house.technician)
        self.order = executive.does("convert_quotation", **named)
        assert (self.order["status"], self.order["total"]) == ("draft", ORDER)
        house.executive.cannot(409, "invalid_transition", "convert_quotation", **named)
        house.stranger.refused(404, "not_found", "get_order", p_id=self.order["id"])

    def the_order_is_confirmed(self) -> None:
        """Credit by the owner alone, an advance at the till, and two chairs promised for later."""
        house = self.house
        order = {"p_order_id": self.order["id"]}
        here = {"location_id": house.places["WH"]}
        waits = {**here, "back_order": True}
        deliver = {**order, "p_location_id": house.places["WH"]}
        house.keeper.cannot(409, "invalid_transition", "deliver_order", **deliver)
        owner = house.owner.after(house.cashier, house.executive)
        owner.asks("set_credit_limit", p_customer_id=self.meera, p_credit_limit=50_000)
        executive = house.executive
        executive.cannot(409, "insufficient_stock", "confirm_order", **order, p_options=here)
        # 77,880.00 to be owed, 50,000.00 allowed.
        facts = executive.cannot(422, "credit_limit_exceeded", "confirm_order", **order, p_options=waits)
        assert facts["credit_limit"] == 50_000
        advance = house.cashier.after(house.keeper, house.technician).does(
            "record_payment",
            p_customer_id=self.meera,
            p_amount=30_000,
            p_method="card",
            p_reference="Slip 0412",
            p_options={"branch_id": house.branch_id, "order_id": self.order["id"]},
        )
        assert (advance["unallocated"], self.owes()) == (30_000, -30_000)
        self.step(executive.after(house.keeper, house.technician), "confirm_order", p_options=waits)
        assert self.order["status"] == "confirmed"
        assert (house.stock("WH", self.table), house.stock("WH", self.chair)) == ((2, 1), (4, 4))
        house.cashier.cannot(409, "insufficient_stock", "post_sale", **self.last_chair())
        text = executive.after(house.stranger).prints(f"/v1/billing/orders/{self.order['id']}/pdf")
        assert self.order["number"] in text
        assert "77,880.00" in text

    def last_chair(self) -> Json:
        """Somebody else wants a chair out of the warehouse; all of them are promised."""
        return {
            "p_branch_id": self.house.branch_id,
            "p_location_id": self.house.places["WH"],
            "p_customer_id": None,
            "p_lines": [{"variant_id": self.chair, "quantity": 1}],
            "p_payments": [{"method": "upi", "amount": 5_900}],
        }

    def the_workshop_oils_the_table(self) -> None:
        """A work log that she may be shown, and a note for the house alone; then the order is ready."""
        executive = self.house.executive.after(self.house.keeper, self.house.technician)
        self.step(
            executive,
            "log_work",
            p_note="Table sanded and oiled",
            p_options={"status": "in_production", "visible_to_customer": True},
        )
        self.step(executive, "log_work", p_note="Oil of the other maker, ask for a credit note")
        assert self.order["status"] == "in_production"
        assert [entry["visible_to_customer"] for entry in self.order["work_log"]].count(True) == 1
        self.step(executive, "mark_order", p_status="ready")
        self.house.executive.cannot(
            409,
            "invalid_transition",
            "mark_order",
            p_order_id=self.order["id"],
            p_status="in_production",
        )

    def deliver(self, place: str, tables: int, chairs: int) -> Json:
        """The keeper delivers; neither the technician nor another house can."""
        wanted = [{"line_no": 1, "quantity": tables}, {"line_no": 2, "quantity": chairs}]
        note: Json = self.house.keeper.after(self.house.technician).does(
            "deliver_order",
            p_order_id=self.order["id"],
            p_location_id=self.house.places[place],
            p_lines=[line for line in wanted if line["quantity"]],
        )
        self.order = self.house.keeper.asks("get_order", p_id=self.order["id"])
        self.notes.append(note)
        return note

    def the_warehouse_delivers_what_is_there(self) -> None:
        """The table and four chairs; not a fifth, which is not there, nor a seventh, which nobody ordered."""
        house = self.house
        too_many = {"p_order_id": self.order["id"], "p_location_id": house.places["WH"]}
        for chairs, status, code in (
            (5, 409, "insufficient_stock"),
            (7, 422, "delivery_exceeds_order"),
        ):
            house.keeper.cannot(
                status, code, "deliver_order", **too_many, p_lines=[{"line_no": 2, "quantity": chairs}]
            )
        note = self.deliver("WH", 1, 4)
        assert (self.order["status"], [line["open"] for line in self.order["lines"]]) == (
            "partially_delivered",
            [0, 2],
        )
        assert (house.stock("WH", self.table), house.stock("WH", self.chair)) == ((1, 0), (0, 0))
        assert self.order["number"] in house.keeper.after(house.stranger).prints(
            f"/v1/billing/deliveries/{note['id']}/pdf"
        )
        cancel = {"p_order_id": self.order["id"], "p_reason": "Wants it no more"}
        house.executive.cannot(409, "invalid_transition", "cancel_order", **cancel)

    def invoice_the(self, note: Json, total: int, balance: int) -> Json:
        """An invoice over what one delivery brought; the advance settles it as far as it goes."""
        house = self.house
        asked = {"p_order_id": self.order["id"], "p_options": {"delivery_id": note["id"]}}
        made: Json = house.executive.after(house.keeper, house.technician).does("invoice_order", **asked)
        assert (made["total"], made["balance"], self.owes()) == (total, balance, balance)
        self.invoices.append(made)
        house.executive.cannot(422, "invoice_exceeds_order", "invoice_order", **asked)
        return made

    def what_came_is_invoiced_and_paid(self) -> None:
        """66,080.00 less the advance, by UPI; never a rupee more than it lacks; and the points come."""
        house = self.house
        made = self.invoice_the(self.notes[0], FIRST_PART, FIRST_PART - 30_000)
        assert made["status"] == "partially_paid"
        pay = {"p_customer_id": self.meera, "p_method": "upi", "p_reference": "UPI 5501"}
        whole = {"p_allocations": [{"invoice_id": made["id"], "amount": 36_080.01}]}
        house.cashier.cannot(409, "invoice_overpaid", "record_payment", **pay, **whole, p_amount=40_000)
        assert self.points() == 295
        cashier = house.cashier.after(house.keeper, house.technician)
        paid = cashier.does("record_payment", **pay, p_amount=36_080)
        assert self.invoice(0)["status"] == "paid"
        assert (self.owes(), self.points()) == (0, 295 + 3_304)
        text = house.cashier.after(house.stranger).prints(f"/v1/billing/payments/{paid['id']}/pdf")
        assert made["number"] in text
        assert "36,080.00" in text
        # What is paid is not voided, whoever asks; and only the owner may void at all.
        void = {"id": uuid4(), "status": "void", "options": {"reason": "Changed her mind"}}
        path = f"/v1/billing/invoices/{made['id']}/status"
        house.executive.refused_by_the_api(403, "permission_denied", "PATCH", path, void)
        house.owner.refused_by_the_api(409, "credit_note_required", "PATCH", path, void)

    def the_other_chairs_arrive(self) -> None:
        """Three come; two are delivered, the third is for sale again."""
        house = self.house
        house.keeper.after(house.cashier, house.executive).does(
            "adjust_stock",
            p_location_id=house.places["WH"],
            p_variant_id=self.chair,
            p_quantity=3,
            p_reason="opening",
            p_unit_cost=3_000,
        )
        self.deliver("WH", 0, 2)
        assert self.order["status"] == "delivered"
        assert house.stock("WH", self.chair) == (1, 0)
        again = {"p_order_id": self.order["id"], "p_location_id": house.places["WH"]}
        house.keeper.cannot(409, "invalid_transition", "deliver_order", **again)

    def the_rest_is_paid_with_points_and_in_parts(self) -> None:
        """A thousand points, the most is a tenth of the invoice; then 5,000.00 and 5,800.00 by UPI."""
        house = self.house
        close = {"p_order_id": self.order["id"], "p_status": "closed"}
        house.executive.cannot(409, "order_not_invoiced", "mark_order", **close)
        made = self.invoice_the(self.notes[1], REST, REST)
        assert made["status"] == "sent"
        named = {"p_invoice_id": made["id"]}
        limit = house.cashier.cannot(422, "points_limit", "redeem_points", **named, p_amount=1_180.01)
        assert limit["max_amount"] == 1_180
        cashier = house.cashier.after(house.keeper, house.technician)
        cashier.does("redeem_points", **named, p_amount=1_000)
        assert (self.invoice(1)["balance"], self.points()) == (10_800, 2_599)
        for amount, status, left in ((5_000, "partially_paid", 5_800), (5_800, "paid", 0)):
            cashier.does("record_payment", p_customer_id=self.meera, p_amount=amount, p_method="upi")
            assert (self.invoice(1)["status"], self.owes()) == (status, left)
        # What money paid earns, what points paid does not.
        assert self.points() == 2_599 + 540
        self.step(house.executive.after(house.keeper, house.technician), "mark_order", p_status="closed")
        assert self.order["status"] == "closed"

    def one_chair_goes_back(self) -> None:
        """The credit note is at the price as sold; points come back as points, and earned ones go."""
        house = self.house
        asked: Json = {"p_invoice_id": self.invoices[1]["id"], "p_reason": "A leg wobbles"}
        three = [{"line_no": 2, "quantity": 3}]
        house.executive.cannot(422, "credit_exceeds_sale", "issue_credit_note", **asked, p_lines=three)
        one = [{"line_no": 2, "quantity": 1, "disposition": "restock"}]
        executive = house.executive.after(house.cashier, house.keeper, house.technician)
        self.credit = executive.does("issue_credit_note", **asked, p_lines=one)
        assert (self.credit["total"], self.credit["tax"]) == (5_900, 900)
        assert house.stock("WH", self.chair) == (2, 0)
        # Half of the thousand points comes back, half of the 540 goes; the rest of the 5,900.00 is hers.
        assert self.points() == 3_139 + 500 - 270
        assert self.owes() == -5_400
        text = house.executive.after(house.stranger).prints(
            f"/v1/billing/credit-notes/{self.credit['id']}/pdf"
        )
        assert "A leg wobbles" in text
        assert self.invoices[1]["number"] in text

    def she_gets_her_money_back(self) -> None:
        """Paid out by the owner alone, never more than the house holds for her."""
        house = self.house
        asked = {"p_customer_id": self.meera, "p_method": "upi"}
        house.owner.cannot(422, "refund_exceeds_credit", "refund", **asked, p_amount=5_400.01)
        owner = house.owner.after(house.cashier, house.executive, house.keeper)
        paid = owner.does("refund", **asked, p_amount=5_400, p_options={"branch_id": house.branch_id})
        assert (paid["amount"], self.owes()) == (5_400, 0)

    def the_account_is_even(self) -> None:
        """Her statement sums; what she paid is what the house took; the books and the shelves agree."""
        house = self.house
        said = house.cashier.after(house.keeper, house.technician).asks("statement", **self.today())
        assert said["opening"] + said["debits"] - said["credits"] == said["closing"] == 0
        assert sum(line["debit"] for line in said["lines"]) == said["debits"]
        assert sum(line["credit"] for line in said["lines"]) == said["credits"]
        kinds = [line["kind"] for line in said["lines"]]
        assert [kinds.count(kind) for kind in ("invoice", "credit_note", "payment", "refund")] == [3, 1, 6, 2]
        assert (said["open_invoices"], said["owed"], said["unallocated"]) == ([], 0, 0)
        day = {"date_from": house.today, "date_to": house.today}
        text = house.cashier.after(house.keeper, house.stranger).prints(
            f"/v1/customers/{self.meera}/statement/pdf", **day
        )
        assert "Meera Nair" in text
        revenue = house.executive.after(house.cashier, house.keeper).asks(
            "revenue", p_org_id=house.org_id, p_from=house.today, p_to=house.today, p_by="method"
        )
        taken = {row["key"]: row["revenue"] for row in revenue if row["key"] != "points"}
        assert taken == {"card": 30_000, "upi": WELCOME + 36_080 + 10_800 - 5_400}
        points = house.cashier.asks("loyalty_statement", **self.points_of_today())
        assert points["opening"] + sum(entry["points"] for entry in points["entries"]) == points["closing"]
        assert points["closing"] == self.points() == 3_369
        house.books_agree()
        assert house.stock("WH", self.table) == (1, 0)
        assert house.stock("WH", self.chair) == (2, 0)
        assert house.stock("SHOW", self.chair) == (0, 0)

    def points_of_today(self) -> Json:
        """Her points: whose, from when, to when; a day to either side, so that midnight does not matter."""
        day = self.house.today
        return {
            "p_customer_id": self.meera,
            "p_from": day - timedelta(days=1),
            "p_to": day + timedelta(days=2),
        }


@pytest.fixture
def house(people: People) -> House:
    """Teak & Table in Bengaluru, with a showroom and a warehouse."""
    options = {"region_code": "29", "city": "Bengaluru"}
    return open_house(people, "Teak & Table", "TNT", options, {"SHOW": "showroom", "WH": "warehouse"})


def test_the_showroom(house: House) -> None:
    """From the quotation to the part delivery to paid, with points."""
    story = Showroom(house)
    story.the_owner_sets_up_points()
    story.goods_come_into_the_warehouse()
    story.meera_buys_one_chair_to_try_it()
    story.the_executive_quotes()
    story.she_accepts_and_it_becomes_an_order()
    story.the_order_is_confirmed()
    story.the_workshop_oils_the_table()
    story.the_warehouse_delivers_what_is_there()
    story.what_came_is_invoiced_and_paid()
    story.the_other_chairs_arrive()
    story.the_rest_is_paid_with_points_and_in_parts()
    story.one_chair_goes_back()
    story.she_gets_her_money_back()
    story.the_account_is_even()
