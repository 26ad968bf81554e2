"""Reservations: what is promised to one is not available to another until it is sold, released or expired."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.database.billing.trading import approved, confirmed
from tests.database.moving import (
    Document,
    archive,
    attic,
    dispatch,
    draft,
    level,
    quarantine,
    reserve,
    traces,
)
from tests.database.sales import adjust, line, pay, sell
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def _soon(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def _get(people: People, document: Document) -> Document:
    found: Document = people.as_admin().rpc("get_reservation", p_id=document["id"])
    return found


def _release(person: Persona, document: Document) -> Document:
    done: Document = person.rpc("release_reservation", p_id=new_id(), p_reservation_id=document["id"])
    return done


def expire(people: People, document: Document) -> None:
    """Let a reservation's time be over, as if it had been made long ago; the lifecycle forbids it."""
    people.connection.execute("alter table public.stock_reservations disable trigger t40_enforce_lifecycle")
    people.connection.execute(
        "update public.stock_reservations set expires_at = now() - interval '1 minute' where id = %s",
        [document["id"]],
    )
    people.connection.execute("alter table public.stock_reservations enable trigger t40_enforce_lifecycle")


def test_what_is_reserved_is_not_available(people: People) -> None:
    """on_hand stays, reserved grows, and the document says what it holds."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    before = level(people.connection, world.blr.showroom, sofa)
    done = reserve(
        people.as_cashier(),
        world.blr.showroom,
        line(sofa, 3),
        customer_id=world.teak.customers["local"],
        note="Comes on Monday",
    )
    after = level(people.connection, world.blr.showroom, sofa)
    assert (after.on_hand, after.reserved) == (before.on_hand, 3)
    assert (done["status"], done["document"], done["note"]) == ("active", "manual", "Comes on Monday")
    assert done["customer_id"] == str(world.teak.customers["local"])
    (held,) = done["lines"]
    assert (held["sku"], held["quantity"]) == ("SOFA", 3)
    assert [(item["sku"], item["quantity"]) for item in held["items"]] == [("SOFA", 3)]
    assert done["created_by"] == str(people.as_cashier().user_id)
    kept = datetime.fromisoformat(done["expires_at"]) - datetime.fromisoformat(done["created_at"])
    assert kept == timedelta(days=7)
    assert people.as_technician().rpc("get_reservation", p_id=done["id"]) == done


def test_a_set_is_held_by_its_components(people: People) -> None:
    """The line keeps the set; the shelf gives its pieces, together with those asked for by themselves."""
    world, goods = people.world, people.world.teak.variants
    done = reserve(people.as_sales(), world.blr.showroom, line(goods["suite"], 2), line(goods["lamp"], 3))
    assert [(each["sku"], each["quantity"]) for each in done["lines"]] == [("SUITE", 2), ("LAMP", 3)]
    assert [item["quantity"] for item in done["lines"][0]["items"]] == [4, 2]
    assert level(people.connection, world.blr.showroom, goods["sofa"]).reserved == 2
    assert level(people.connection, world.blr.showroom, goods["lamp"]).reserved == 7
    with raises("insufficient_stock", 409) as refusal:
        reserve(people.as_sales(), world.blr.showroom, line(goods["suite"], 1), line(goods["lamp"], 2))
    assert [(s["sku"], s["requested"], s["available"]) for s in refusal.facts["shortages"]] == [
        ("LAMP", 4, 3)
    ]
    _release(people.as_sales(), done)
    assert level(people.connection, world.blr.showroom, goods["lamp"]).reserved == 0


def test_units_are_those_of_the_shelf(people: People) -> None:
    """A roll of 12.5 square metres."""
    world, rug = people.world, people.world.teak.variants["rug"]
    adjust(people, rug, 10)
    reserve(people.as_sales(), world.blr.showroom, line(rug, 1, unit="ROL"))
    assert level(people.connection, world.blr.showroom, rug).reserved == Decimal("12.5")


def test_all_shortages_are_listed_and_nothing_is_held(people: People) -> None:
    """The sum per variant counts, over lines and sets."""
    world, goods = people.world, people.world.teak.variants
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        reserve(
            people.as_cashier(),
            world.blr.showroom,
            line(goods["sofa"], 6),
            line(goods["sofa"], 6),
            line(goods["pot"], 11),
            line(goods["book"], 1),
        )
    shortages = [(s["sku"], s["requested"]) for s in refusal.facts["shortages"]]
    assert shortages == [("POT", 11), ("SOFA", 12)]
    assert traces(people.connection) == before


def test_reserved_goods_do_not_leave_by_another_door(people: People) -> None:
    """Neither a sale nor an adjustment nor a transfer takes what is promised."""
    world, pot = people.world, people.world.teak.variants["pot"]
    reserve(people.as_cashier(), world.blr.showroom, line(pot, 8))
    going = draft(people.as_stockkeeper(), world.blr.showroom, world.mum.showroom, line(pot, 3))
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        adjust(people, pot, -3, "damage")
    assert refusal.facts["shortages"][0]["available"] == 2
    with raises("insufficient_stock", 409):
        dispatch(people.as_stockkeeper(), going)
    with raises("insufficient_stock", 409):
        sell(people.as_cashier(), world.blr, line(pot, 3))
    assert traces(people.connection) == before
    adjust(people, pot, -2, "damage")
    assert level(people.connection, world.blr.showroom, pot)[:2] == (8, 8)


@pytest.mark.parametrize(("sold", "left"), [(2, 8), (3, 7), (5, 5)])
def test_a_sale_takes_what_was_held(people: People, sold: int, left: int) -> None:
    """Less than was held: the rest is given back. More: the surplus must be available."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(pot, 3))
    invoice = sell(people.as_cashier(), world.blr, line(pot, sold), reservation_id=held["id"])
    assert level(people.connection, world.blr.showroom, pot)[:2] == (left, 0)
    after = _get(people, held)
    assert (after["status"], after["fulfilled_document"]) == ("fulfilled", "invoice")
    assert after["fulfilled_document_id"] == invoice["id"]
    assert after["ended_at"] is not None


