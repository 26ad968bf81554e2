"""The documents of the stock rooms in each of their statuses, and every act on them."""

from typing import Any
from uuid import UUID

from tests.database.lifecycle_kinds import Kind, Make, Step, act, rpc, without_lifecycle
from tests.database.moving import draft, reserve
from tests.database.sales import line, pay, sell
from tests.support.personas import new_id
from tests.support.world import People


def _part(people: People, made: UUID) -> object:
    parts = [{"item_no": 1, "received": 1}]
    return people.as_admin().rpc("receive_transfer", p_id=new_id(), p_transfer_id=made, p_lines=parts)


def _transfer(*steps: Step) -> Make:
    """Three books on their way from the showroom to the warehouse."""

    def make(people: People) -> Any:
        here = people.world.blr
        books = line(people.world.teak.variants["book"], 3)
        made = draft(people.as_admin(), here.showroom, here.warehouse, books)
        for step in steps:
            step(people, made["id"])
        return made["id"]

    return make


_dispatch = rpc("dispatch_transfer", "p_transfer_id")
_receive = rpc("receive_transfer", "p_transfer_id")
_cancel_transfer = rpc("cancel_transfer", "p_transfer_id", p_reason="The van broke down")

TRANSFER = Kind(
    "stock_transfers",
    {
        "draft": _transfer(),
        "dispatched": _transfer(_dispatch),
        "partially_received": _transfer(_dispatch, _part),
        "received": _transfer(_dispatch, _receive),
        "cancelled": _transfer(_cancel_transfer),
    },
    {
        "dispatch": act("dispatched", "transfer.manage")(_dispatch),
        "receive a part": act("partially_received", "transfer.receive", stays="partially_received")(_part),
        "receive": act("received", "transfer.receive")(_receive),
        "cancel": act("cancelled", "transfer.manage")(_cancel_transfer),
    },
)


def _count(*steps: str) -> Make:
    """A count of the books in the showroom, which finds one too few."""

    def make(people: People) -> Any:
        made, book = new_id(), people.world.teak.variants["book"]
        people.as_admin().rpc(
            "start_count",
            p_id=made,
            p_location_id=people.world.blr.showroom,
            p_kind="cycle",
            p_options={"variant_ids": [book]},
        )
        _enter(people, made)
        for step in steps:
            people.as_admin().rpc(step, p_id=new_id(), p_count_id=made)
        return made

    return make


def _enter(people: People, made: UUID) -> object:
    entry = line(people.world.teak.variants["book"], 1)
    return people.as_admin().rpc("record_count", p_id=new_id(), p_count_id=made, p_lines=[entry])


COUNT = Kind(
    "stock_counts",
    {
        "counting": _count(),
        "submitted": _count("submit_count"),
        "approved": _count("submit_count", "approve_count"),
        "posted": _count("submit_count", "approve_count", "post_count"),
        "cancelled": _count("cancel_count"),
    },
    {
        "enter": act("counting", stays="counting")(_enter),
        "submit": act("submitted", "count.manage")(rpc("submit_count", "p_count_id")),
        "recount": act("counting", "count.manage")(rpc("recount", "p_count_id")),
        "approve": act("approved", "count.approve")(rpc("approve_count", "p_count_id")),
        "post": act("posted", "count.approve")(rpc("post_count", "p_count_id")),
        "cancel": act("cancelled", "count.manage")(rpc("cancel_count", "p_count_id")),
    },
)


def _reserved(people: People) -> Any:
    return reserve(people.as_admin(), people.world.blr.showroom, line(people.world.teak.variants["book"]))[
        "id"
    ]


def _expire(people: People, made: UUID) -> None:
    without_lifecycle(people, "stock_reservations", "expires_at = now() - interval '1 minute'", made)
    people.connection.execute("select sum(private.expire_reservations(o.id)) from public.organizations o")


def _sell_it(people: People, made: UUID) -> object:
    book = line(people.world.teak.variants["book"])
    return sell(people.as_admin(), people.world.blr, book, payments=[pay(99)], reservation_id=made)


def _then(step: Step) -> Make:
    def make(people: People) -> Any:
        made = _reserved(people)
        step(people, made)
        return made

    return make


_release = rpc("release_reservation", "p_reservation_id")

RESERVATION = Kind(
    "stock_reservations",
    {
        "active": _reserved,
        "released": _then(_release),
        "fulfilled": _then(_sell_it),
        "expired": _then(_expire),
    },
    {
        "release": act("released", "stock.reserve")(_release),
        "sell": act("fulfilled", "sale.create")(_sell_it),
    },
)
