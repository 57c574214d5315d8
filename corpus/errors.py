"""The errors a user may see.

Owns the base of them all and those of reading a library. Knows nothing of how
an error is shown: the terminal, the page and the API each do that.
"""


class ExpectedError(Exception):
    """Something went wrong that the user can understand and mend.

    `message` is one sentence that names the thing; `hint` is the next step, an
    imperative sentence, or empty where there is none.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UnreadableFile(ExpectedError):
    """One file of the library can't be read; the others still can.

    `path` is the file's path relative to the library, with control and
    direction-changing characters already escaped, so that it is safe to print.
    """

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{path}: {reason}", hint)
        self.path = path
        self.reason = reason


class LibraryError(ExpectedError):
    """The library as a whole can't be used: no such folder, or nothing in it to read."""
