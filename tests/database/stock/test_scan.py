"""Scanning: what a code stands for, whoever scans it; each look-up by an index."""

# Names put into statements come from this file, never from input.

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.database.sales import sell
from tests.support.personas import Connection, Persona, new_id, raises
from tests.support.world import People

EAN = "8901234567890"
UPC = "725272730706"


def _barcode(people: People, variant: str, code: str) -> None:
    people.connection.execute(
        "insert into public.variant_barcodes (org_id, variant_id, code) values (%s, %s, %s)",
        [people.world.teak.id, people.world.teak.variants[variant], code],
    )


def _scan(person: Persona, code: str, **where: UUID) -> list[Any]:
    found: dict[str, Any] = person.rpc("scan", p_code=code, **{f"p_{name}": at for name, at in where.items()})
    assert found["code"] == code.strip()
    matches: list[Any] = found["matches"]
    return matches


def _told(matches: list[Any]) -> list[tuple[str, str]]:
    return [(match["kind"], match["by"]) for match in matches]


def test_a_barcode_in_any_notation(people: People) -> None:
    _barcode(people, "sofa", EAN)
    _barcode(people, "lamp", UPC)
    cashier, world = people.as_cashier(), people.world
    for code in (EAN, f"0{EAN}", f" {EAN}\r\n"):
        (match,) = _scan(cashier, code)
        assert match["kind"] == "variant"
        assert match["by"] == "barcode"
        assert match["exact"]
        assert match["variant"]["id"] == str(world.teak.variants["sofa"])
        assert match["variant"]["product_name"] == "Sofa"
    for code in (UPC, f"0{UPC}", f"00{UPC}"):
        (match,) = _scan(cashier, code)
        assert match["variant"]["sku"] == "LAMP"
    with raises("not_found", 404):
        _scan(cashier, "8901234567891")


def test_the_code_on_the_label_comes_first(people: People) -> None:
    _barcode(people, "sofa", "CRATE-7")
    (match,) = _scan(people.as_cashier(), "CRATE-7")
    assert not match["primary"]
    people.as_admin().execute(
        "update public.product_variants set barcode = 'CRATE-7' where id = %s",
        [people.world.teak.variants["sofa"]],
    )
    assert _scan(people.as_cashier(), "CRATE-7")[0]["primary"]


def test_a_sku_is_found_also_in_small_letters(people: People) -> None:
    (exact,) = _scan(people.as_cashier(), "SOFA")
    (small,) = _scan(people.as_cashier(), "sofa")
    assert exact["exact"]
    assert not small["exact"]
    assert small["variant"] == exact["variant"]
    assert exact["variant"]["unit"] == "NOS"


def test_stock_is_that_of_the_callers_branches(people: People) -> None:
    world = people.world
    (match,) = _scan(people.as_cashier(), "LAMP")
    assert {level["branch_id"] for level in match["stock"]} == {str(world.blr.id)}
    level = next(row for row in match["stock"] if row["location_id"] == str(world.blr.showroom))
    assert level["available"] == level["on_hand"] - level["reserved"]
    (everywhere,) = _scan(people.as_admin(), "LAMP")
    assert {row["branch_id"] for row in everywhere["stock"]} == {str(world.blr.id), str(world.mum.id)}
    (here,) = _scan(people.as_admin(), "LAMP", branch_id=world.mum.id)
    assert {row["branch_id"] for row in here["stock"]} == {str(world.mum.id)}


def test_without_stock_read_one_learns_what_but_not_how_many(people: People, owner: Connection) -> None:
    owner.execute(
        "delete from public.role_permissions where org_id = %s and permission = 'stock.read'",
        [people.world.teak.id],
    )
    (match,) = _scan(people.as_cashier(), "SOFA")
    assert match["stock"] is None
    for code in ("BLR-1", "BLR-NEW"):
        with raises("not_found", 404):
            _scan(people.as_cashier(), code)


def test_without_catalogue_read_goods_are_unknown(people: People, owner: Connection) -> None:
    owner.execute(
        "delete from public.role_permissions where org_id = %s and permission = 'catalogue.read'",
        [people.world.teak.id],
    )
    with raises("not_found", 404):
        _scan(people.as_cashier(), "SOFA")
    with raises("not_found", 404):
        _scan(people.as_cashier(), f"bl:variant:{people.world.teak.variants['sofa']}")


