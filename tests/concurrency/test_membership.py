"""Changes of membership that cross one another."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from bench.shop import Shop, address_of, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together


def admins(shop: Shop) -> list[uuid.UUID]:
    """Who can manage the organisation."""
    with psycopg.connect(shop.url) as owner:
        rows = owner.execute(
            """
            select m.user_id from public.memberships m
            join public.roles r on r.org_id = m.org_id and r.id = m.role_id
            where m.org_id = %s and r.key = 'admin' and m.status = 'active' and m.all_branches
            """,
            [shop.org_id],
        ).fetchall()
    return [row[0] for row in rows]


def test_two_admins_who_demote_one_another_leave_one(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    other = shop.hire("admin")
    tills = {user: till(shop, user) for user in (shop.admin_id, other)}
    for _ in range(10):
        outcomes = together(
            [
                partial(call, tills[shop.admin_id], "set_member_role", shop.org_id, other, "cashier"),
                partial(call, tills[other], "set_member_role", shop.org_id, shop.admin_id, "cashier"),
            ]
        )
        [left] = admins(shop)
        [refusal] = refusals(outcomes)
        assert refusal in {"last_admin", "permission_denied"}
        [demoted] = {shop.admin_id, other} - {left}
        call(tills[left], "set_member_role", shop.org_id, demoted, "admin")
    assert len(admins(shop)) == 2


def test_two_admins_who_step_down_at_once_leave_one(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    other = shop.hire("admin")
    outcomes = together(
        [
            partial(call, till(shop, user), "set_member_role", shop.org_id, user, "cashier")
            for user in (shop.admin_id, other)
        ]
    )
    assert refusals(outcomes) == ["last_admin"]
    assert len(admins(shop)) == 1


def test_an_admin_who_accepts_less_while_the_other_steps_down_leaves_one(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop()
    other = shop.hire("admin")
    tills = {user: till(shop, user) for user in (shop.admin_id, other)}
    for _ in range(10):
        invitation = uuid.uuid4()
        call(tills[other], "invite_member", invitation, shop.org_id, address_of(other), "technician")
        outcomes = together(
            [
                partial(call, tills[other], "accept_invitation", invitation),
                partial(
                    call, tills[shop.admin_id], "set_member_role", shop.org_id, shop.admin_id, "technician"
                ),
            ]
        )
        [left] = admins(shop)
        assert refusals(outcomes) == ["last_admin"]
        [demoted] = {shop.admin_id, other} - {left}
        call(tills[left], "set_member_role", shop.org_id, demoted, "admin")


def memberships(shop: Shop, user_id: uuid.UUID) -> list[tuple[Any, ...]]:
    """Rows of the user's membership and how often it was made, by the audit log."""
    with psycopg.connect(shop.url) as owner:
        return owner.execute(
            """
            select r.key, m.all_branches, (
              select count(*) from audit.log g
              where g.org_id = m.org_id and g.table_name = 'memberships' and g.row_id = m.user_id::text
                and g.action = 'insert')
            from public.memberships m join public.roles r on r.org_id = m.org_id and r.id = m.role_id
            where m.org_id = %s and m.user_id = %s
            """,
            [shop.org_id, user_id],
        ).fetchall()


def test_invitation_accepted_twice_at_once_is_one_membership(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    user, invitation = shop.add_user(), uuid.uuid4()
    call(till(shop), "invite_member", invitation, shop.org_id, address_of(user), "cashier")
    outcomes = together([partial(call, till(shop, user), "accept_invitation", invitation) for _ in range(6)])
    assert refusals(outcomes) == []
    assert all(answer == outcomes[0] for answer in outcomes)
    assert memberships(shop, user) == [("cashier", True, 1)]


def test_two_invitations_accepted_at_once_are_one_membership(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    user = shop.add_user()
    invitations = {role: uuid.uuid4() for role in ("cashier", "technician")}
    for role, invitation in invitations.items():
        call(till(shop), "invite_member", invitation, shop.org_id, address_of(user), role)
    outcomes = together(
        [
            partial(call, till(shop, user), "accept_invitation", invitation)
            for invitation in invitations.values()
        ]
    )
    assert refusals(outcomes) == []
    [(role, everywhere, made)] = memberships(shop, user)
    assert role in invitations
    assert (everywhere, made) == (True, 1)


def test_branch_codes_taken_at_once_are_given_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    options = '{"region_code": "29"}'
    outcomes = together(
        [
            partial(call, till(shop), "create_branch", uuid.uuid4(), shop.org_id, "NEW", "New", options)
            for _ in range(6)
        ]
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["23505"] * 5


def test_a_permission_added_while_a_house_is_founded_reaches_it(
    found_shop: FoundShop, till: OpenTill
) -> None:
    """The template is read and filled one after the other: the second sees what the first one did."""
    shop, org_id = found_shop(), uuid.uuid4()
    founder = till(shop, autocommit=False)
    call(founder, "create_organization", org_id, "Late", "IN", "INR")
    with psycopg.connect(shop.url) as migration, ThreadPoolExecutor() as pool:
        added = pool.submit(
            migration.execute,
            """select private.add_permissions(
              '[{"code": "purchase.read", "description": "Read purchases", "roles": ["cashier"]}]')""",
        )
        with pytest.raises(TimeoutError):
            added.result(timeout=0.5)
        founder.commit()
        added.result(timeout=20)
        given = migration.execute(
            "select count(*) from public.role_permissions where org_id = %s and permission = 'purchase.read'",
            [org_id],
        ).fetchone()
    assert given == (1,)
