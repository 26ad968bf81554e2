"""The demo: a furniture business with two branches, a phone shop, and pool services; nobody sees the others.

Everything is made through Supabase, as users would: the people by Auth's admin API, the rest by RPC and
REST with their own tokens. Every id is derived from a name, so a load that was interrupted can be run again.
"""

from typing import Protocol

from local.client import Progress, Project
from local.demo.business import Business
from local.demo.offers import make_offers
from local.demo.orders import take_orders
from local.demo.phones import sell_on_instalments
from local.demo.sales import sell_some
from local.demo.showroom import set_up_showroom
from local.keys import Keys


class HasAddress(Protocol):
    """What is used of a gateway."""

    @property
    def url(self) -> str: ...


class HasGateway(Protocol):
    """What is used of a stack."""

    keys: Keys

    @property
    def gateway(self) -> HasAddress: ...


def load(stack: HasGateway, progress: Progress | None = None) -> None:
    """Load the demo data into a running stack.

    Parameters:
        stack: its gateway must be running and its database migrated.
        progress: is told how far it is.

    Raises:
        Refused: the database did not take something.
        AuthError: a demo user exists with another password.
    """
    keys = stack.keys
    fill(Project(stack.gateway.url, keys.anon_key, keys.service_role_key), keys.demo_password, progress)


def fill(project: Project, password: str, progress: Progress | None = None) -> None:
    """Load the demo data into any Supabase project that is migrated.

    Parameters:
        project: its address and keys.
        password: of all demo users.
        progress: is told how far it is.
    """
    tell = progress or _silent
    for name in ("teak", "ringring", "lagoon"):
        business = Business.sign_in(project, password, name, tell)
        business.furnish(tell)
        if name == "teak":
            make_offers(business)
            sell_some(business, tell)
            set_up_showroom(business, tell)
            take_orders(business, tell)
        elif name == "ringring":
            sell_on_instalments(business, tell)


def _silent(_what: str, _done: int, _total: int) -> None:
    return
