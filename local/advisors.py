"""The Supabase CLI's database advisors, held against the answers that docs/advisors.md gives."""

import json
import re
from pathlib import Path
from typing import Any

from local import node
from local.errors import LauncherError
from local.paths import ROOT

ANSWERS = ROOT / "docs" / "advisors.md"
_SERIOUS = {"WARN", "ERROR"}
# | `key` | answer |
_ROW = re.compile(r"^\|\s*`([^`]+)`\s*\|\s*(.*?)\s*\|$")


def unanswered(url: str, answers: Path = ANSWERS) -> list[str]:
    """Run the advisors on a migrated database.

    Parameters:
        url: the database's address as role postgres.
        answers: the file with a table of finding keys and answers.

    Returns:
        One text for each finding at warning or above without an answer, and for each answer without a
        finding.
    """
    # Keys with a blank belong to another check, which names itself in front.
    return compare(findings(url), {key: why for key, why in read_answers(answers).items() if " " not in key})


def findings(url: str) -> list[dict[str, Any]]:
    """Everything the advisors say about a database, at every level."""
    done = node.supabase(
        "db", "advisors", f"--remote={url}", "--level=info", "--fail-on=none", "--output-format=json"
    )
    if done.returncode != 0:
        raise LauncherError("The database advisors did not run.", done.stdout + done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found


def read_answers(file: Path) -> dict[str, str]:
    """The answers by finding key; empty when there is no such file."""
    if not file.exists():
        return {}
    rows = (_ROW.match(line) for line in file.read_text().splitlines())
    return {row[1]: row[2] for row in rows if row and row[2]}


def compare(found: list[dict[str, Any]], answers: dict[str, str]) -> list[str]:
    """Say what is wrong between findings and answers; empty when every serious finding is answered."""
    open_findings = [
        f"{finding['level']} {finding['cacheKey']}: {finding['detail']}\n  {finding['remediation']}"
        for finding in found
        if finding["level"] in _SERIOUS and finding["cacheKey"] not in answers
    ]
    known = {finding["cacheKey"] for finding in found}
    stale = [
        f"{ANSWERS.relative_to(ROOT)} answers {key}, which the advisors no longer find"
        for key in answers
        if key not in known
    ]
    return open_findings + stale