def test_the_last_pieces_go_to_whom_they_were_promised(people: People) -> None:
    """Everybody else is refused, the holder is not; and only once."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(pot, 10))
    with raises("insufficient_stock", 409):
        sell(people.as_cashier(), world.blr, line(pot))
    with raises("insufficient_stock", 409):
        sell(people.as_cashier(), world.blr, line(pot, 11), reservation_id=held["id"])
    assert _get(people, held)["status"] == "active"
    sale = new_id()
    first = sell(
        people.as_cashier(),
        world.blr,
        line(pot, 10),
        payments=[pay(450)],
        sale_id=sale,
        reservation_id=held["id"],
    )
    again = sell(
        people.as_cashier(),
        world.blr,
        line(pot, 10),
        payments=[pay(450)],
        sale_id=sale,
        reservation_id=held["id"],
    )
    assert again == first
    with raises("invalid_transition", 409) as refusal:
        sell(people.as_cashier(), world.blr, line(world.teak.variants["book"]), reservation_id=held["id"])
    assert (refusal.facts["from"], refusal.facts["to"]) == ("fulfilled", "fulfilled")


def test_a_sale_uses_its_own_branchs_reservation(people: People) -> None:
    """Another branch's, another house's and none at all are the same: not found."""
    world = people.world
    for other in (
        world.teak.documents["reservation@MUM"],
        world.lagoon.documents["reservation@LON"],
        uuid4(),
    ):
        with raises("not_found", 404):
            sell(
                people.as_cashier(),
                world.blr,
                line(world.teak.variants["sofa"]),
                payments=[pay(1180)],
                reservation_id=str(other),
            )
    with raises("invalid_input", 400):
        sell(
            people.as_cashier(),
            world.blr,
            line(world.teak.variants["sofa"]),
            payments=[pay(1180)],
            reservation_id="mine",
        )


def test_a_sale_from_elsewhere_gives_the_held_goods_back(people: People) -> None:
    """Held in the warehouse, sold from the showroom: the warehouse's pieces are free again."""
    world, book = people.world, people.world.teak.variants["book"]
    held = {"id": str(world.teak.documents["reservation@BLR"])}
    assert level(people.connection, world.blr.warehouse, book).reserved == 1
    sell(people.as_cashier(), world.blr, line(book), reservation_id=held["id"])
    assert level(people.connection, world.blr.warehouse, book)[:2] == (4, 0)


