"""Invitations, roles, revocation, and that nobody rises by his own hand."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People, User


def _invite(
    people: People, email: str, role: str = "cashier", by: Persona | None = None, **changed: Any
) -> UUID:
    invitation = new_id()
    arguments = {
        "p_id": invitation,
        "p_org_id": people.world.teak.id,
        "p_email": email,
        "p_role": role,
    } | changed
    (by or people.as_admin()).rpc("invite_member", **arguments)
    return invitation


def _set_role(people: People, member: Persona, role: str, by: Persona | None = None, **changed: Any) -> Any:
    arguments = {"p_org_id": people.world.teak.id, "p_user_id": member.user_id, "p_role": role} | changed
    return (by or people.as_admin()).rpc("set_member_role", **arguments)


def _deputy(people: People, *permissions: str, branches: list[UUID] | None = None) -> Persona:
    """A member whose custom role holds just these permissions."""
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="deputy",
        p_name="Deputy",
        p_permissions=list(permissions),
    )
    person = people.newcomer()
    person.rpc("accept_invitation", p_id=_invite(people, person.email or "", "deputy", p_branch_ids=branches))
    return person


def test_an_invitation_is_accepted_once(people: People) -> None:
    """The invited person joins with role and branches; pressing twice is harmless."""
    person = people.newcomer("New.Person@Example.com")
    invitation = _invite(
        people, "new.person@EXAMPLE.com", "sales_executive", p_branch_ids=[people.world.mum.id]
    )
    (waiting,) = person.rpc("my_invitations")
    assert (waiting["id"], waiting["organization"], waiting["role"]) == (
        str(invitation),
        "Teak & Thread",
        "Sales executive",
    )
    me = person.rpc("accept_invitation", p_id=invitation)
    (org,) = me["organizations"]
    assert (org["role"]["key"], org["all_branches"]) == ("sales_executive", False)
    assert [b["code"] for b in org["branches"]] == ["MUM"]
    assert person.rpc("accept_invitation", p_id=invitation) == me
    assert person.rpc("my_invitations") == []
    count = people.connection.execute(
        "select count(*) from public.memberships where user_id = %s", [person.user_id]
    )
    assert count.fetchone() == (1,)


def test_an_unconfirmed_address_opens_nothing(people: People) -> None:
    """Signing up under somebody's address is not owning it."""
    person = people.newcomer("victim@example.com", confirmed=False)
    invitation = _invite(people, "victim@example.com", "admin")
    assert person.rpc("my_invitations") == []
    with raises("not_found", 404):
        person.rpc("accept_invitation", p_id=invitation)


def test_another_persons_invitation_is_not_found(people: People) -> None:
    """Knowing the id is not enough, nor is a token that merely claims the address."""
    invitation = _invite(people, "somebody@example.com")
    people.newcomer("somebody@example.com")
    liar = people.as_user(User(people.world.nobody.id, "somebody@example.com"))
    for person in (people.as_nobody(), people.as_foreign_admin(), people.as_cashier(), liar):
        with raises("not_found", 404):
            person.rpc("accept_invitation", p_id=invitation)
    with raises("not_found", 404):
        people.as_nobody().rpc("accept_invitation", p_id=uuid4())
    with raises_sqlstate("42501"):
        people.as_anon().rpc("accept_invitation", p_id=invitation)


def test_inviting_again_under_the_same_id(people: People) -> None:
    """The same call changes nothing; other content is a conflict."""
    invitation = _invite(people, "a@example.com")
    _invite(people, "A@Example.com", p_id=invitation)
    with raises("id_reused", 409):
        _invite(people, "b@example.com", p_id=invitation)
    with raises("id_reused", 409):
        _invite(people, "a@example.com", "admin", p_id=invitation)


def test_malformed_invitations(people: People) -> None:
    """No such role, no such branch, no address."""
    with raises("not_found", 404):
        _invite(people, "a@example.com", "owner")
    for branches in ([], [uuid4()], [people.world.lagoon.branches[0].id], [people.world.blr.id, uuid4()]):
        with raises("not_found", 404):
            _invite(people, "a@example.com", p_branch_ids=branches)
    for email in ("", "nonsense", "a b@example.com", None):
        with raises("invalid_input", 400):
            _invite(people, "", p_email=email)


@pytest.mark.parametrize("role", ["cashier", "sales_executive", "inventory_manager", "technician"])
def test_only_user_managers_manage_users(people: People, role: str) -> None:
    """Everybody else is refused, for himself as for others."""
    person = people.as_role(role)
    with raises("permission_denied", 403):
        _invite(people, "a@example.com", by=person)
    with raises("permission_denied", 403):
        _set_role(people, person, "admin", by=person)
    with raises("permission_denied", 403):
        person.rpc(
            "save_role",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_key=role,
            p_name="X",
            p_permissions=["org.manage"],
        )


def test_strangers_manage_nobody(people: People) -> None:
    """Another business's admin has no rights here, and cannot pull members over by id."""
    for stranger in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            _invite(people, "a@example.com", by=stranger)
        with raises("not_found", 404):
            _set_role(people, people.as_cashier(), "technician", by=stranger)
    with raises("not_found", 404):
        _set_role(people, people.as_foreign_admin(), "technician")


