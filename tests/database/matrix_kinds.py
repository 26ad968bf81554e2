"""What a row of the permission table is: an act or a table, and what it asks of whoever comes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.world import Branch, House, World


@dataclass(frozen=True)
class Place:
    """Where an act is tried: one branch of one business."""

    world: World
    house: House
    branch: Branch

    @property
    def goods(self) -> Any:
        """A variant that the branch's showroom has."""
        return self.house.variants["sofa" if self.house is self.world.teak else "pump"]

    @property
    def reserved(self) -> Any:
        """The variant of which the branch's reservation holds one."""
        return self.house.variants["book" if self.house is self.world.teak else "filter"]

    @property
    def sku(self) -> str:
        """The SKU of the goods."""
        return "SOFA" if self.house is self.world.teak else "PUMP"

    @property
    def pieces(self) -> Any:
        """A variant of which each piece has a serial number; the showroom has <branch code>-1 to -3."""
        return self.house.variants["phone" if self.house is self.world.teak else "robot"]

    @property
    def product(self) -> Any:
        """The product of the goods."""
        return self.house.products["sofa" if self.house is self.world.teak else "pump"]

    def count(self, status: str) -> Any:
        """A count of the branch that has the status, or "entry": an entry of the one that is counting."""
        return self.house.counts[f"{self.branch.code}:{status}"]

    def paper(self, name: str) -> Any:
        """A sales document of the branch, by kind and status: see `tests/support/papers.py`."""
        return self.house.documents[f"{name}@{self.branch.code}"]


@dataclass(frozen=True)
class Act:
    """A public function. scope: "branch" or "org" checks where it is done, "own" concerns the caller only.

    hidden: who lacks the permission is told "not found", not "no permission", because a policy decides.
    open_to_anon: visitors may call it.
    """

    permission: str | None
    scope: str
    arguments: Callable[[Place], dict[str, Any]]
    hidden: bool = False
    open_to_anon: bool = False


@dataclass(frozen=True)
class Table:
    """A table or view that clients may reach.

    readers: the permission that shows its rows; or "member" for everybody of the business, "anyone" for
    reference data that needs no sign-in, "signed in" for what every account sees, "self" for one's own rows
    (with user.manage all of them).
    scope: "org" or "branch", None for reference data.
    writer: the permission that its column grants need, None where requests never write.
    changes: rows can be changed, not only added. deletes: the writer may delete what nothing refers to.
    """

    readers: str
    scope: str | None
    writer: str | None = None
    changes: bool = True
    deletes: bool = False
