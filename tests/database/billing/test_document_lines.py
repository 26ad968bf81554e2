"""The lines of all sales documents have the same typed columns, one writer and one reader."""

import pytest

from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.support.personas import Connection
from tests.support.world import People

TABLES = ("quotation_lines", "sales_order_lines", "delivery_lines", "invoice_lines", "credit_note_lines")
# A credit note gives back what was paid, whichever offer lowered it.
MISSING = {"credit_note_lines": {"offers"}}


def _columns(owner: Connection, table: str) -> dict[str, str]:
    """Columns and their types."""
    rows = owner.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        [table],
    ).fetchall()
    return dict(rows)


@pytest.mark.parametrize("table", TABLES)
def test_columns(owner: Connection, table: str) -> None:
    """Each has the columns of a document's line, of the same types, and keeps no line as JSON."""
    line, columns = _columns(owner, "private.document_line"), _columns(owner, f"public.{table}")
    missing = MISSING.get(table, set())
    assert {name: kind for name, kind in line.items() if name not in missing}.items() <= columns.items()
    assert "line" not in columns


def test_one_writer(owner: Connection) -> None:
    """Only private.write_lines writes them; the till writes its own rows, which it has as rows already."""
    rows = owner.execute(
        "select p.proname, t from pg_proc p cross join unnest(%s::text[]) t "
        "where p.prosrc ~ ('insert into public[.]' || t)",
        [list(TABLES)],
    ).fetchall()
    assert rows == [("post_sale", "invoice_lines")]


def test_a_line_keeps_what_it_was(people: People) -> None:
    """From the quotation to the order the line is the same, to the last digit."""
    world = people.world
    admin = people.as_user(world.teak.users["admin"])
    place = Place(world, world.teak, world.blr)
    quoted = admin.rpc("save_quotation", **ACTS["save_quotation"].arguments(place))
    for act in ("send_quotation", "approve_quotation"):
        admin.rpc(act, **(ACTS[act].arguments(place) | {"p_quotation_id": quoted["id"]}))
    ordered = admin.rpc(
        "convert_quotation", **(ACTS["convert_quotation"].arguments(place) | {"p_quotation_id": quoted["id"]})
    )
    assert quoted["lines"]
    for before, after in zip(quoted["lines"], ordered["lines"], strict=True):
        assert {name: after[name] for name in before} == before
