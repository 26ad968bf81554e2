"""One run of random acts in a house of its own, each held to the model and to what must always be true."""

from collections import Counter
from random import Random
from typing import Any

import psycopg

from tests.properties.acts_sales import EveryAct
from tests.properties.database import (
    broken,
    entry_ids,
    fingerprint,
    read_invoices,
    read_moves,
    read_orders,
    read_state,
)
from tests.properties.house import CLOCK, Call, House, found_house
from tests.properties.learned import LEARNED, Sales, customers_goods
from tests.support.personas import Connection
from tests.support.refusals import refusal_of

Outcomes = Counter[tuple[str, str]]


class Run:
    """A house, its model, and the calls so far.

    Parameters:
        owner: a superuser's connection, which sees what others have committed.
        connections: those that the people of the house share.
        outcomes: counts what became of the calls, by function.
    """

    def __init__(self, owner: Connection, connections: list[Connection], outcomes: Outcomes) -> None:
        self.owner = owner
        self.outcomes = outcomes
        self.house = found_house(owner, connections)
        self.model = Sales(self.house)
        self.calls: list[Call] = []
        self.last_move = 0

    def open(self, seed: int) -> None:
        """Bring the first goods in."""
        for call in EveryAct(self.house, self.model, Random(seed)).openings():
            assert (ask(self.owner, self.house, call)[0], self.model.predict(call)) == (None, None)
            self.calls.append(call)
        self.learn()

    def act(self, seed: int) -> None:
        """Any act. The step's number keeps ids apart when a seed comes twice."""
        self.perform(EveryAct(self.house, self.model, Random(f"{seed} {len(self.calls)}")).any())

    def perform(self, call: Call) -> None:
        """Make the call, then hold everything to the model and to what must always be true."""
        self.calls.append(call)
        try:
            self._perform(call)
        except AssertionError as error:
            error.add_note("The calls before:\n" + "\n".join(map(str, self.calls[-12:])))
            raise

    def _perform(self, call: Call) -> None:
        before = fingerprint(self.owner, self.house)
        repeated = call.arguments["p_id"] in self.model.done
        learned = call.function in LEARNED
        expected = None if learned else self.model.predict(call)
        code, answer = ask(self.owner, self.house, call)
        self.outcomes[call.function, code or ("again" if repeated else "done")] += 1
        assert code == expected or (learned and not repeated), f"{call}: expected {expected}, got {code}"
        if learned and code is None and not repeated:
            self._learn_of(call)
        if code is not None or repeated:
            left = {*before} ^ {*fingerprint(self.owner, self.house)}
            assert not left, f"{call} left something behind: {left}"
        elif len(self.calls) % 7 == 0 and call.who != CLOCK:
            after = fingerprint(self.owner, self.house)
            assert ask(self.owner, self.house, call) == (None, answer), "answered otherwise when asked again"
            left = {*after} ^ {*fingerprint(self.owner, self.house)}
            assert not left, f"{call} did something when asked again: {left}"
        self.learn()
        assert broken(self.owner, self.house) == []
        if len(self.calls) % 20 == 0:
            checked = self.house.people["admin"].rpc("check_integrity", p_org_id=self.house.id)
            assert checked["passed"], checked

    def _learn_of(self, call: Call) -> None:
        """An act of billing was carried out: its movements are what was asked for, and can be."""
        self.model.done[call.arguments["p_id"]] = call
        _, moves = read_moves(self.owner, self.house, self.last_move)
        assert customers_goods(moves) == self.model.asked(call), f"{call} moved other goods: {moves}"
        self.model.carry_out(moves)
        self.model.hold(read_state(self.owner, self.house).reservations)
        self.model.invoices = read_invoices(self.owner, self.house)

    def learn(self) -> None:
        """The model is the database; the ids that the database gave are taken over."""
        found = read_state(self.owner, self.house)
        self.last_move, _ = read_moves(self.owner, self.house, self.last_move)
        self.model.orders = read_orders(self.owner, self.house)
        self.model.entry_ids = {
            entry: (count, place) for count, place, entry in entry_ids(self.owner, self.house)
        }
        assert self.model.state == found


def ask(owner: Connection, house: House, call: Call) -> tuple[str | None, Any]:
    """Make the call as the one who makes it: the refusal's stable code, and the answer."""
    if call.who == CLOCK:
        tick(owner, house, call)
        return None, None
    try:
        return None, house.people[call.who].rpc(call.function, **call.arguments)
    except psycopg.Error as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        return refusal.code, None


def tick(owner: Connection, house: House, call: Call) -> None:
    """What the clock does."""
    if call.function == "expire_reservations":
        owner.execute("select sum(private.expire_reservations(o.id)) from public.organizations o")
        return
    with owner.transaction():
        # Only so can a test wait for tomorrow: a reservation's time never changes.
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            "update public.stock_reservations set expires_at = now() - interval '1 minute' "
            "where org_id = %s and id = %s",
            [house.id, call.arguments["reservation_id"]],
        )
