"""Who made a row, when and in which request is answerable for every row, though few of them are copied.

Every act of the matrix and every document of every status is made, each call under a request of its own; what
a trigger of the test saw being written is held against what the rows say later.
"""

# Names put into statements come from Postgres's catalogue, never from input.
# ruff: noqa: S608

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.database.billing.offers import coupon, promotion
from tests.database.lifecycles import KINDS
from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.database.sales import adjust, line, sell
from tests.database.schema import TABLES, ask, names
from tests.database.test_catalogue import NOT_AUDITED
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import People

# Where the columns beside request_id have names of their own.
WHO_AND_WHEN = {"public.quotation_revisions": ("replaced_by", "replaced_at")}
# Tables without triggers of the audit whose rows say the same.
ALSO = {"public.loyalty_entries"}


@dataclass(frozen=True)
class Origin:
    """A table whose rows are not copied. document: whose rows tell; link: its columns here and there."""

    table: str
    document: str
    link: tuple[tuple[str, str], ...]


def _origins(owner: Connection) -> list[Origin]:
    """Every table of the audit that has no trigger for what is new, with the way to its document."""
    tables = names(
        owner,
        f"select name from ({TABLES}) t where not relispartition and audit.origin(oid) is not null "
        "and exists (select from pg_trigger u where u.tgrelid = t.oid and u.tgname = 't99_record_update')",
    )
    found = []
    for table in [*tables, *sorted(ALSO)]:
        ((document, mine, its),) = ask(
            owner,
            """
            select n.nspname || '.' || d.relname, f.mine, f.its
            from pg_class d join pg_namespace n on n.oid = d.relnamespace
            left join lateral (
              select array_agg(a.attname::text order by k.n) as mine,
                array_agg(b.attname::text order by k.n) as its
              from pg_constraint c
              cross join unnest(c.conkey, c.confkey) with ordinality k (here, there, n)
              join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.here
              join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.there
              where c.conrelid = %(table)s::regclass and c.confrelid = d.oid and c.contype = 'f'
              group by c.oid limit 1) f on d.oid <> %(table)s::regclass
            where d.oid = audit.origin(%(table)s::regclass)
            """,
            {"table": table},
        )
        if document != table and mine is None:
            # Its line's key begins with the document's, under the same names.
            ((mine, its),) = ask(
                owner,
                """
                select array_agg(a.attname::text order by k.n), array_agg(b.attname::text order by k.n)
                from pg_constraint c join pg_constraint d on d.conrelid = c.confrelid and d.contype = 'f'
                  and d.confrelid = %(document)s::regclass
                cross join unnest(d.conkey, d.confkey) with ordinality k (here, there, n)
                join pg_attribute a on a.attrelid = d.conrelid and a.attnum = k.here
                join pg_attribute b on b.attrelid = d.confrelid and b.attnum = k.there
                where c.conrelid = %(table)s::regclass and c.contype = 'f' group by c.oid, d.oid limit 1
                """,
                {"table": table, "document": document},
            )
        found.append(
            Origin(table, document, tuple(zip(mine or ("org_id",), its or ("org_id",), strict=True)))
        )
    return found


@pytest.fixture
def traced(people: People, monkeypatch: pytest.MonkeyPatch) -> People:
    """Writes down, beside every such row, by whom and in which request it is made: each call is one."""
    owner, numbers = people.connection, itertools.count(1)
    owner.execute(
        """
        create table audit.seen (at bigint generated always as identity, table_name text, doc jsonb,
          actor_id uuid, request_id text);
        create function audit.see() returns trigger language plpgsql security definer as $$
        begin
          insert into audit.seen (table_name, doc, actor_id, request_id)
          values (tg_table_schema || '.' || tg_table_name, to_jsonb(new), auth.uid(), private.request_id());
          return null;
        end $$
        """
    )
    for origin in _origins(owner):
        owner.execute(
            f"create trigger see after insert on {origin.table} for each row execute function audit.see()"
        )
    request = Persona._request

    @contextmanager
    def numbered(self: Persona) -> Iterator[Connection]:
        with request(self) as connection:
            connection.execute(
                "select set_config('request.headers', %s, true)",
                [f'{{"x-request-id": "call-{next(numbers)}"}}'],
            )
            yield connection

    monkeypatch.setattr(Persona, "_request", numbered)
    return people


def _trade(people: People) -> None:
    """What the acts and documents do not bring about by themselves: coupons, a refund, a new lot."""
    goods = people.world.teak.variants
    coupon(people, promotion(people, "percent", 10, needs_coupon=True), "DIWALI-25")
    adjust(people, goods["paint"], 1, "found", p_options={"batch": "FRESH"})
    sale = sell(people.as_cashier(), people.world.blr, line(goods["book"]), coupon="DIWALI-25")
    people.as_admin().rpc("void_sale", p_id=new_id(), p_invoice_id=sale["id"], p_reason="Wrong book")
    draft = people.as_sales().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(goods["book"])],
        p_options={
            "draft": True,
            "coupon": "DIWALI-25",
            "location_id": str(people.world.blr.showroom),
        },
    )
    people.as_admin().rpc("set_invoice_status", p_id=new_id(), p_invoice_id=draft["id"], p_status="sent")


