"""pgbench's TPC-B-like transaction: the yardstick that a sale is measured against."""

import random
from typing import Any

import psycopg

ACCOUNTS_PER_BRANCH = 100_000
TELLERS_PER_BRANCH = 10

# pgbench's own definitions, in a schema of their own.
_TABLES = """
create schema yardstick;
create table yardstick.branches (bid integer not null primary key, bbalance integer, filler char(88));
create table yardstick.tellers (
  tid integer not null primary key, bid integer, tbalance integer, filler char(84));
create table yardstick.accounts (
  aid integer not null primary key, bid integer, abalance integer, filler char(84));
create table yardstick.history (
  tid integer, bid integer, aid integer, delta integer, mtime timestamp, filler char(22));
"""


def make_tables(connection: psycopg.Connection[tuple[Any, ...]], scale: int) -> None:
    """Make and fill pgbench's tables.

    Parameters:
        scale: branches; at least as many as clients, or they queue for one row.
    """
    connection.execute(_TABLES)
    connection.execute(
        "insert into yardstick.branches select n, 0, '' from generate_series(1, %s) n", [scale]
    )
    connection.execute(
        "insert into yardstick.tellers select n, (n - 1) / %s + 1, 0, '' from generate_series(1, %s) n",
        [TELLERS_PER_BRANCH, scale * TELLERS_PER_BRANCH],
    )
    connection.execute(
        "insert into yardstick.accounts select n, (n - 1) / %s + 1, 0, '' from generate_series(1, %s) n",
        [ACCOUNTS_PER_BRANCH, scale * ACCOUNTS_PER_BRANCH],
    )
    connection.execute("analyze yardstick.branches, yardstick.tellers, yardstick.accounts")


def transact(connection: psycopg.Connection[tuple[Any, ...]], chance: random.Random, scale: int) -> None:
    """One transaction as pgbench runs it: begin, five statements, commit, each a round trip of its own.

    Parameters:
        connection: with autocommit, so that begin and commit are the statements written here.
    """
    account = chance.randint(1, scale * ACCOUNTS_PER_BRANCH)
    teller = chance.randint(1, scale * TELLERS_PER_BRANCH)
    branch = chance.randint(1, scale)
    delta = chance.randint(-5000, 5000)
    connection.execute("begin")
    connection.execute(
        "update yardstick.accounts set abalance = abalance + %s where aid = %s", [delta, account]
    )
    connection.execute("select abalance from yardstick.accounts where aid = %s", [account]).fetchone()
    connection.execute(
        "update yardstick.tellers set tbalance = tbalance + %s where tid = %s", [delta, teller]
    )
    connection.execute(
        "update yardstick.branches set bbalance = bbalance + %s where bid = %s", [delta, branch]
    )
    connection.execute(
        "insert into yardstick.history (tid, bid, aid, delta, mtime)"
        " values (%s, %s, %s, %s, current_timestamp)",
        [teller, branch, account, delta],
    )
    connection.execute("commit")