def test_release_gives_back_once(people: People) -> None:
    """Idempotent by id; a second release is a conflict."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(pot, 4))
    same = new_id()
    done = people.as_sales().rpc("release_reservation", p_id=same, p_reservation_id=held["id"])
    assert (done["status"], level(people.connection, world.blr.showroom, pot).reserved) == ("released", 0)
    before = traces(people.connection)
    assert people.as_sales().rpc("release_reservation", p_id=same, p_reservation_id=held["id"]) == done
    with raises("id_reused", 409):
        people.as_sales().rpc(
            "release_reservation", p_id=same, p_reservation_id=world.teak.documents["reservation@BLR"]
        )
    with raises("invalid_transition", 409) as refusal:
        _release(people.as_sales(), held)
    assert (refusal.facts["from"], refusal.facts["to"]) == ("released", "released")
    assert traces(people.connection) == before


def test_the_same_call_again_holds_nothing_more(people: People) -> None:
    """Idempotent by id; other content is a conflict."""
    world, pot = people.world, people.world.teak.variants["pot"]
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_location_id": world.blr.showroom,
        "p_lines": [line(pot, 2)],
        "p_options": {"expires_at": _soon(hours=1)},
    }
    first = people.as_cashier().rpc("reserve_stock", **arguments)
    before = traces(people.connection)
    assert people.as_cashier().rpc("reserve_stock", **arguments) == first
    others: list[dict[str, Any]] = [
        {"p_lines": [line(pot, 3)]},
        {"p_options": {}},
        {"p_location_id": world.blr.warehouse},
    ]
    for other in others:
        with raises("id_reused", 409):
            people.as_cashier().rpc("reserve_stock", **(arguments | other))
    with raises("invalid_input", 400):
        people.as_cashier().rpc("reserve_stock", **(arguments | {"p_id": None}))
    assert traces(people.connection) == before


def test_who_is_short_takes_what_has_expired(people: People) -> None:
    """A sale and another reservation end expired ones, as far as they are in the way; not before."""
    world, goods = people.world, people.world.teak.variants
    held = reserve(people.as_cashier(), world.blr.showroom, line(goods["pot"], 8), line(goods["sofa"], 1))
    other = reserve(people.as_cashier(), world.blr.showroom, line(goods["lamp"], 1))
    expire(people, held)
    expire(people, other)
    sell(people.as_cashier(), world.blr, line(goods["pot"], 2))
    assert _get(people, held)["status"] == "active", "nobody was short"
    sell(people.as_cashier(), world.blr, line(goods["pot"], 1))
    assert _get(people, held)["status"] == "expired"
    assert level(people.connection, world.blr.showroom, goods["pot"])[:2] == (7, 0)
    assert level(people.connection, world.blr.showroom, goods["sofa"]).reserved == 0
    assert _get(people, other)["status"] == "active"
    reserve(people.as_cashier(), world.blr.showroom, line(goods["lamp"], 10))
    assert _get(people, other)["status"] == "expired"
    assert level(people.connection, world.blr.showroom, goods["lamp"]).reserved == 10


def test_what_has_not_expired_is_not_taken(people: People) -> None:
    """And a shortage that the expired cannot fill leaves them as they are."""
    world, pot = people.world, people.world.teak.variants["pot"]
    reserve(people.as_cashier(), world.blr.showroom, line(pot, 5), expires_at=_soon(minutes=5))
    over = reserve(people.as_cashier(), world.blr.showroom, line(pot, 3))
    expire(people, over)
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        sell(people.as_cashier(), world.blr, line(pot, 6))
    assert refusal.facts["shortages"][0]["available"] == 5
    assert traces(people.connection) == before
    adjust(people, pot, -5, "damage")
    assert _get(people, over)["status"] == "expired"


def test_a_late_customer_still_finds_his_goods(people: People) -> None:
    """Past its time, but nobody wanted them: the sale fulfils it."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(pot, 10))
    expire(people, held)
    sell(people.as_cashier(), world.blr, line(pot, 10), reservation_id=held["id"])
    assert _get(people, held)["status"] == "fulfilled"