def _parts(people: People) -> Iterator[None]:
    """Every act once; then every document in every status, with every act on it that goes."""
    owner = people.connection
    place = Place(people.world, people.world.teak, people.world.blr)
    with owner.transaction(force_rollback=True):
        for name, act in ACTS.items():
            with suppress(psycopg.Error), owner.transaction():
                people.as_admin().rpc(name, **act.arguments(place))
        yield
    with owner.transaction(force_rollback=True):
        _trade(people)
        yield
    for kind in KINDS.values():
        for make in kind.makes.values():
            with owner.transaction(force_rollback=True):
                made = make(people)
                for step in kind.acts.values():
                    with suppress(psycopg.Error), owner.transaction():
                        step.run(people, made)
                yield


def _said(owner: Connection, origin: Origin, doc: dict[str, Any]) -> tuple[Any, ...]:
    """Who made the row, in which request and whether it says when, as can be found out afterwards."""
    who, when = WHO_AND_WHEN.get(origin.document, ("created_by", "created_at"))
    if origin.document == origin.table:
        where = "to_jsonb(d) @> %s::jsonb"
        ((by, request, dated),) = ask(
            owner,
            f"select {who}, request_id, {when} is not null from {origin.table} d where {where}",
            [psycopg.types.json.Jsonb({k: doc[k] for k in ("org_id", *_key(owner, origin.table))})],
        )
        return by, request, dated
    condition = " and ".join(f"d.{its} = %({mine})s" for mine, its in origin.link)
    ((by, request, dated),) = ask(
        owner, f"select {who}, request_id, {when} is not null from {origin.document} d where {condition}", doc
    )
    # The lines of a draft are those of its last saving, which took the earlier ones away.
    saved = ask(
        owner,
        "select actor_id, request_id, true from audit.log where org_id = %s and table_name = %s "
        "and action = 'delete' and before @> %s order by id desc limit 1",
        [
            doc["org_id"],
            origin.table.removeprefix("public."),
            psycopg.types.json.Jsonb({mine: doc[mine] for mine, _ in origin.link}),
        ],
    )
    return saved[0] if saved else (by, request, dated)


def _key(owner: Connection, table: str) -> list[str]:
    return names(
        owner,
        "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid "
        "and a.attnum = any (i.indkey) where i.indrelid = %s::regclass and i.indisprimary",
        [table],
    )


def test_every_row_says_who_made_it(traced: People) -> None:
    """By itself, by its document, or by the saving that replaced a draft's lines: as it really was."""
    owner, wrong, met = traced.connection, [], set()
    origins = [(origin, _key(owner, origin.table)) for origin in _origins(owner)]
    for _ in _parts(traced):
        for origin, key in origins:
            same = " and ".join(f"to_jsonb(t.{k}) = s.doc -> '{k}'" for k in key)
            rows = ask(
                owner,
                f"select s.doc, s.actor_id, s.request_id from {origin.table} t "
                "cross join lateral (select * from audit.seen s where s.table_name = %s "
                f"and {same} order by s.at desc limit 1) s",
                [origin.table],
            )
            for doc, actor, request in rows:
                met.add(origin.table)
                said = _said(owner, origin, doc)
                if said != (actor, request, True):
                    wrong.append((origin.table, {k: doc[k] for k in key}, said, (actor, request)))
    assert wrong == []
    assert met == {origin.table for origin, _ in origins}


def test_every_table_is_copied_or_says_it(owner: Connection) -> None:
    """A table has the trigger for new rows, or its rows tell who made them: never both, never neither."""
    audited = f"select name from ({TABLES}) t where not relispartition and name <> all (%s)"
    trigger = "exists (select from pg_trigger u where u.tgrelid = t.oid and u.tgname = 't99_record_insert')"
    excepted = [list(NOT_AUDITED)]
    assert names(owner, f"{audited} and {trigger} = (audit.origin(t.oid) is not null)", excepted) == []
    for verb in ("update", "delete"):
        there = (
            f"exists (select from pg_trigger u where u.tgrelid = t.oid and u.tgname = 't99_record_{verb}')"
        )
        assert names(owner, f"{audited} and not {there}", excepted) == []


def test_who_made_it_stands_beside_the_request(owner: Connection) -> None:
    """A table with request_id says who and when as well, and all three by themselves or with the act."""
    for (table,) in ask(
        owner,
        f"select name from ({TABLES}) t where name like 'public.%%' and exists (select from pg_attribute a "
        "where a.attrelid = t.oid and a.attname = 'request_id')",
    ):
        who, when = WHO_AND_WHEN.get(table, ("created_by", "created_at"))
        columns = names(
            owner, "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", [table]
        )
        assert {who, when, "request_id"} <= set(columns), table


def test_what_cannot_change_is_never_copied(owner: Connection) -> None:
    """An append-only table has no trigger that copies its rows when they are made."""
    assert (
        names(
            owner,
            f"select name from ({TABLES}) t where "
            "exists (select from pg_trigger u where u.tgrelid = t.oid and u.tgtype & 16 <> 0 "
            "and u.tgname in ('t10_refuse_change', 't10_keep_issued_lines') and u.tgqual is null) and "
            "exists (select from pg_trigger u where u.tgrelid = t.oid and u.tgname = 't99_record_insert')",
        )
        == []
    )
