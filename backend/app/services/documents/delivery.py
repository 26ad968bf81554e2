"""The delivery note: what was handed over, its numbers, and the receiver's signature."""

from reportlab.platypus import Flowable, KeepTogether, Spacer

from backend.app.services.documents import closing, facts, heading, lines, money, sheet
from backend.app.services.documents.look import Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.quotation import heading_name
from backend.app.services.documents.text import clean

# The receiver checks every number, so more of them are printed than on an invoice; a cell must fit on a page.
_MOST_NUMBERS = 120
_PLACE = 110.0


def render_delivery(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 delivery note; without prices unless the organisation wants them.

    Parameters:
        document: the JSON of `get_delivery`.
        settings, logo: see `look.look_of`; `delivery_prices` shows what the goods cost.
    Returns:
        the PDF file.
    """
    delivery, look = (
        prepared({**document, "terms": None}, "Delivery Note"),
        look_of("delivery", settings, logo),
    )
    # The order's terms speak of paying; what a delivery says is set for deliveries.
    say = look.say
    receiver = clean((delivery.get("ship_to") or {}).get("name"))
    # Of an inter-State movement the challan names the place of supply (CGST Rules 2017, rule 55(1)(viii)).
    crosses = receiver and delivery["supply_type"] == "inter_state"
    head = heading.Head(
        "deliver_to",
        [
            ("number_delivery", str(delivery["number"] or say("draft"))),
            ("date", heading.when(delivery, look)),
            ("for_order", clean(delivery.get("order_number"))),
            ("place_of_supply", facts.place_of_supply(delivery, say) if crosses else ""),
            ("branch", heading.branch(delivery)),
            ("reference", clean(delivery.get("reference"))),
        ],
    )

    def story(width: float) -> list[Flowable]:
        half = (width - 20) / 2
        places = [
            closing.signature(receiver or heading_name(delivery, look), say("receiver"), half - 22),
            closing.signature(
                say("for_seller", name=facts.legal_name(delivery)), say("delivered_by"), half - 22
            ),
        ]
        above, beside_it = closing.apart(delivery, look)
        box = closing.boxed(say("goods_received"), say("received_in_order"), places, look, width)
        totals: list[Flowable] = []
        needed = _PLACE
        if look.prices and money.decimal(delivery["total"]):
            totals, needed = closing.totals(delivery, look, width, [], left=[])
        return [
            *heading.heading(delivery, look, width, head),
            *lines.lines_table(delivery, look, width, needed, prices=look.prices, most=_MOST_NUMBERS),
            *totals,
            *above,
            Spacer(1, 12),
            KeepTogether([*beside_it, Spacer(1, 3), box]),
        ]

    return sheet.a4(delivery, look, story)
