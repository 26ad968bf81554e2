"""Short ways to reserve stock and to send it from place to place, for tests of stock."""

# Names put into statements come from this file, never from input.
# ruff: noqa: S608

from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tests.database.sales import Line, footprint
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import Branch, People

Document = dict[str, Any]
Quantity = Decimal | int


class Level(NamedTuple):
    """What a level says; all zero where there is none."""

    on_hand: Quantity
    reserved: Quantity
    incoming: Quantity
    in_transit: Quantity
    cost: Quantity


def level(connection: Connection, location: UUID, variant: UUID) -> Level:
    """A level, read past every policy."""
    row = connection.execute(
        "select on_hand, reserved, incoming, in_transit, average_cost from public.stock_levels "
        "where location_id = %s and variant_id = %s",
        [location, variant],
    ).fetchone()
    return Level(*(row or [Decimal(0)] * 5))


def transit(people: People) -> UUID:
    """Teak & Thread's transit location."""
    row = people.connection.execute(
        "select id from public.locations where org_id = %s and kind = 'transit'", [people.world.teak.id]
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def attic(people: People) -> UUID:
    """A place of the Bengaluru branch in which nothing ever lay, so that it can be archived."""
    made = new_id()
    people.as_admin().rpc(
        "create_location",
        p_id=made,
        p_branch_id=people.world.blr.id,
        p_code="ATTIC",
        p_name="Attic",
        p_kind="warehouse",
    )
    return made


def new_branch(people: People, code: str) -> tuple[UUID, UUID]:
    """A branch of Teak & Thread in which nothing has happened, and its showroom, SHOP."""
    branch, shop = new_id(), new_id()
    admin = people.as_admin()
    admin.rpc(
        "create_branch",
        p_id=branch,
        p_org_id=people.world.teak.id,
        p_code=code,
        p_name=code,
        p_options={"region_code": "29"},
    )
    admin.rpc(
        "create_location", p_id=shop, p_branch_id=branch, p_code="SHOP", p_name="Shop", p_kind="showroom"
    )
    return branch, shop


def archive(person: Persona, table: str, place: UUID) -> None:
    """Archive a location or a branch, as an app does it."""
    person.execute(f"update public.{table} set archived_at = now() where id = %s", [place])


def quarantine(people: People, branch: Branch) -> UUID:
    """A new quarantine of the branch."""
    made = new_id()
    people.as_admin().rpc(
        "create_location",
        p_id=made,
        p_branch_id=branch.id,
        p_code=f"Q-{branch.code}",
        p_name="Held back",
        p_kind="quarantine",
    )
    return made


def traces(connection: Connection) -> dict[str, object]:
    """What any act on stock would change; equal before and after means that nothing was written."""
    found: dict[str, object] = dict(footprint(connection))
    for table in (
        "stock_levels",
        "batch_levels",
        "stock_units",
        "stock_reservations",
        "stock_reservation_items",
        "stock_transfers",
        "stock_transfer_items",
        "stock_transfer_receipts",
        "stock_transfer_receipt_items",
    ):
        row = connection.execute(
            "select md5(coalesce(string_agg(to_jsonb(t)::text, '' order by to_jsonb(t)::text), '')) "
            f"from public.{table} t"
        ).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def reserve(person: Persona, location: UUID, *lines: Line, **options: object) -> Document:
    """Hold goods at a location."""
    done: Document = person.rpc(
        "reserve_stock", p_id=new_id(), p_location_id=location, p_lines=list(lines), p_options=options
    )
    return done


def draft(person: Persona, source: UUID, target: UUID, *lines: Line, **options: object) -> Document:
    """Draft a transfer."""
    done: Document = person.rpc(
        "create_transfer",
        p_id=new_id(),
        p_from_location_id=source,
        p_to_location_id=target,
        p_lines=list(lines),
        p_options=options,
    )
    return done


def dispatch(person: Persona, transfer: Document, *lines: dict[str, object]) -> Document:
    """Send a draft off."""
    done: Document = person.rpc(
        "dispatch_transfer",
        p_id=new_id(),
        p_transfer_id=transfer["id"],
        p_lines=list(lines) if lines else None,
    )
    return done


def receive(person: Persona, transfer: Document, *lines: dict[str, object], **options: object) -> Document:
    """Receive what the lines say, or without any all that is open."""
    done: Document = person.rpc(
        "receive_transfer",
        p_id=new_id(),
        p_transfer_id=transfer["id"],
        p_lines=list(lines) if lines else None,
        p_options=options,
    )
    return done


def cancel(person: Persona, transfer: Document, reason: str = "The van broke down") -> Document:
    """Call a transfer off."""
    done: Document = person.rpc(
        "cancel_transfer", p_id=new_id(), p_transfer_id=transfer["id"], p_reason=reason
    )
    return done


def sent(people: People, *lines: Line, **options: object) -> Document:
    """A transfer on its way from the showroom in Bengaluru to the one in Mumbai."""
    world, person = people.world, people.as_stockkeeper()
    return dispatch(person, draft(person, world.blr.showroom, world.mum.showroom, *lines, **options))
