"""Replays recorded answers of the real PostgREST against the local gateway and tells the differences."""

import base64
import gzip
import hashlib
import hmac
import http.client
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from local import databases
from local.errors import LauncherError
from local.keys import Keys
from local.paths import ROOT
from local.postgres import Cluster, temporary_directory
from local.services import Gateway

DATA = ROOT / "tests" / "local" / "rest" / "data"
# What the recording server was configured with, as far as the gateway can be.
CONFIG = """
[api]
schemas = ["public"]
extra_search_path = ["public", "extensions"]
max_rows = 1000
"""
CONTRACT = ("content-type", "content-range", "location", "preference-applied", "www-authenticate", "allow")
# From the worst to the least: a case counts by its worst difference.
KINDS = ("status", "body", "rows", "headers", "texts")

Case = dict[str, Any]
State = dict[str, Counter[str]]


class Number(str):
    """A JSON number as it was written.

    Whole numbers are compared by their digits. Fractions went through binary floats when the recording was
    written down (1180.00 stands there as 1180.0), so they are compared as what a float keeps of them.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return False
        return str.__eq__(self, other) or bool({".", "e"} & {*self, *other} and float(self) == float(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(float(self))

    def __repr__(self) -> str:
        return str.__str__(self)


class Answer(NamedTuple):
    """What came over the wire; header names are lower case."""

    status: int
    headers: dict[str, str]
    text: str


class Difference(NamedTuple):
    """One way in which an answer differs from the recorded one."""

    kind: str
    name: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"[{self.kind}] {self.name}\n    recorded {self.expected!r}\n    answered {self.got!r}"


def parse(text: str) -> Any:
    """JSON with numbers as they were written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def load_cases(folder: Path = DATA) -> list[Case]:
    """All recorded cases, in the order in which they are to be replayed."""
    cases: list[Case] = parse(gzip.decompress((folder / "calls.json.gz").read_bytes()).decode())
    return sorted(cases, key=lambda case: bool(case.get("resets")))


def token(secret: str, case: Case) -> str:
    """The bearer token of a case: its role, far from expiring."""
    claims = {"role": case["role"], "exp": 4102444800}
    if case.get("sub"):
        claims |= {"sub": case["sub"], "aud": "authenticated"}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@dataclass
class Server:
    """A gateway on a database of its own that holds the recorded shop."""

    cluster: Cluster
    database: str
    gateway: Gateway
    keys: Keys

    def __post_init__(self) -> None:
        self._client = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=30)
        self._sql = psycopg.connect(self.cluster.superuser_url(self.database), autocommit=True)
        self.before = self.state()

    def close(self) -> None:
        """Close both connections."""
        self._client.close()
        self._sql.close()

    def send(self, case: Case) -> Answer:
        """Send one recorded call as it is, byte by byte."""
        body = None if case.get("body") is None else case["body"].encode()
        headers = {"Accept": "*/*", **case["headers"]}
        headers |= {
            "apikey": self.keys.anon_key,
            "Authorization": f"Bearer {token(self.keys.jwt_secret, case)}",
        }
        self._client.putrequest(case["method"], f"/rest/v1{case['path']}", skip_accept_encoding=True)
        for name, value in headers.items():
            self._client.putheader(name, value.encode())
        if body is not None or case["method"] not in ("GET", "HEAD", "OPTIONS"):
            self._client.putheader("Content-Length", str(len(body or b"")))
        self._client.endheaders(body)
        answer = self._client.getresponse()
        text = answer.read().decode()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def state(self) -> State:
        """Every row of every table, as JSON text."""
        row = self._sql.execute("select corpus.state()::text").fetchone()
        assert row is not None
        return {
            table: Counter(json.dumps(entry, sort_keys=True) for entry in rows)
            for table, rows in json.loads(row[0], parse_float=_digits, parse_int=_digits).items()
        }

    def reset(self) -> None:
        """Put all rows back as they were, sequences too."""
        self._sql.execute("select corpus.reset()")

    def compare(self, case: Case) -> list[Difference]:
        """Replay one case and list its differences."""
        answer = self.send(case)
        found = list(differences(case, answer))
        if case.get("resets"):
            after = self.state()
            found += row_differences(case["expect"].get("changes", {}), self.before, after)
            # Also after a refusal: a sequence may have moved.
            self.reset()
        return found


def _digits(text: str) -> str:
    """A number of a stored row. The recording kept its value there, not its zeros."""
    return f"\0{Decimal(text).normalize():f}"


def differences(case: Case, answer: Answer) -> Iterator[Difference]:
    """The differences of an answer to what was recorded, stored rows aside."""
    expect, ignored, soft = case["expect"], set(case.get("ignore", [])), set(case.get("soft", []))
    if "status" not in ignored and answer.status != int(expect["status"]):
        yield Difference("status", "status", int(expect["status"]), answer.status)
    yield from header_differences(case, answer)
    if "body" not in expect:
        if answer.text:
            yield Difference("body", "body", "", answer.text)
    elif "json" in answer.headers.get("content-type", ""):
        try:
            got = parse(answer.text)
        except ValueError:
            yield Difference("body", "body", expect["body"], answer.text)
            return
        yield from body_differences(expect["body"], got, ignored, soft)
    elif answer.text != expect["body"]:
        yield Difference("body", "body", expect["body"], answer.text)