def test_a_piece_by_its_number(people: People) -> None:
    world = people.world
    phone = world.teak.variants["phone"]
    for code, means in (("BLR-1", "serial"), (f"bl:unit:{phone}:BLR-1", "qr")):
        (match,) = _scan(people.as_cashier(), code)
        assert (match["kind"], match["by"]) == ("unit", means)
        assert match["unit"]["status"] == "in_stock"
        assert match["unit"]["location_id"] == str(world.blr.showroom)
        assert match["variant"]["sku"] == "PHONE"
        assert match["stock"][0]["on_hand"] == 3
        with raises("not_found", 404):
            _scan(people.as_cashier(world.mum), code)
        with raises("not_found", 404):
            _scan(people.as_foreign_admin(), code)


def test_a_number_of_two_things_gives_both(people: People) -> None:
    _barcode(people, "lamp", "BLR-1")
    matches = _scan(people.as_cashier(), "BLR-1")
    assert _told(matches) == [("variant", "barcode"), ("unit", "serial")]


def test_a_batch_by_its_code(people: People) -> None:
    world = people.world
    (match,) = _scan(people.as_cashier(), "BLR-OLD")
    assert _told([match]) == [("batch", "batch_code")]
    assert match["batch"]["expired"]
    assert [row["on_hand"] for row in match["batch"]["levels"]] == [5]
    again = _scan(people.as_cashier(), f"bl:batch:{match['batch']['id']}")
    assert again[0]["batch"] == match["batch"]
    (fresh,) = _scan(people.as_cashier(), "BLR-NEW")
    assert not fresh["batch"]["expired"]
    # That there is such a batch the whole house may know, where it lies only who is of the branch.
    assert _scan(people.as_cashier(world.mum), "BLR-OLD")[0]["batch"]["levels"] == []


def test_a_place_by_its_code(people: People, owner: Connection) -> None:
    world = people.world
    row = owner.execute("select code from public.locations where id = %s", [world.blr.showroom]).fetchone()
    assert row is not None
    (match,) = _scan(people.as_cashier(), row[0])
    assert match["location"]["id"] == str(world.blr.showroom)
    assert match["stock"] is None
    assert len(_scan(people.as_admin(), row[0])) == 2, "the same code in both branches"
    assert len(_scan(people.as_admin(), row[0], branch_id=world.mum.id)) == 1
    (match,) = _scan(people.as_cashier(), f"bl:location:{world.blr.showroom}")
    assert match["by"] == "qr"
    with raises("not_found", 404):
        _scan(people.as_cashier(), f"bl:location:{world.mum.showroom}")


def test_an_invoice_by_its_number(people: People, owner: Connection) -> None:
    world = people.world
    invoice = world.teak.invoices["BLR"]
    row = owner.execute("select number from public.invoices where id = %s", [invoice]).fetchone()
    assert row is not None

    def found(person: Persona) -> list[str]:
        # Each kind of document is numbered by itself: another may have the same number.
        try:
            matches = _scan(person, row[0])
        except psycopg.Error:
            return []
        documents = [match["document"] for match in matches]
        return [found["id"] for found in documents if found["document"] == "invoice"]

    assert found(people.as_cashier()) == [str(invoice)]
    for stranger in (people.as_cashier(world.mum), people.as_technician(), people.as_foreign_admin()):
        assert found(stranger) == []


def test_a_transfer_by_its_number_at_both_ends(people: People) -> None:
    world = people.world
    transfer = people.as_stockkeeper().rpc(
        "create_transfer",
        p_id=new_id(),
        p_from_location_id=world.blr.showroom,
        p_to_location_id=world.mum.showroom,
        p_lines=[{"variant_id": world.teak.variants["lamp"], "quantity": 1}],
    )
    sent = people.as_stockkeeper().rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=transfer["id"])
    for person in (people.as_technician(), people.as_cashier(world.mum)):
        documents = [match["document"] for match in _scan(person, sent["number"])]
        assert ("stock_transfer", sent["id"]) in [(one["document"], one["id"]) for one in documents]
    with raises("not_found", 404):
        _scan(people.as_foreign_admin(), sent["number"])


@pytest.mark.parametrize("kind", ["variant", "batch", "location", "unit"])
@pytest.mark.parametrize(
    "rest", ["", "x", "00000000-0000-0000-0000-000000000000", "-" * 36, "{id}:x", "{id}"]
)
def test_what_looks_like_ours_and_is_not(people: People, kind: str, rest: str) -> None:
    with raises("not_found", 404):
        _scan(people.as_admin(), f"bl:{kind}:{rest.format(id=new_id())}")


