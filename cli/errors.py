"""What can stop a command, each with the stable code that scripts read and the exit status of its kind."""

from collections.abc import Mapping
from typing import Any

from backend.app.core.errors import Problem

# The database said no; the command was not understood; sign in first; out of reach.
REFUSED, USAGE, SIGN_IN, UNREACHABLE = 1, 2, 3, 4


class CliError(Exception):
    """Something that the command line itself cannot go on with.

    Parameters:
        code: stable, for scripts.
        message: a sentence for people, with what to do about it.
        status: the exit status.
        facts: what a script may want besides; one may well be called status, too.
    """

    def __init__(self, code: str, message: str, status: int = USAGE, /, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts: Mapping[str, Any] = facts
        self.status = status

    @classmethod
    def of(cls, problem: Problem) -> "CliError":
        """The same refusal that the API would answer, with the same code."""
        status = {401: SIGN_IN, 503: UNREACHABLE, 504: UNREACHABLE}.get(problem.status, REFUSED)
        message = problem.detail
        if status == SIGN_IN:
            message = f"{message} (branchline login --email ...)"
        return cls(problem.code, message, status, **problem.facts)
