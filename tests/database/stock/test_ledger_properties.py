"""The ledger, for any sequence of acts, held to a model in Python: levels, average cost, sum of all ends."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import Line, adjust, line, sell
from tests.support.refusals import code_of
from tests.support.world import People

GOODS = ("sofa", "lamp", "rug")
PLACES = ("showroom", "warehouse")
MICRO = Decimal("0.000001")

quantities = st.integers(1, 12).map(Decimal)
adjustments = st.tuples(
    st.just("adjust"),
    st.sampled_from(GOODS),
    st.sampled_from(PLACES),
    st.one_of(quantities, quantities.map(lambda q: -q)),
    st.one_of(st.none(), st.decimals(0, 500, places=6)),
)
sales = st.tuples(
    st.just("sell"),
    st.sampled_from(PLACES),
    st.lists(st.tuples(st.sampled_from(GOODS), quantities), min_size=1, max_size=4),
)


@dataclass
class Shelf:
    """What the model thinks lies somewhere."""

    on_hand: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def receive(self, quantity: Decimal, cost: Decimal | None) -> None:
        """Arrivals move the average; without a cost of their own they come at the present one."""
        worth = self.on_hand * self.cost + quantity * (self.cost if cost is None else cost)
        self.on_hand += quantity
        self.cost = (worth / self.on_hand).quantize(MICRO, ROUND_HALF_UP)


@dataclass
class Model:
    """All shelves of one branch."""

    shelves: dict[tuple[str, str], Shelf] = field(default_factory=dict)

    def shelf(self, place: str, goods: str) -> Shelf:
        """The shelf, empty if nothing ever lay there."""
        return self.shelves.setdefault((place, goods), Shelf())

    def take(self, place: str, wanted: list[tuple[str, Decimal]]) -> bool:
        """Take everything or nothing."""
        demand: dict[str, Decimal] = {}
        for goods, quantity in wanted:
            demand[goods] = demand.get(goods, Decimal(0)) + quantity
        if any(self.shelf(place, goods).on_hand < quantity for goods, quantity in demand.items()):
            return False
        for goods, quantity in demand.items():
            self.shelf(place, goods).on_hand -= quantity
        return True


def _levels(people: People) -> dict[tuple[str, str], Shelf]:
    world = people.world
    rows = people.connection.execute(
        "select l.kind, lower(v.sku), s.on_hand, s.average_cost, s.reserved, s.available from "
        "public.stock_levels s "
        "join public.locations l on l.id = s.location_id join public.product_variants v on v.id = "
        "s.variant_id "
        "where s.branch_id = %s and lower(v.sku) = any (%s)",
        [world.blr.id, list(GOODS)],
    ).fetchall()
    assert all(row[2] >= 0 and row[4] == 0 and row[5] == row[2] for row in rows)
    return {(row[0], row[1]): Shelf(row[2], row[3]) for row in rows}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.one_of(adjustments, sales), max_size=12))
def test_any_sequence_equals_the_model(people: People, acts: list[tuple[object, ...]]) -> None:
    """What the model refuses the database refuses, with 409 and without a trace; the rest agree exactly."""
    world = people.world
    places = {"showroom": world.blr.showroom, "warehouse": world.blr.warehouse}
    with people.connection.transaction(force_rollback=True):
        model = Model(_levels(people))
        for act in acts:
            if act[0] == "adjust":
                allowed = _adjust(people, model, act, places)
            else:
                allowed = _sell(people, model, act, places)
            assert allowed in (True, False)
            touched = {key: shelf for key, shelf in model.shelves.items() if shelf.on_hand or shelf.cost}
            levels = {key: shelf for key, shelf in _levels(people).items() if shelf.on_hand or shelf.cost}
            assert levels == touched
        assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []
        row = people.connection.execute(
            "select coalesce(sum(q), 0) from (select quantity as q from public.stock_movements "
            "union all select -quantity from public.stock_movements) ends"
        ).fetchone()
        assert row == (0,)


def _agrees(allowed: bool, error: psycopg.Error | None) -> bool:
    assert allowed == (error is None), error
    if error is not None:
        assert code_of(error) == "insufficient_stock"
    return allowed


def _adjust(people: People, model: Model, act: tuple[object, ...], places: dict[str, UUID]) -> bool:
    _, goods, place, quantity, cost = act
    assert isinstance(goods, str)
    assert isinstance(place, str)
    assert isinstance(quantity, Decimal)
    cost = cost if isinstance(cost, Decimal) and quantity > 0 else None
    if quantity > 0:
        model.shelf(place, goods).receive(quantity, cost)
        allowed = True
    else:
        allowed = model.take(place, [(goods, -quantity)])
    try:
        adjust(people, people.world.teak.variants[goods], quantity, cost=cost, p_location_id=places[place])
    except psycopg.Error as error:
        return _agrees(allowed, error)
    return _agrees(allowed, None)


def _sell(people: People, model: Model, act: tuple[object, ...], places: dict[str, UUID]) -> bool:
    _, place, wanted = act
    assert isinstance(place, str)
    assert isinstance(wanted, list)
    lines: list[Line] = [line(people.world.teak.variants[goods], quantity) for goods, quantity in wanted]
    allowed = model.take(place, wanted)
    try:
        sell(people.as_cashier(), people.world.blr, *lines, location=places[place])
    except psycopg.Error as error:
        return _agrees(allowed, error)
    return _agrees(allowed, None)