def test_nobody_gives_more_than_he_holds(people: People) -> None:
    """A deputy with user.manage and role.manage can neither make himself admin nor touch one."""
    deputy = _deputy(people, "user.manage", "role.manage", "catalogue.read")
    with raises("permission_denied", 403):
        _set_role(people, deputy, "admin", by=deputy)
    with raises("permission_denied", 403):
        _invite(people, "friend@example.com", "admin", by=deputy)
    with raises("permission_denied", 403):
        _set_role(people, people.as_admin(), "deputy", by=deputy)
    with raises("permission_denied", 403):
        _set_role(people, people.as_cashier(), "deputy", by=deputy)
    with raises("permission_denied", 403) as refusal:
        deputy.rpc(
            "save_role",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_key="deputy",
            p_name="Deputy",
            p_permissions=["user.manage", "sale.create"],
        )
    assert refusal.facts["permission"] == "sale.create"
    assert _set_role(people, deputy, "deputy", by=deputy)["status"] == "active"


def test_nobody_gives_more_branches_than_he_covers(people: People) -> None:
    """A user manager of one branch gives out that branch only, and does not widen his own."""
    world = people.world
    deputy = _deputy(people, "user.manage", branches=[world.blr.id])
    for branches in (None, [world.mum.id], [world.blr.id, world.mum.id]):
        with raises("permission_denied", 403):
            _set_role(people, deputy, "deputy", by=deputy, p_branch_ids=branches)
        with raises("permission_denied", 403):
            _invite(people, "a@example.com", "deputy", by=deputy, p_branch_ids=branches)
    _invite(people, "a@example.com", "deputy", by=deputy, p_branch_ids=[world.blr.id])


def test_nobody_grants_a_larger_discount_than_his_own(people: People) -> None:
    """The discount limit is a right like the others: a deputy of 0 % makes no role of 100 %."""
    deputy = _deputy(people, "role.manage", "sale.create")
    with raises("permission_denied", 403):
        deputy.rpc(
            "save_role",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_key="deputy",
            p_name="Deputy",
            p_permissions=["role.manage", "sale.create"],
            p_max_discount_percent=100,
        )


def test_nobody_strips_a_role_above_his_own(people: People) -> None:
    """Changing a role that holds more than the caller does is as forbidden as giving it."""
    deputy = _deputy(people, "role.manage")
    with raises("permission_denied", 403):
        deputy.rpc(
            "save_role",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_key="cashier",
            p_name="X",
            p_permissions=[],
        )


def test_the_last_admin_stays(people: People) -> None:
    """He cannot be demoted, suspended, narrowed to a branch, or invited into less."""
    admin, world = people.as_admin(), people.world
    changes: list[tuple[str, dict[str, Any]]] = [
        ("cashier", {}),
        ("admin", {"p_suspended": True}),
        ("admin", {"p_branch_ids": [world.blr.id]}),
    ]
    for role, changed in changes:
        with raises("last_admin", 409):
            _set_role(people, admin, role, **changed)
    invitation = _invite(people, admin.email or "", "technician")
    with raises("last_admin", 409):
        admin.rpc("accept_invitation", p_id=invitation)
    second = people.newcomer()
    second.rpc("accept_invitation", p_id=_invite(people, second.email or "", "admin"))
    assert _set_role(people, admin, "cashier", by=second)["all_branches"] is True
    with raises("last_admin", 409):
        _set_role(people, second, "cashier", by=second)


def test_a_suspended_member_is_out_at_once(people: People) -> None:
    """He sees nothing, does nothing, and whoami knows no organisation; lifted, all is back."""
    world, cashier = people.world, people.as_cashier()
    _set_role(people, cashier, "cashier", p_branch_ids=[world.blr.id], p_suspended=True)
    assert cashier.rpc("whoami")["organizations"] == []
    for table in ("organizations", "branches", "products", "customers", "stock_levels", "invoices"):
        assert cashier.select(f"select 1 from public.{table}") == []
    with raises("not_found", 404):
        cashier.rpc("quote_sale", p_branch_id=world.blr.id, p_customer_id=None, p_lines=[])
    _set_role(people, cashier, "cashier", p_branch_ids=[world.blr.id])
    assert len(cashier.rpc("whoami")["organizations"]) == 1


def test_an_old_invitation_is_no_way_back(people: People) -> None:
    """What was decided about a member later counts more than an invitation from before."""
    person = people.newcomer()
    first, second = (_invite(people, person.email or "", "admin") for _ in range(2))
    person.rpc("accept_invitation", p_id=first)
    _set_role(people, person, "technician", p_suspended=True)
    with raises("not_found", 404):
        person.rpc("accept_invitation", p_id=second)
    assert person.rpc("whoami")["organizations"] == []


