"""The recorded calls of the real PostgREST 14.17; what differs on purpose is in docs/local_stack.md."""

from collections import defaultdict

import pytest

from local.conform import Case, Difference, Server, load_cases

CASES = load_cases()
GROUPS: dict[str, list[Case]] = defaultdict(list)
for _case in CASES:
    GROUPS[_case["group"]].append(_case)


def listed(found: dict[str, list[Difference]]) -> str:
    """All differences, for people."""
    return "\n".join(f"{name}\n  " + "\n  ".join(map(str, rest)) for name, rest in found.items())


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_group(recorded: Server, group: str) -> None:
    """Status, body, stored rows and contractual headers are PostgREST's."""
    found = {case["name"]: recorded.compare(case) for case in GROUPS[group]}
    wrong = {name: [d for d in rest if d.kind != "texts"] for name, rest in found.items()}
    wrong = {name: rest for name, rest in wrong.items() if rest}
    assert not wrong, listed(wrong)


def test_texts_differ_in_few_cases(recorded: Server) -> None:
    """The words of the query parser are close to Parsec's; what else is soft in the recording is equal."""
    soft = [case for case in CASES if case.get("soft")]
    found = {case["name"]: recorded.compare(case) for case in soft}
    wrong = {name: rest for name, rest in found.items() if rest}
    assert len(wrong) <= 7, listed(wrong)
    only = [d for rest in wrong.values() for d in rest if (d.kind, d.name) != ("texts", "details")]
    assert not only, listed(wrong)


def test_replay_leaves_everything_as_it_was(recorded: Server) -> None:
    recorded.reset()
    assert recorded.state() == recorded.before


def test_the_recording_is_whole() -> None:
    assert len(CASES) == 1504
