"""What a document with a lifecycle is for the tests, and how its acts are written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.personas import new_id
from tests.support.world import People

Make = Callable[[People], Any]
Step = Callable[[People, UUID], object]


@dataclass(frozen=True)
class Act:
    """An act on a document.

    Attributes:
        to: the status that it brings about.
        permissions: of the steps in lifecycle_transitions that are its own.
        run: does it as the administrator, to the document with this id.
        stays: a status in which it is allowed and changes nothing of the status.
    """

    to: str
    permissions: frozenset[str | None]
    run: Step
    stays: str | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of document. makes: by status, how one comes to be in it; returns its id.

    where: which row of the table it is, told its id.
    """

    table: str
    makes: Mapping[str, Make]
    acts: Mapping[str, Act] = field(default_factory=dict)
    where: str = "id = %s"


def rpc(name: str, argument: str, **others: Any) -> Step:
    """An act of the administrator that takes the document's id as `argument`."""
    return lambda people, made: people.as_admin().rpc(name, p_id=new_id(), **{argument: made}, **others)


def act(to: str, *permissions: str | None, stays: str | None = None) -> Callable[..., Act]:
    return lambda run: Act(to, frozenset(permissions), run, stays)


def without_lifecycle(people: People, table: str, change: str, made: Any) -> None:
    """What only time brings about: a date that has passed."""
    people.connection.execute(f"alter table public.{table} disable trigger t40_enforce_lifecycle")
    people.connection.execute(f"update public.{table} set {change} where id = %s", [made])  # noqa: S608
    people.connection.execute(f"alter table public.{table} enable trigger t40_enforce_lifecycle")