def test_the_job_ends_what_is_over(people: People) -> None:
    """In all houses, with an event each; a second run finds nothing."""
    world, goods = people.world, people.world.teak.variants
    first = reserve(people.as_cashier(), world.blr.showroom, line(goods["suite"], 2))
    second = reserve(people.as_admin(), world.mum.showroom, line(goods["pot"], 2), line(goods["lamp"], 2))
    kept = reserve(people.as_cashier(), world.blr.showroom, line(goods["sofa"], 1))
    foreign = reserve(
        people.as_foreign_admin(), world.lagoon.branches[0].showroom, line(world.lagoon.variants["pump"])
    )
    for held in (first, second, foreign):
        expire(people, held)
    assert people.connection.execute(
        "select sum(private.expire_reservations(o.id)) from public.organizations o"
    ).fetchone() == (3,)
    assert people.connection.execute(
        "select sum(private.expire_reservations(o.id)) from public.organizations o"
    ).fetchone() == (0,)
    assert [_get(people, held)["status"] for held in (first, second, kept)] == [
        "expired",
        "expired",
        "active",
    ]
    assert level(people.connection, world.blr.showroom, goods["sofa"]).reserved == 1
    assert level(people.connection, world.mum.showroom, goods["lamp"]).reserved == 0
    events = people.connection.execute(
        "select count(*) from private.outbox where event = 'reservation.expired'"
    ).fetchone()
    assert events == (3,)
    with raises("invalid_transition", 409):
        _release(people.as_cashier(), first)


@pytest.mark.parametrize(
    "options",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "tomorrow"},
        {"expires_at": 5},
        {"expires_at": "infinity"},
        {"document": "quotation"},
        {"document": "wish", "document_id": str(uuid4())},
        {"document_id": str(uuid4())},
        {"document": "cart", "document_id": "1"},
        {"customer_id": "Asha"},
        {"note": "x" * 2001},
        {"note": 5},
        {"until": "2030-01-01"},
    ],
)
def test_malformed_options(people: People, options: dict[str, object]) -> None:
    """400, and nothing is written."""
    before = traces(people.connection)
    with raises("invalid_input", 400):
        reserve(
            people.as_cashier(), people.world.blr.showroom, line(people.world.teak.variants["pot"]), **options
        )
    assert traces(people.connection) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"serials": ["BLR-1"]},
        {"batch": "BLR-NEW"},
        {"expires_on": "2030-01-01"},
        {"quantity": 0},
        {"price": 1},
    ],
)
def test_malformed_lines(people: People, changed: dict[str, object]) -> None:
    """A reservation holds quantities: naming pieces or lots would promise what it does not keep."""
    world = people.world
    for goods in ("phone", "paint", "pot"):
        with raises("invalid_input", 400):
            reserve(people.as_cashier(), world.blr.showroom, line(world.teak.variants[goods]) | changed)


def test_at_most_90_days(people: People) -> None:
    """No longer than a season."""
    world, pot = people.world, people.world.teak.variants["pot"]
    reserve(people.as_cashier(), world.blr.showroom, line(pot), expires_at=_soon(days=89, hours=23))
    with raises("invalid_input", 400):
        reserve(people.as_cashier(), world.blr.showroom, line(pot), expires_at=_soon(days=90, minutes=5))


def test_what_cannot_be_held(people: People) -> None:
    """Services, what is archived, what stands in quarantine, foreign goods and customers."""
    world, goods = people.world, people.world.teak.variants
    cashier = people.as_cashier()
    with raises("not_stocked", 422):
        reserve(cashier, world.blr.showroom, line(goods["assembly"]))
    with raises("unit_unknown", 422):
        reserve(cashier, world.blr.showroom, line(goods["pot"], unit="ROL"))
    with raises("location_not_sellable", 422):
        reserve(cashier, quarantine(people, world.blr), line(goods["pot"]))
    for variant in (world.lagoon.variants["pump"], uuid4()):
        with raises("not_found", 404):
            reserve(cashier, world.blr.showroom, line(variant))
    for customer in (world.lagoon.customers["abroad"], uuid4()):
        with raises("not_found", 404):
            reserve(cashier, world.blr.showroom, line(goods["pot"]), customer_id=str(customer))
    people.as_admin().execute(
        "update public.product_variants set archived_at = now() where id = %s", [goods["pot"]]
    )
    with raises("variant_archived", 422):
        reserve(cashier, world.blr.showroom, line(goods["book"]), line(goods["pot"]))
    place = attic(people)
    archive(people.as_admin(), "locations", place)
    with raises("not_found", 404):
        reserve(cashier, place, line(goods["book"]))


