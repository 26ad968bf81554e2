"""Two organisations that have every id in common: no act takes one's row for the other's, nor guesses.

The acts and their arguments are those of the matrix, so an act that is added is tried here too.
"""

from typing import Any

import psycopg
import pytest

from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.support.personas import Connection, Persona, raises
from tests.support.twins import Twin, make_twin
from tests.support.world import People

# Acts that take neither an organisation nor a branch, and still need not be told which, with the reason.
NOTHING_TO_TELL = {
    "health": "is of everybody",
    "whoami": "is of the caller himself",
    "my_invitations": "is of the caller himself",
    "create_organization": "makes one",
    "accept_invitation": "an invitation's id is unique everywhere",
    "revoke_invitation": "an invitation's id is unique everywhere",
    "quote_credit": "reckons, and reads nothing of any organisation",
}
# Acts whose row the twin lacks (tests/support/twins.py).
NOT_TWINNED = {"close_shift", "move_cash", "shift_report", "open_shift"}


@pytest.fixture
def twin(people: People) -> Twin:
    """Teak & Thread's twin; gone at the end of the test."""
    return make_twin(people.connection, people.world.teak)


def _place(people: People) -> Place:
    return Place(people.world, people.world.teak, people.world.blr)


def _acts(connection: Connection) -> dict[str, bool]:
    """Each act of the matrix, and whether its arguments say of which organisation it is."""
    rows = connection.execute(
        "select proname::text, proargnames && array['p_org_id', 'p_branch_id', 'p_branch_ids'] from pg_proc "
        "where pronamespace = 'public'::regnamespace"
    ).fetchall()
    return {name: bool(says) for name, says in rows if name in ACTS and ACTS[name].scope != "invited"}


def _outcome(person: Persona, act: str, arguments: dict[str, Any]) -> str:
    try:
        person.rpc(act, **arguments)
    except psycopg.Error as error:
        return str(error)
    return "allowed"


def test_an_id_that_two_houses_have_is_never_guessed(people: People, twin: Twin) -> None:
    """Who works for both is told so, with the two to choose from; an act that names a branch knows."""
    guessed = []
    for act, says in _acts(people.connection).items():
        if act in NOTHING_TO_TELL or act in NOT_TWINNED or says:
            continue
        with people.connection.transaction(force_rollback=True):
            outcome = _outcome(twin.both, act, ACTS[act].arguments(_place(people)))
        if not (
            "ambiguous_id" in outcome and str(twin.id) in outcome and str(people.world.teak.id) in outcome
        ):
            guessed.append((act, outcome))
    assert guessed == [], "\n".join(map(str, guessed))


def test_the_header_says_which(people: People, twin: Twin) -> None:
    """With X-Organization each act does what it does, in that organisation, and leaves the other alone."""
    connection, teak = people.connection, people.world.teak.id
    wrong = []
    for here, there in ((teak, twin.id), (twin.id, teak)):
        person = Persona(connection, "authenticated", twin.both.user_id, twin.both.email, organization=here)
        before = twin.rows(connection, there)
        for act, says in _acts(connection).items():
            if act in NOTHING_TO_TELL or act in NOT_TWINNED or says:
                continue
            with connection.transaction(force_rollback=True):
                arguments = ACTS[act].arguments(_place(people))
                outcome = _outcome(person, act, twin.of_twin(arguments) if here == twin.id else arguments)
                changed = [t for t, rows in twin.rows(connection, there).items() if rows != before[t]]
            if outcome != "allowed" or changed:
                wrong.append((act, outcome, changed))
    assert wrong == [], "\n".join(map(str, wrong))


def test_who_belongs_to_one_house_meets_no_other(people: People, twin: Twin) -> None:
    """For everybody else nothing is ambiguous, and no act touches a stranger's row of the same id."""
    admin = people.as_admin()
    before = twin.rows(people.connection)
    wrong = []
    for act in _acts(people.connection):
        if act in ("create_organization", "revoke_invitation"):
            continue
        with people.connection.transaction(force_rollback=True):
            outcome = _outcome(admin, act, ACTS[act].arguments(_place(people)))
            changed = [t for t, rows in twin.rows(people.connection).items() if rows != before[t]]
        if outcome != "allowed" or changed:
            wrong.append((act, outcome, changed))
    assert wrong == [], "\n".join(map(str, wrong))


def test_an_answer_shows_one_house_only(people: People, twin: Twin) -> None:
    """No answer to a member of one organisation holds the id of the other, nor of its branches."""
    others = [str(twin.id)] + [
        str(row[0])
        for row in people.connection.execute(
            "select id from public.branches where org_id = %s", [twin.id]
        ).fetchall()
    ]
    admin = people.as_admin()
    for act in _acts(people.connection):
        if act in ("create_organization", "revoke_invitation"):
            continue
        with people.connection.transaction(force_rollback=True):
            answer = str(admin.rpc(act, **ACTS[act].arguments(_place(people))))
        assert [other for other in others if other in answer] == [], act


def test_the_header_gives_no_right(people: People, twin: Twin) -> None:
    """Another's organisation in it finds nothing; what is no id is refused."""
    invoice = people.world.teak.invoices["BLR"]
    admin = people.as_admin()
    named = Persona(people.connection, "authenticated", admin.user_id, admin.email, organization=twin.id)
    with raises("not_found", 404):
        named.rpc("get_invoice", p_id=invoice)
    people.connection.execute("select set_config('request.headers', '{\"x-organization\": \"x\"}', true)")
    with raises("invalid_input", 400):
        people.connection.execute("select private.named_org()")
