"""The two houses of the tests' world: who works there, what they sell, and what has happened so far."""

from tests.support.builder import Builder, new_address
from tests.support.gstin import gstin
from tests.support.personas import Connection
from tests.support.world import ROLES, House, World, sign_up


def make_world(connection: Connection) -> World:
    """Make both businesses. The connection must be inside a transaction, which the caller commits."""
    return World(_make_teak(connection), _make_lagoon(connection), sign_up(connection, new_address("nobody")))


def _make_teak(connection: Connection) -> House:
    build = Builder(connection)
    build.found(
        "Teak & Thread", "IN", "INR", legal_name="Teak & Thread Furniture LLP", invoice_terms="No returns."
    )
    blr = build.branch(
        "BLR", "Indiranagar", region_code="29", tax_number=gstin("29ABCDE1234F1Z"), city="Bengaluru"
    )
    mum = build.branch("MUM", "Bandra", region_code="27", tax_number=gstin("27ABCDE1234F1Z"), city="Mumbai")
    for role in ROLES[1:]:
        build.hire(role, role, blr)
    build.hire("cashier@MUM", "cashier", mum)

    build.tax_class("GST18", "18")
    build.tax_class("GST5", "5")
    build.tax_class("NIL", None, "nil_rated")
    build.tax_class("EXEMPT", None, "exempt")
    build.variant("sofa", "1000.00", "GST18", "9401")
    build.variant("lamp", "118.00", "GST18", "9405", inclusive=True)
    build.variant("rug", "250.50", "GST5", "5703", unit="SQM")
    build.variant("book", "99.00", "NIL", "4901")
    build.variant("pot", "45.00", "EXEMPT", "6912")
    build.variant("assembly", "500.00", "GST18", "9987", kind="service")
    build.variant("phone", "900.00", "GST18", "8517", tracking="serial")
    build.variant("paint", "300.00", "GST18", "3209", unit="LTR", tracking="batch")
    build.variant("suite", "1150.00", "GST18", "9401", kind="set")
    build.set_of("suite", sofa=1, lamp=2)
    build.unit("rug", "ROL", "12.5")
    for branch in (blr, mum):
        build.stock(branch.showroom, 10)
        build.stock_tracked(branch.showroom, branch.code, serial="phone", batch="paint")

    build.customer(
        "local", tax_number=gstin("29AAACB1234C1Z"), region_code="29", country="IN", kind="business"
    )
    build.customer(
        "elsewhere", tax_number=gstin("27AAACB1234C1Z"), region_code="27", country="IN", kind="business"
    )
    build.customer("abroad", country="AE")
    build.customer("unknown")
    build.customer("trusted", credit=2000, region_code="29", country="IN")
    build.one_of_the_rest()
    build.price_list("sofa")
    invoices = {"BLR": build.sell(blr, "sofa"), "MUM": build.sell(mum, "lamp")}
    build.take_back(blr, "book")
    build.take_back(mum, "book")
    for branch in (blr, mum):
        build.count_and_reorder(
            branch, "pot", counting="pot", submitted="lamp", approved="rug", posted="book"
        )
        build.settle(branch, "book", "local")
    build.reserve_and_carry(blr, "book")
    build.reserve_and_carry(mum, "book")
    build.loyal()
    build.offer(blr, "book", "assembly")
    build.offer(mum, "book", "assembly")
    build.on_credit(blr, "assembly")
    build.on_credit(mum, "assembly")
    build.old_shift(blr)
    build.old_shift(mum)
    build.papers(blr, "elsewhere", "sofa", "assembly")
    build.papers(mum, "elsewhere", "sofa", "assembly")
    return build.house((blr, mum), invoices)


def _make_lagoon(connection: Connection) -> House:
    build = Builder(connection)
    build.found("Blue Lagoon Pools", "GB", "GBP", tax_regime="vat")
    london = build.branch("LON", "Greenwich", tax_number="GB123456789", timezone="Europe/London")
    build.hire("cashier", "cashier", london)
    build.tax_class("STANDARD", "20")
    build.variant("pump", "60.00", "STANDARD", "8413", inclusive=True)
    build.variant("filter", "10.00", "STANDARD", "8421")
    build.variant("robot", "700.00", "STANDARD", "8479", tracking="serial")
    build.variant("chlorine", "20.00", "STANDARD", "3808", unit="KGS", tracking="batch")
    build.variant("kit", "65.00", "STANDARD", "8413", kind="set")
    build.set_of("kit", pump=1, filter=1)
    build.unit("filter", "BOX", "12")
    build.stock(london.showroom, 10)
    build.stock_tracked(london.showroom, "LON", serial="robot", batch="chlorine")
    build.customer("domestic", country="GB", tax_number="GB987654321")
    build.customer("abroad", country="FR")
    build.one_of_the_rest()
    build.price_list("pump")
    invoices = {"LON": build.sell(london, "pump")}
    build.take_back(london, "filter")
    build.settle(london, "filter", "domestic")
    build.count_and_reorder(
        london, "filter", counting="pump", submitted="filter", approved="robot", posted="filter"
    )
    build.reserve_and_carry(london, "filter")
    build.loyal()
    build.offer(london, "filter", "filter")
    build.on_credit(london, "filter")
    build.old_shift(london)
    build.papers(london, "domestic", "pump", "filter")
    return build.house((london,), invoices)
