"""docs/error_codes.md lists what the command line adds to the codes of the database and the API."""

import ast

from cli.errors import USAGE
from local.paths import ROOT

_ABOVE = {"not_found", "invalid_input", "unauthenticated", "upstream_unavailable"}
# Stands for what Supabase Auth did not name; the text above the table says so.
_AUTH = {"sign_in_failed"}
_STATUS = {"REFUSED": 1, "USAGE": 2, "SIGN_IN": 3, "UNREACHABLE": 4}


def _status(call: ast.Call) -> int:
    if len(call.args) < 3:
        return USAGE
    given = call.args[2]
    return _STATUS[given.id] if isinstance(given, ast.Name) else int(ast.literal_eval(given))


def test_the_codes_of_the_command_line_are_listed() -> None:
    raised = {
        (node.args[0].value, _status(node))
        for file in (ROOT / "cli").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "CliError"
        and isinstance(node.args[0], ast.Constant)
    }
    text = (ROOT / "docs" / "error_codes.md").read_text().partition("## Added by the command line\n")[2]
    rows = [
        [cell.strip() for cell in line.split("|")[1:3]] for line in text.splitlines() if line[:3] == "| `"
    ]
    assert {(code.strip("`"), int(status)) for code, status in rows} == {
        one for one in raised if one[0] not in _ABOVE | _AUTH
    }
    assert rows == sorted(rows)
