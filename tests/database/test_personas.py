"""The helpers that all these tests stand on do what they say."""

from decimal import Decimal
from uuid import UUID

from tests.support.personas import to_json
from tests.support.world import People


def test_a_persona_is_who_the_claims_say(people: People) -> None:
    """The database sees the persona's role and user, and afterwards the owner again."""
    cashier = people.as_cashier()
    assert cashier.select("select current_user::text as role, auth.uid() as id") == [
        {"role": "authenticated", "id": cashier.user_id}
    ]
    assert people.as_anon().select("select current_user::text as role, auth.uid() as id") == [
        {"role": "anon", "id": None}
    ]
    assert people.connection.execute("select current_user::text, auth.uid()").fetchone() == ("postgres", None)


def test_json_keeps_every_digit() -> None:
    """Decimals are written as numbers of the same digits; uuids as strings."""
    value = {"a": [Decimal("1.10"), None, True, 'x"'], "b": UUID(int=1)}
    assert to_json(value) == '{"a":[1.10,null,true,"x\\""],"b":"00000000-0000-0000-0000-000000000001"}'