def body_differences(expected: Any, got: Any, ignored: set[str], soft: set[str]) -> Iterator[Difference]:
    """The differences of a JSON body."""
    if isinstance(expected, dict) and isinstance(got, dict):
        expected, got = ({k: v for k, v in part.items() if k not in ignored} for part in (expected, got))
        if expected.get("code") == "PGRST201":
            expected, got = ({**part, "details": _set(part.get("details"))} for part in (expected, got))
        for key in sorted(soft):
            wanted, other = expected.pop(key, None), got.pop(key, None)
            if wanted != other:
                yield Difference("texts", key, wanted, other)
    if expected != got:
        yield Difference("body", "body", expected, got)


def _set(details: Any) -> Any:
    return (
        sorted(json.dumps(entry, sort_keys=True) for entry in details)
        if isinstance(details, list)
        else details
    )


def header_differences(case: Case, answer: Answer) -> Iterator[Difference]:
    """Contractual headers that are missing, different or too many."""
    expect, match = case["expect"], case.get("match") or case["expect"].get("match") or {}
    for name in (*CONTRACT, *(expect.get("more_headers") or case.get("more_headers") or ())):
        wanted, got = expect["headers"].get(name), answer.headers.get(name)
        if name in match:
            if got is None or not re.fullmatch(match[name], got):
                yield Difference("headers", name, match[name], got)
        elif wanted != got:
            yield Difference("headers", name, wanted, got)


def row_differences(changes: dict[str, Any], before: State, after: State) -> Iterator[Difference]:
    """Rows that were stored or lost otherwise than recorded."""
    for table in sorted({*before, *changes}):
        wanted = changes.get(table, {})
        for word, got in (
            ("removed", before[table] - after[table]),
            ("added", after[table] - before[table]),
        ):
            rows = Counter(_row(row) for row in wanted.get(word, []))
            if rows != got:
                yield Difference("rows", f"{table} {word}", sorted(rows), sorted(got))


def _row(row: Any) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, Number):
            return _digits(str(value))
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        return [plain(entry) for entry in value] if isinstance(value, list) else value

    return json.dumps(plain(row), sort_keys=True)


def worst(found: Iterable[Difference]) -> str | None:
    """The kind by which a case counts; None when it is equal."""
    kinds = {difference.kind for difference in found}
    return next((kind for kind in KINDS if kind in kinds), None)


@contextmanager
def serve(cluster: Cluster, keys: Keys, name: str, folder: Path, config: str = CONFIG) -> Iterator[Server]:
    """A database with the recorded shop and a gateway on it."""
    databases.bootstrap(cluster, name)
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config)
    gateway = Gateway(
        cluster.superuser_url(name),
        keys,
        log=folder / f"{name}-gateway.log",
        env={"SUPABASE_CONFIG": str(path)},
    )
    gateway.start()
    try:
        with psycopg.connect(cluster.url(name), autocommit=True) as connection:
            connection.execute((DATA / "fixture.sql").read_bytes())
        server = Server(cluster, name, gateway, keys)
        try:
            yield server
        finally:
            server.close()
    finally:
        gateway.stop()
        databases.drop(cluster, name)


def replay(groups: list[str]) -> bool:
    """Replay some groups, or all, on a throw-away cluster and print the differences.

    Parameters:
        groups: names of groups, or of single cases up to the first space.

    Returns:
        True when there is no difference but in texts.
    """
    wanted = set(groups)
    cases = [case for case in load_cases() if not wanted or wanted & {case["group"], case["name"].split()[0]}]
    if not cases:
        raise LauncherError(f"No recorded call is in {', '.join(groups)}.")
    home = temporary_directory()
    cluster = Cluster(home / "postgres", durable=False)
    totals: Counter[tuple[str, str]] = Counter()
    try:
        cluster.init()
        cluster.start()
        with serve(cluster, Keys.generate(), "conform", home / "log") as server:
            for case in cases:
                found = server.compare(case)
                totals[case["group"], worst(found) or "equal"] += 1
                if found:
                    print(f"{case['name']}  {case['method']} {case['path']}")
                for difference in found:
                    print(f"  {difference}")
    finally:
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)
    print_totals(totals)
    return all(kind in ("equal", "texts") for _group, kind in totals)


def print_totals(totals: Counter[tuple[str, str]]) -> None:
    """How many cases of each group are equal, and of which kind the others are."""
    columns = ("equal", *KINDS)
    print(f"{'group':14}" + "".join(f"{name:>9}" for name in columns))
    for group in sorted({group for group, _kind in totals}):
        print(f"{group:14}" + "".join(f"{totals[group, name]:9}" for name in columns))
    sums = [sum(count for (_group, kind), count in totals.items() if kind == name) for name in columns]
    print(f"{'total':14}" + "".join(f"{count:9}" for count in sums))
