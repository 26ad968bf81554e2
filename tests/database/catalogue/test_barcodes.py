"""Barcodes: check digits, several codes of a variant, GTINs in any notation, codes of the house's own."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.database.schema import ask
from tests.support.personas import Connection, new_id, raises, raises_sqlstate
from tests.support.world import People

ADD = "insert into public.variant_barcodes (org_id, variant_id, code, kind) values (%s, %s, %s, %s)"


def add(people: People, key: str, code: str, kind: str | None = None) -> int:
    """Give a variant of Teak & Thread another code."""
    teak = people.world.teak
    return people.as_stockkeeper().execute(ADD, [teak.id, teak.variants[key], code, kind])


def codes(people: People, key: str) -> dict[str, str]:
    """The codes of a variant with their kinds."""
    rows = people.as_cashier().select(
        "select code, kind from public.variant_barcodes where variant_id = %s",
        [people.world.teak.variants[key]],
    )
    return {row["code"]: row["kind"] for row in rows}


def primary(people: People, key: str, code: str | None) -> int:
    """Set the code on the label."""
    return people.as_stockkeeper().execute(
        "update public.product_variants set barcode = %s where id = %s",
        [code, people.world.teak.variants[key]],
    )


def check_digit(digits: str) -> str:
    """GS1's check digit, worked out as the standard's table does: weights by position from the right."""
    total = sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits)))
    return str(-total % 10)


# Published examples: GS1's own (629104150021-3), an EAN-8, a UPC-A, an ISBN, a pencil.
PUBLISHED = ["6291041500213", "73513537", "036000291452", "9783161484100", "4006381333931", "10614141000415"]


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_codes_are_true(people: People, code: str) -> None:
    """They are accepted, and no other last digit is."""
    people.connection.execute("delete from public.variant_barcodes where org_id = %s", [people.world.teak.id])
    for digit in "0123456789":
        if digit == code[-1]:
            assert add(people, "lamp", code) == 1
        else:
            with raises("barcode_check_digit", 422) as refusal:
                add(people, "lamp", code[:-1] + digit)
            assert refusal.facts["expected"] == code[-1]


@given(digits=st.one_of(*(st.text("0123456789", min_size=n, max_size=n) for n in (7, 11, 12, 13))))
def test_check_digits_of_any_code(worker_connection: Connection, digits: str) -> None:
    """The database's arithmetic is the standard's; one mistyped digit or a swapped pair is found."""
    [(digit,)] = ask(worker_connection, "select private.gtin_check_digit(%s)", [digits])
    assert digit == check_digit(digits)
    for place, old in enumerate(digits):
        other = digits[:place] + str((int(old) + 1) % 10) + digits[place + 1 :]
        assert check_digit(other) != digit


def test_kinds_follow_from_the_code(people: People) -> None:
    """GTIN, the restricted range 20 to 29, and anything else; `other` is taken as it is."""
    for code in ("4006381333931", "2000000000015", "SHELF-7", "12345"):
        add(people, "lamp", code)
    add(people, "lamp", "4006381333930", "other")
    assert codes(people, "lamp") == {
        "4006381333931": "gtin",
        "2000000000015": "internal",
        "SHELF-7": "other",
        "12345": "other",
        "4006381333930": "other",
    }
    with raises("invalid_input", 400):
        add(people, "lamp", "12", "gtin")
    with raises_sqlstate("23514"):
        add(people, "lamp", " ")


def test_a_gtin_is_the_same_in_every_notation(people: People) -> None:
    """A UPC-A is the EAN-13 with a zero before it: neither another variant nor a second row may have it."""
    for code in ("036000291452", "0036000291452", "00036000291452"):
        with raises_sqlstate("23505"):
            add(people, "lamp", code)
        with raises_sqlstate("23505"):
            primary(people, "lamp", code)
    assert primary(people, "sofa", "0036000291452") == 1
    assert codes(people, "sofa") == {"0036000291452": "gtin"}


def test_the_label_is_one_of_the_codes(people: People) -> None:
    """A new primary code joins, the old one stays; only what is not on the label can be removed."""
    primary(people, "lamp", "4006381333931")
    primary(people, "lamp", "73513537")
    assert codes(people, "lamp") == {"4006381333931": "gtin", "73513537": "gtin"}
    remove = "delete from public.variant_barcodes where code = %s"
    with raises("in_use", 409):
        people.as_stockkeeper().execute(remove, ["73513537"])
    assert people.as_cashier().execute(remove, ["4006381333931"]) == 0
    assert people.as_stockkeeper().execute(remove, ["4006381333931"]) == 1
    primary(people, "lamp", None)
    assert codes(people, "lamp") == {"73513537": "gtin"}
    assert people.as_stockkeeper().execute(remove, ["73513537"]) == 1
    with raises("barcode_check_digit", 422):
        primary(people, "lamp", "4006381333932")


def test_a_code_has_one_owner_in_the_business(people: People) -> None:
    """As the label or beside it; two businesses may sell the same thing."""
    add(people, "lamp", "SHELF-7")
    with raises_sqlstate("23505"):
        primary(people, "sofa", "SHELF-7")
    with raises_sqlstate("23505"):
        add(people, "sofa", "SHELF-7")
    lagoon = people.world.lagoon
    assert (
        people.as_foreign_admin().execute(ADD, [lagoon.id, lagoon.variants["filter"], "SHELF-7", None]) == 1
    )
    with raises_sqlstate("42501"):
        people.as_foreign_admin().execute(
            ADD, [people.world.teak.id, people.world.teak.variants["lamp"], "MINE", None]
        )
    with raises_sqlstate("23503"):
        people.as_stockkeeper().execute(
            ADD, [people.world.teak.id, lagoon.variants["filter"], "THEIRS", None]
        )


def _generate(people: People, key: str, event: UUID | None = None) -> Any:
    return people.as_stockkeeper().rpc(
        "generate_barcode", p_id=event or new_id(), p_variant_id=people.world.teak.variants[key]
    )


def test_generated_codes_are_ean13_of_the_house(people: People) -> None:
    """Prefix 20, running number, true check digit; the first becomes the label; taken numbers are skipped."""
    first = _generate(people, "lamp")
    assert first["code"] == "200000000001" + check_digit("200000000001")
    assert (first["kind"], first["primary"]) == ("internal", True)
    taken = "200000000002" + check_digit("200000000002")
    add(people, "sofa", taken)
    second = _generate(people, "lamp")
    assert second["code"] == "200000000003" + check_digit("200000000003")
    assert second["primary"] is False
    assert set(codes(people, "lamp")) == {first["code"], second["code"]}


def test_a_repeated_call_gives_the_same_code(people: People) -> None:
    """Other content is 409; a code that was removed is not there any more."""
    event = new_id()
    first = _generate(people, "lamp", event)
    assert _generate(people, "lamp", event) == first
    assert list(codes(people, "lamp")) == [first["code"]]
    with raises("id_reused", 409):
        _generate(people, "sofa", event)
    primary(people, "lamp", None)
    people.as_stockkeeper().execute("delete from public.variant_barcodes where id = %s", [event])
    with raises("not_found", 404):
        _generate(people, "lamp", event)
    with raises("invalid_input", 400):
        people.as_stockkeeper().rpc(
            "generate_barcode", p_id=None, p_variant_id=people.world.teak.variants["lamp"]
        )


def test_another_houses_id_says_nothing(people: People) -> None:
    """Whether some house uses an id is none of another's business: the same id serves both."""
    event, world = new_id(), people.world
    theirs = people.as_foreign_admin().rpc(
        "generate_barcode", p_id=event, p_variant_id=world.lagoon.variants["chlorine"]
    )
    ours = _generate(people, "lamp", event)
    assert (theirs["id"], ours["id"]) == (str(event), str(event))
    assert (theirs["org_id"], ours["org_id"]) == (str(world.lagoon.id), str(world.teak.id))
    assert _generate(people, "lamp", event) == ours
    taken = new_id()
    people.as_stockkeeper().execute(
        "insert into public.variant_barcodes (id, org_id, variant_id, code) values (%s, %s, %s, 'SHELF-1')",
        [taken, world.teak.id, world.teak.variants["lamp"]],
    )
    with raises("id_reused", 409):
        _generate(people, "lamp", taken)
