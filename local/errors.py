"""The one error of the launcher that a person reads without a traceback."""


class LauncherError(Exception):
    """Something the launcher cannot go on with.

    Parameters:
        message: a sentence that says what failed and, where known, what to do.
        detail: more lines for the reader, for instance the end of a log.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
