"""A count finds a piece that somebody sells elsewhere at the same moment."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from random import Random

from tests.properties.acts_counts import AllActs
from tests.properties.database import broken, read_state
from tests.properties.house import Call, found_house
from tests.properties.model_counts import Everything
from tests.properties.run import ask
from tests.support.personas import Connection, new_id

WAITING = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%%post_count%%'"


def test_a_find_that_is_being_sold_elsewhere_is_not_posted(
    owner: Connection, connections: list[Connection]
) -> None:
    """P7 stood in A by day, says the counter; B's till sells it while the count is posted, and is heard."""
    house = found_house(owner, connections)
    for call in AllActs(house, Everything(house), Random(1)).openings():
        assert ask(owner, house, call)[0] is None
    there, phone, count = house.places["A.shop"], house.variants["phone"], new_id()
    admin = replace(house.people["admin"], connection=connections[1])
    seller = replace(house.people["cashier_b"], connection=connections[2])
    seen = [{"variant_id": phone, "quantity": 4, "serials": ["P1", "P2", "P3", "P7"]}]
    admin.rpc(
        "start_count",
        p_id=count,
        p_location_id=there,
        p_kind="cycle",
        p_options={"variant_ids": [str(phone)]},
    )
    admin.rpc("record_count", p_id=new_id(), p_count_id=count, p_lines=seen)
    admin.rpc("submit_count", p_id=new_id(), p_count_id=count)
    admin.rpc("approve_count", p_id=new_id(), p_count_id=count)
    mine = replace(house, people={**house.people, "admin": admin})
    post = Call("admin", "post_count", {"p_id": new_id(), "p_count_id": count})
    with ThreadPoolExecutor(1) as pool:
        with seller.connection.transaction():
            seller.rpc(
                "post_sale",
                p_id=new_id(),
                p_branch_id=house.branches["B"],
                p_location_id=house.places["B.shop"],
                p_customer_id=None,
                p_lines=[{"variant_id": phone, "quantity": 1, "serials": ["P7"]}],
                p_payments=[{"method": "cash", "amount": 900}],
            )
            posting = pool.submit(partial(ask, owner, mine, post))
            while not owner.execute(WAITING).fetchall():
                assert not posting.done(), posting.result()
                time.sleep(0.01)
        assert posting.result()[0] == "changed_meanwhile"
    assert ask(owner, mine, post)[0] is None
    state = read_state(owner, house)
    assert state.pieces["phone", "P7"].status == "sold"
    assert state.level("A.shop", "phone").on_hand == Decimal(3)
    assert broken(owner, house) == []
