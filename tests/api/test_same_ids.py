"""Somebody who runs two organisations that have the same id: the header X-Organization says which."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import People, Person, found_organization
from tests.api.support import assert_problem


@pytest.fixture(scope="module")
def owner(people: People) -> tuple[Person, UUID, UUID, str]:
    """The person, both organisations, and the id of a customer whom both have."""
    person, same = people.make("owner"), str(uuid4())
    first, second = (found_organization(person, name) for name in ("Oak", "Elm"))
    for org_id, name in ((first, "Asha at Oak"), (second, "Asha at Elm")):
        person.post("/v1/customers", {"id": same, "org_id": org_id, "name": name})
    return person, first, second, same


def _name(person: Person, path: str, org_id: UUID) -> Any:
    return person.http.get(path, headers={"X-Organization": str(org_id)}).json()["name"]


def test_reading_and_changing(owner: tuple[Person, UUID, UUID, str]) -> None:
    """Without the header nothing is shown and nothing changed; with it, one of the two."""
    person, first, second, same = owner
    path = f"/v1/customers/{same}"
    assert_problem(person.http.get(path), 409, "ambiguous_id")
    assert_problem(person.send("PATCH", path, {"notes": "x"}), 409, "ambiguous_id")
    assert_problem(person.http.delete(path), 409, "ambiguous_id")
    assert (_name(person, path, first), _name(person, path, second)) == ("Asha at Oak", "Asha at Elm")
    changed = person.send("PATCH", path, {"name": "Asha of Elm"}, **{"X-Organization": str(second)})
    assert changed.status_code == 200, changed.text
    assert (_name(person, path, first), _name(person, path, second)) == ("Asha at Oak", "Asha of Elm")


def test_acts(owner: tuple[Person, UUID, UUID, str]) -> None:
    """The header reaches the database's functions, too; what is no id is refused, another's finds nothing."""
    person, first, _, same = owner
    path = f"/v1/customers/{same}/points"
    problem = assert_problem(person.http.get(path), 409, "ambiguous_id")
    assert str(first) in problem["organizations"]
    assert person.http.get(path, headers={"X-Organization": str(first)}).status_code == 200
    assert_problem(person.http.get(path, headers={"X-Organization": "oak"}), 400, "invalid_input")
    assert_problem(person.http.get(path, headers={"X-Organization": str(uuid4())}), 404, "not_found")