@pytest.mark.parametrize("code", ["", "  ", "\n", "x" * 201, None])
def test_no_code_at_all(people: People, code: str | None) -> None:
    with raises("invalid_input", 400) as refusal:
        people.as_admin().rpc("scan", p_code=code)
    assert refusal.facts["field"] == "p_code"


def test_an_organisation_or_branch_of_others(people: People) -> None:
    world = people.world
    with raises("not_found", 404):
        _scan(people.as_admin(), "SOFA", org_id=world.lagoon.id)
    with raises("not_found", 404):
        _scan(people.as_nobody(), "SOFA")
    (match,) = _scan(people.as_cashier(), "SOFA", branch_id=world.mum.id)
    assert match["stock"] == []


def test_somebody_of_two_houses_scans_at_one_till(people: People) -> None:
    """A code that both houses know: with the branch named, that of its house; without, both."""
    world, person = people.world, people.newcomer()
    for house, founder in ((world.teak, people.as_admin()), (world.lagoon, people.as_foreign_admin())):
        invitation = new_id()
        founder.rpc("invite_member", p_id=invitation, p_org_id=house.id, p_email=person.email, p_role="admin")
        person.rpc("accept_invitation", p_id=invitation)
        variant = next(iter(house.variants.values()))
        people.connection.execute(
            "insert into public.variant_barcodes (org_id, variant_id, code) values (%s, %s, %s)",
            [house.id, variant, EAN],
        )
    assert {match["org_id"] for match in _scan(person, EAN)} == {str(world.teak.id), str(world.lagoon.id)}
    for house, branch in ((world.teak, world.blr), (world.lagoon, world.lagoon.branches[0])):
        (match,) = _scan(person, EAN, branch_id=branch.id)
        assert match["org_id"] == str(house.id)
        assert {row["branch_id"] for row in match["stock"]} <= {str(branch.id)}
    with raises("not_found", 404):
        _scan(person, EAN, org_id=world.lagoon.id, branch_id=world.blr.id)


def test_availability_of_a_set_is_what_its_components_allow(people: People) -> None:
    world = people.world
    goods = world.teak.variants
    asked = [goods["suite"], goods["sofa"], goods["lamp"]]
    rows = people.as_cashier().rpc("availability", p_org_id=world.teak.id, p_variant_ids=asked)
    here = [row for row in rows if row["location_id"] == str(world.blr.showroom)]
    found = {row["variant_id"]: row for row in here}
    sofa, lamp, suite = (found[str(goods[key])] for key in ("sofa", "lamp", "suite"))
    assert suite["available"] == min(sofa["available"], lamp["available"] // 2)
    assert suite["location_code"] == sofa["location_code"]
    assert {row["branch_id"] for row in rows} == {str(world.blr.id)}


def test_a_set_is_only_where_all_its_components_have_been(people: People) -> None:
    world, place = people.world, new_id()
    people.as_admin().rpc(
        "create_location",
        p_id=place,
        p_branch_id=world.blr.id,
        p_code="ANNEX",
        p_name="Annex",
        p_kind="warehouse",
    )
    found = []
    for component in ("sofa", "lamp"):
        people.as_admin().rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=place,
            p_variant_id=world.teak.variants[component],
            p_quantity=3,
            p_reason="found",
        )
        asked = [world.teak.variants["suite"]]
        rows = people.as_cashier().rpc("availability", p_org_id=world.teak.id, p_variant_ids=asked)
        found.append([row["available"] for row in rows if row["location_id"] == str(place)])
    assert found == [[], [1]]


def test_what_has_expired_is_told_apart(people: People) -> None:
    """Five of ten litres are past their day: of five sets, two could be made of the others."""
    world, goods = people.world, people.world.teak.variants
    people.as_admin().execute(
        "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
        "values (%s, %s, %s, 2)",
        [world.teak.id, goods["suite"], goods["paint"]],
    )
    rows = people.as_cashier().rpc(
        "availability", p_org_id=world.teak.id, p_variant_ids=[goods[k] for k in ("paint", "suite", "sofa")]
    )
    here = {row["variant_id"]: row for row in rows if row["location_id"] == str(world.blr.showroom)}
    assert [
        (here[str(goods[k])]["available"], here[str(goods[k])]["expired"]) for k in ("paint", "sofa")
    ] == [
        (10, 5),
        (9, 0),
    ]
    suite = here[str(goods["suite"])]
    assert (suite["available"], suite["expired"]) == (5, 3)


