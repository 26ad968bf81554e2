"""The proofs: all is well where only acts have touched anything, and each finds a row that was corrupted."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from collections.abc import Callable
from typing import Any

import pytest

from tests.database.billing.trading import confirmed
from tests.database.sales import line, sell
from tests.support.personas import raises, raises_sqlstate
from tests.support.world import People

PROOFS = {"ledger", "overdraft", "serials", "lots", "reservations", "transit", "money"}


def check(people: People) -> dict[str, dict[str, Any]]:
    """What the proofs found, by their names."""
    answer = people.as_admin().rpc("check_integrity", p_org_id=people.world.teak.id)
    checks = {found["proof"]: found for found in answer["checks"]}
    assert answer["passed"] == all(found["passed"] for found in checks.values())
    return checks


def test_all_is_well_in_a_business_that_only_acts_have_touched(people: People) -> None:
    checks = check(people)
    assert set(checks) == PROOFS
    assert all(found["passed"] and found["sample"] == [] for found in checks.values())


def test_what_was_found_is_kept_and_read_by_whom_it_concerns(people: People) -> None:
    query = "select distinct run_id from public.integrity_checks where org_id = %s"
    before = len(people.as_admin().select(query, [people.world.teak.id]))
    check(people)
    check(people)
    assert len(people.as_admin().select(query, [people.world.teak.id])) == before + 2
    for other in (
        people.as_cashier(),
        people.as_stockkeeper(),
        people.as_foreign_admin(),
        people.as_nobody(),
    ):
        assert other.select(query, [people.world.teak.id]) == []
    (row,) = people.as_admin().select("select distinct requested_by, passed from public.integrity_checks")
    assert row == {"requested_by": people.as_admin().user_id, "passed": True}


def test_only_who_holds_audit_read_runs_the_proofs(people: People) -> None:
    count = "select count(*) from public.integrity_checks"
    before = people.connection.execute(count).fetchone()
    with raises("permission_denied", 403):
        people.as_stockkeeper().rpc("check_integrity", p_org_id=people.world.teak.id)
    with raises("not_found", 404):
        people.as_foreign_admin().rpc("check_integrity", p_org_id=people.world.teak.id)
    assert people.connection.execute(count).fetchone() == before


@pytest.mark.parametrize("statement", ["update {} set findings = 0", "delete from {}", "truncate {}"])
def test_findings_are_never_changed(people: People, statement: str) -> None:
    check(people)
    with raises("append_only", 403), people.connection.transaction():
        people.connection.execute(statement.format("public.integrity_checks"))
    with raises_sqlstate("42501"):
        people.as_admin().execute(statement.format("public.integrity_checks"))


Corrupt = Callable[..., None]


@pytest.fixture
def corrupt(people: People) -> Corrupt:
    """Runs a statement as nobody may: constraints dropped, triggers off, until the test rolls back."""
    owner, teak, blr = people.connection, people.world.teak, people.world.blr
    facts = {key: teak.variants[key] for key in ("sofa", "phone", "paint")}
    order = confirmed(people, line(teak.variants["lamp"], 2))
    facts |= {"org": teak.id, "shop": blr.showroom, "store": blr.warehouse, "order": order["id"]}
    facts["lamp"] = teak.variants["lamp"]

    def run(statement: str, *drop: str) -> None:
        for constraint in drop:
            table, name = constraint.split(".")
            owner.execute(f"alter table public.{table} drop constraint {name}")
        tables = owner.execute(
            "select distinct tgrelid::regclass::text from pg_trigger t join pg_class c on c.oid = t.tgrelid "
            "where not t.tgisinternal and c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            owner.execute(f"alter table {table} disable trigger user")
        assert owner.execute(statement, facts).rowcount > 0, "the corruption touched nothing"
        for (table,) in tables:
            owner.execute(f"alter table {table} enable trigger user")

    return run


LEVEL = "where org_id = %(org)s and location_id = %(shop)s and variant_id ="
SOFA_CAME = "where org_id = %(org)s and variant_id = %(sofa)s and to_location_id = %(shop)s"
BLR_1 = "where org_id = %(org)s and serial = 'BLR-1'"

# What was corrupted, the constraints that stand in the way, the proofs that must find it and no others.
CORRUPTIONS: dict[str, tuple[str, tuple[str, ...], set[str]]] = {
    "a level lies": (
        f"update public.stock_levels set on_hand = on_hand + 1 {LEVEL} %(sofa)s",
        (),
        {"ledger"},
    ),
    "a level is gone": (f"delete from public.stock_levels {LEVEL} %(sofa)s", (), {"ledger"}),
    "a movement was changed": (
        f"update public.stock_movements set quantity = quantity + 1 {SOFA_CAME}",
        (),
        {"ledger"},
    ),
    "a movement is gone, and what was sold was never there": (
        f"delete from public.stock_movements {SOFA_CAME}",
        (),
        {"ledger", "overdraft"},
    ),
    "a level is below zero, and so is the ledger": (
        """
        with m as (
          insert into public.stock_movements (org_id, variant_id, from_location_id, to_location_id, quantity,
            unit_cost, document, document_id, occurred_at)
          select %(org)s, %(sofa)s, %(shop)s, l.id, 100, 0, 'stock_adjustment', gen_random_uuid(), now()
          from public.locations l where l.org_id = %(org)s and l.kind = 'adjustment'
          returning quantity)
        update public.stock_levels s set on_hand = on_hand - m.quantity from m
        where s.org_id = %(org)s and s.location_id = %(shop)s and s.variant_id = %(sofa)s
        """,
        ("stock_levels.on_hand_not_negative", "stock_levels.reserved_within_on_hand"),
        {"overdraft"},
    ),
    "more is promised than there is": (
        f"update public.stock_levels set reserved = on_hand + 1 {LEVEL} %(sofa)s",
        ("stock_levels.reserved_within_on_hand",),
        {"overdraft", "reservations"},
    ),
    "more is on the road than will come": (
        f"update public.stock_levels set in_transit = 1 {LEVEL} %(sofa)s",
        ("stock_levels.in_transit_within_incoming",),
        {"overdraft", "transit"},
    ),
    "a piece is elsewhere": (
        f"update public.stock_units set location_id = %(store)s {BLR_1}",
        (),
        {"serials"},
    ),
    "a piece is gone": (f"delete from public.stock_units {BLR_1}", (), {"serials"}),
    "a piece has another number": (f"update public.stock_units set serial = 'X' {BLR_1}", (), {"serials"}),
    "a piece on the shelf is called sold": (
        f"update public.stock_units set status = 'sold' {BLR_1}",
        (),
        {"serials"},
    ),
    "a lot lies": (f"update public.batch_levels set on_hand = on_hand + 1 {LEVEL} %(paint)s", (), {"lots"}),
    "two lots lie and their sum does not": (
        """
        update public.batch_levels l set on_hand = l.on_hand + case b.code when 'BLR-OLD' then 1 else -1 end
        from public.batches b where b.id = l.batch_id and l.org_id = %(org)s and l.location_id = %(shop)s
        """,
        (),
        {"lots"},
    ),
    "a lot is gone": (f"delete from public.batch_levels {LEVEL} %(paint)s", (), {"lots"}),
    "less is reserved than is promised": (
        "update public.stock_levels set reserved = 0 where org_id = %(org)s and reserved > 0",
        (),
        {"reservations"},
    ),
    "a reservation has ended and given nothing back": (
        "update public.stock_reservations set status = 'released', ended_at = now() where org_id = %(org)s",
        (),
        {"reservations"},
    ),
    "a reservation holds something else": (
        "update public.stock_reservation_items set quantity = quantity + 1 where org_id = %(org)s",
        (),
        {"reservations"},
    ),
    "an order is closed and its goods are still held": (
        "update public.sales_orders set status = 'closed', ended_at = now() where id = %(order)s",
        (),
        {"reservations"},
    ),
    "goods are held for an order that does not know": (
        "update public.sales_orders set reservation_id = null where id = %(order)s",
        (),
        {"reservations"},
    ),
    "an order holds more than it has to deliver": (
        f"""
        with i as (
          update public.stock_reservation_items i set quantity = i.quantity + 1
          from public.stock_reservations r
          where r.id = i.reservation_id and r.document_id = %(order)s)
        update public.stock_levels set reserved = reserved + 1 {LEVEL} %(lamp)s
        """,
        (),
        {"reservations"},
    ),
    "an order takes another's goods for its own": (
        """
        update public.sales_orders set reservation_id = (
          select id from public.stock_reservations where org_id = %(org)s and document = 'manual' limit 1)
        where org_id = %(org)s and id <> %(order)s and status = 'confirmed'
        """,
        (),
        {"reservations"},
    ),
    "more is awaited than is on its way": (
        f"update public.stock_levels set incoming = incoming + 1 {LEVEL} %(sofa)s",
        (),
        {"transit"},
    ),
    "a transfer is closed and its goods are still on the road": (
        """
        update public.stock_transfers set status = 'received', received_at = now()
        where org_id = %(org)s and status = 'partially_received'
        """,
        (),
        {"transit"},
    ),
    "more was sent than is on the road": (
        """
        update public.stock_transfer_items i set quantity = i.quantity + 1 from public.stock_transfers t
        where t.id = i.transfer_id and i.org_id = %(org)s and t.status = 'partially_received'
        """,
        (),
        {"transit"},
    ),
    "nobody awaits what is on the road": (
        "update public.stock_levels set in_transit = 0 where org_id = %(org)s and in_transit > 0",
        (),
        {"transit"},
    ),
    "the road holds goods of no transfer": (
        """
        with road as (select id from public.locations where org_id = %(org)s and kind = 'transit'), m as (
          insert into public.stock_movements (org_id, variant_id, from_location_id, to_location_id, quantity,
            unit_cost, document, document_id, occurred_at)
          select %(org)s, %(sofa)s, %(shop)s, id, 1, 0, 'stock_transfer', gen_random_uuid(), now() from road),
        gone as (
          update public.stock_levels set on_hand = on_hand - 1
          where org_id = %(org)s and location_id = %(shop)s and variant_id = %(sofa)s)
        insert into public.stock_levels (org_id, location_id, variant_id, on_hand)
        select %(org)s, id, %(sofa)s, 1 from road
        """,
        (),
        {"transit"},
    ),
}


@pytest.mark.parametrize(("statement", "drop", "expected"), CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_each_proof_bites(
    people: People, corrupt: Corrupt, statement: str, drop: tuple[str, ...], expected: set[str]
) -> None:
    """No proof cries over another one's matter either."""
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"]))
    people.connection.execute("set constraints all immediate")
    corrupt(statement, *drop)
    checks = check(people)
    assert {proof for proof, found in checks.items() if not found["passed"]} == expected
    assert all(checks[proof]["sample"] for proof in expected)