def test_who_may_reserve_release_and_read(people: People) -> None:
    """The permission, the branch, the business; visitors have no way in."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(pot))
    with raises("permission_denied", 403):
        reserve(people.as_technician(), world.blr.showroom, line(pot))
    with raises("permission_denied", 403):
        _release(people.as_technician(), held)
    outsiders = (people.as_cashier(world.mum), people.as_foreign_admin(), people.as_nobody())
    for person in outsiders:
        with raises("not_found", 404):
            reserve(person, world.blr.showroom, line(pot))
        with raises("not_found", 404):
            _release(person, held)
        with raises("not_found", 404):
            person.rpc("get_reservation", p_id=held["id"])
    with raises_sqlstate("42501"):
        _release(people.as_anon(), held)
    with raises("not_found", 404):
        people.as_cashier().rpc("get_reservation", p_id=uuid4())


def test_another_house_may_use_the_same_id(people: People) -> None:
    """Ids are the clients' own: a stranger's document of the same id stands in nobody's way."""
    world, same = people.world, new_id()
    for person, place, goods in (
        (people.as_foreign_admin(), world.lagoon.branches[0].showroom, world.lagoon.variants["pump"]),
        (people.as_admin(), world.blr.showroom, world.teak.variants["pot"]),
    ):
        person.rpc("reserve_stock", p_id=same, p_location_id=place, p_lines=[line(goods)])
        assert person.rpc("get_reservation", p_id=same)["location_id"] == str(place)
        done = person.rpc("release_reservation", p_id=new_id(), p_reservation_id=same)
        assert done["location_id"] == str(place)


@pytest.mark.parametrize(
    "change", ["expires_at = now() + interval '1 year'", "location_id = gen_random_uuid()"]
)
def test_a_reservation_stays_as_it_was_made(people: People, change: str) -> None:
    """Even for the owner of the tables: only its end is still to be written."""
    owner = Persona(people.connection, "postgres")
    held: UUID = people.world.teak.documents["reservation@BLR"]
    with raises("document_final", 409):
        owner.execute(f"update public.stock_reservations set {change} where id = %s", [held])  # noqa: S608
    with raises("document_final", 409):
        owner.execute("delete from public.stock_reservations where id = %s", [held])
    for table in ("stock_reservation_lines", "stock_reservation_items"):
        with raises("append_only", 403):
            owner.execute(f"update public.{table} set quantity = 9")  # noqa: S608
        with raises("append_only", 403):
            owner.execute(f"truncate public.{table} cascade")


def test_only_an_order_holds_goods_for_an_order(people: People) -> None:
    """A reservation cannot pass itself off as one; a quotation that it names is the branch's own."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    made = confirmed(people, line(sofa, 1))
    offer = approved(people, line(sofa, 1))
    before = traces(people.connection)
    for owner in (made["id"], new_id()):
        with raises("invalid_input", 400) as refusal:
            reserve(
                people.as_cashier(), world.blr.showroom, line(sofa), document="sales_order", document_id=owner
            )
        assert refusal.facts["field"] == "document"
    with raises("not_found", 404):
        reserve(
            people.as_cashier(), world.blr.showroom, line(sofa), document="quotation", document_id=new_id()
        )
    with raises("not_found", 404):
        reserve(
            people.as_cashier(world.mum),
            world.mum.showroom,
            line(sofa),
            document="quotation",
            document_id=offer["id"],
        )
    assert traces(people.connection) == before
    held = reserve(
        people.as_cashier(), world.blr.showroom, line(sofa), document="quotation", document_id=offer["id"]
    )
    assert (held["document"], held["document_id"]) == ("quotation", offer["id"])