@pytest.mark.parametrize("count", [0, 1001])
def test_availability_of_too_few_or_too_many(people: People, count: int) -> None:
    with raises("invalid_input", 400):
        people.as_admin().rpc("availability", p_org_id=people.world.teak.id, p_variant_ids=[new_id()] * count)


def test_availability_elsewhere(people: People) -> None:
    world = people.world
    asked = [world.teak.variants["sofa"]]
    for org_id, branch_id in (
        (world.lagoon.id, None),
        (world.teak.id, world.mum.id),
        (world.teak.id, new_id()),
    ):
        with raises("not_found", 404):
            people.as_cashier().rpc(
                "availability", p_org_id=org_id, p_variant_ids=asked, p_branch_id=branch_id
            )
    foreign = [world.lagoon.variants["pump"]]
    assert people.as_admin().rpc("availability", p_org_id=world.teak.id, p_variant_ids=foreign) == []


def test_the_history_of_a_piece(people: People) -> None:
    world = people.world
    phone = world.teak.variants["phone"]
    line = {"variant_id": phone, "quantity": 1, "serials": ["BLR-2"]}
    invoice = sell(people.as_cashier(), world.blr, line)
    people.as_cashier().rpc(
        "return_goods",
        p_id=new_id(),
        p_invoice_id=invoice["id"],
        p_location_id=world.blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 1, "serials": ["BLR-2"]}],
        p_reason="Screen cracked",
    )
    asked = {"p_org_id": world.teak.id, "p_variant_id": phone, "p_serial": "BLR-2"}
    history = people.as_cashier().rpc("serial_history", **asked)
    assert [event["event"] for event in history["events"]] == ["received", "sold", "returned"]
    assert history["events"][1]["number"] == invoice["number"]
    assert history["status"] == "in_stock"
    assert history["sku"] == "PHONE"
    blind = people.as_technician().rpc("serial_history", **asked)
    assert [event["number"] for event in blind["events"]] == [None] * 3
    for stranger in (people.as_cashier(world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            stranger.rpc("serial_history", **asked)
    with raises("not_found", 404):
        people.as_admin().rpc("serial_history", **asked | {"p_serial": "BLR-99"})


READ = """
  select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables
  where schemaname = 'public' and relname = any (%s)"""
TABLES = [
    "product_variants",
    "variant_barcodes",
    "stock_units",
    "batches",
    "batch_levels",
    "stock_levels",
    "locations",
    "invoices",
    "set_components",
]


def test_every_look_up_is_by_an_index(people: People, owner: Connection) -> None:
    """Among 5,000 variants, barcodes, pieces and batches no table is read through."""
    world = people.world
    owner.execute(
        "insert into public.product_variants (org_id, product_id, sku, name, barcode, price) "
        "select org_id, product_id, 'BULK-' || n, 'Bulk', 'BULK-CODE-' || n, 1 "
        "from public.product_variants, generate_series(1, 5000) n where id = %s",
        [world.teak.variants["sofa"]],
    )
    owner.execute(
        "insert into public.stock_levels (org_id, branch_id, location_id, variant_id, on_hand) "
        "select org_id, %s, %s, id, 1 from public.product_variants where sku like 'BULK-%%'",
        [world.blr.id, world.blr.showroom],
    )
    owner.execute(
        "insert into public.stock_units (org_id, variant_id, serial, location_id, branch_id, status) "
        "select org_id, id, 'SN-' || sku, %s, %s, 'in_stock' from public.product_variants "
        "where sku like 'BULK-%%'",
        [world.blr.showroom, world.blr.id],
    )
    owner.execute(
        "insert into public.batches (org_id, variant_id, code) select org_id, id, 'LOT-' || sku "
        "from public.product_variants where sku like 'BULK-%%'"
    )
    for table in ("product_variants", "variant_barcodes", "stock_levels", "stock_units", "batches"):
        owner.execute(f"analyze public.{table}")
    row = owner.execute(
        "select id from public.product_variants where sku = 'BULK-777' and org_id = %s", [world.teak.id]
    ).fetchone()
    assert row is not None
    for code in ("BULK-777", "BULK-CODE-777", "SN-BULK-777", "LOT-BULK-777", EAN, f"bl:variant:{row[0]}"):
        before = owner.execute(READ, [TABLES]).fetchone()
        if code == EAN:
            with raises("not_found", 404):
                _scan(people.as_cashier(), code)
        else:
            assert _scan(people.as_cashier(), code)
        after = owner.execute(READ, [TABLES]).fetchone()
        assert before is not None
        assert after is not None
        assert after[0] - before[0] < 500, (code, after[0] - before[0])