def test_findings_are_counted_and_only_some_are_shown(people: People, corrupt: Corrupt) -> None:
    corrupt("update public.stock_levels set on_hand = on_hand + 1 where org_id = %(org)s")
    people.connection.execute(
        "insert into public.stock_levels (org_id, branch_id, location_id, variant_id, on_hand) "
        "select l.org_id, l.branch_id, l.id, v.id, 1 from public.locations l "
        "join public.product_variants v on v.org_id = l.org_id where l.org_id = %s and l.holds_stock "
        "on conflict do nothing",
        [people.world.teak.id],
    )
    found = check(people)["ledger"]
    assert found["findings"] > 20
    assert len(found["sample"]) == 20


def test_other_houses_are_left_out(people: People, corrupt: Corrupt) -> None:
    corrupt(f"update public.stock_levels set on_hand = on_hand + 1 {LEVEL} %(sofa)s")
    lagoon = people.as_foreign_admin().rpc("check_integrity", p_org_id=people.world.lagoon.id)
    assert lagoon["passed"]


def _check_everybody(people: People) -> None:
    """As the nightly job does, but for its transactions."""
    done = people.connection.execute(
        "select private.do_job('integrity', o) ->> 'ok' from unnest(private.begin_job('integrity')) o"
    ).fetchall()
    assert {row[0] for row in done} == {"true"}
    assert len(done) >= len({people.world.teak.id, people.world.lagoon.id})


def test_the_job_checks_everybody_and_health_tells_the_sum(people: People, corrupt: Corrupt) -> None:
    people.connection.execute("delete from private.integrity_state")
    health = people.as_anon().rpc("health")
    assert health["ok"] is True
    assert health["integrity"] == {"findings": 0, "checked_at": None}
    _check_everybody(people)
    assert people.as_anon().rpc("health")["integrity"]["checked_at"] is not None
    corrupt(f"update public.stock_levels set on_hand = on_hand + 1 {LEVEL} %(sofa)s")
    _check_everybody(people)
    assert people.as_anon().rpc("health")["integrity"]["findings"] == 1
    rows = people.connection.execute(
        "select distinct c.requested_by from public.integrity_checks c "
        "join private.integrity_state s using (run_id)"
    ).fetchall()
    assert rows == [(None,)]
    # Whoever may ask learns no more than the sum.
    assert set(people.as_anon().rpc("health")) == {"ok", "database_time", "integrity", "jobs"}