def test_an_invitation_can_be_taken_back(people: People) -> None:
    """Revoked, it is no longer found; accepted, it cannot be revoked."""
    person, admin = people.newcomer(), people.as_admin()
    invitation = _invite(people, person.email or "")
    for other in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            other.rpc("revoke_invitation", p_id=invitation)
    with raises("permission_denied", 403):
        people.as_cashier().rpc("revoke_invitation", p_id=invitation)
    first = admin.rpc("revoke_invitation", p_id=invitation)
    assert first["revoked_at"] is not None
    assert admin.rpc("revoke_invitation", p_id=invitation) == first
    assert person.rpc("my_invitations") == []
    with raises("not_found", 404):
        person.rpc("accept_invitation", p_id=invitation)
    accepted = _invite(people, person.email or "")
    person.rpc("accept_invitation", p_id=accepted)
    with raises("invalid_transition", 409):
        admin.rpc("revoke_invitation", p_id=accepted)


def test_an_invitation_ends_after_two_weeks(people: People) -> None:
    """An address may have changed hands by then."""
    person = people.newcomer()
    invitation = _invite(people, person.email or "")
    people.connection.execute(
        "update public.invitations set created_at = now() - interval '15 days' where id = %s", [invitation]
    )
    assert person.rpc("my_invitations") == []
    with raises("not_found", 404):
        person.rpc("accept_invitation", p_id=invitation)


def test_custom_roles_work_at_once(people: People) -> None:
    """A new role gives exactly what it lists; changed, its holders have the change in their next call."""
    auditor = _deputy(people, "audit.read")
    assert auditor.select("select count(*) > 0 as some from public.audit_log") == [{"some": True}]
    assert auditor.select("select 1 from public.products") == []
    saved = people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="deputy",
        p_name="Reader",
        p_permissions=["catalogue.read"],
        p_max_discount_percent=3,
    )
    assert (saved["permissions"], saved["max_discount_percent"], saved["is_system"]) == (
        ["catalogue.read"],
        3,
        False,
    )
    assert auditor.select("select 1 from public.audit_log") == []
    assert len(auditor.select("select 1 from public.products")) == len(people.world.teak.variants)


def test_the_admin_role_is_fixed(people: People) -> None:
    """It holds everything, always."""
    with raises("role_fixed", 422):
        people.as_admin().rpc(
            "save_role",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_key="admin",
            p_name="A",
            p_permissions=[],
        )


def test_the_token_hook_tells_and_decides_nothing(people: People) -> None:
    """Its claim names organisations, role and branches; forging it gives no right."""
    row = people.connection.execute(
        "select private.custom_access_token(jsonb_build_object('user_id', %s::text, 'claims', '{}'::jsonb))",
        [people.as_cashier().user_id],
    ).fetchone()
    assert row is not None
    assert row[0]["claims"]["organizations"] == [
        {"id": str(people.world.teak.id), "role": "cashier", "branches": [str(people.world.blr.id)]}
    ]
    for person in (people.as_admin(), people.as_anon(), people.as_service()):
        with raises_sqlstate("42501"):
            person.select("select private.custom_access_token('{}')")


def test_nobody_gives_a_larger_discount_than_his_own(people: People) -> None:
    """Neither to himself nor to others: a role is more than its permissions."""
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="generous",
        p_name="Generous",
        p_permissions=["catalogue.read"],
        p_max_discount_percent=100,
    )
    deputy = _deputy(people, "user.manage", "catalogue.read")
    with raises("permission_denied", 403):
        _set_role(people, deputy, "generous", by=deputy)
    with raises("permission_denied", 403):
        _invite(people, "friend@example.com", "generous", by=deputy)
    assert _invite(people, "friend@example.com", "deputy", by=deputy)


def test_a_role_is_changed_by_who_covers_every_branch(people: People) -> None:
    """It counts in all of them."""
    deputy = _deputy(people, "role.manage", "stock.read", branches=[people.world.blr.id])
    arguments = {"p_org_id": people.world.teak.id, "p_key": "watcher", "p_name": "W"}
    with raises("permission_denied", 403):
        deputy.rpc("save_role", p_id=new_id(), p_permissions=["stock.read"], **arguments)
    with raises("invalid_input", 400):
        people.as_admin().rpc("save_role", p_id=new_id(), p_permissions=None, **arguments)


def test_the_invitations_of_a_suspended_member_are_gone(people: People) -> None:
    """Who was shut out leaves no door open."""
    deputy, friend = _deputy(people, "user.manage"), people.newcomer()
    invitation = _invite(people, friend.email or "", "deputy", by=deputy)
    _set_role(people, deputy, "deputy", p_suspended=True)
    with raises("not_found", 404):
        friend.rpc("accept_invitation", p_id=invitation)


def test_nobody_revokes_an_invitation_above_his_own_role(people: People) -> None:
    """Taking back is as forbidden as giving."""
    deputy = _deputy(people, "user.manage", branches=[people.world.blr.id])
    for role, branches in (("admin", None), ("deputy", None)):
        invitation = _invite(people, "new@example.com", role, p_branch_ids=branches)
        with raises("permission_denied", 403):
            deputy.rpc("revoke_invitation", p_id=invitation)
        assert people.as_admin().rpc("revoke_invitation", p_id=invitation)["revoked_at"]
