"""The errors of finding that a user may see, each with the step that mends it.

Owns their types and wording only. Knows nothing of when they are raised or how
they are shown.
"""

from corpus.errors import ExpectedError

REBUILD = "Run `rapporteur index` to build it."


class IndexMissing(ExpectedError):
    """There is no index to search, or none that is whole."""

    def __init__(self, message: str, hint: str = REBUILD) -> None:
        super().__init__(message, hint)


class IndexMismatch(ExpectedError):
    """The index is whole, but was built by another model, program or format."""

    def __init__(self, message: str, hint: str = "Run `rapporteur index` to rebuild it.") -> None:
        super().__init__(message, hint)


class IndexDamaged(ExpectedError):
    """One generation can't be trusted: a file is missing, changed or refused."""

    def __init__(self, message: str, hint: str = "Run `rapporteur index` to replace it.") -> None:
        super().__init__(message, hint)


class IndexBusy(ExpectedError):
    """Another process is building this index right now."""


class IndexUnwritable(ExpectedError):
    """The index can't be written: no space, no permission, no such place."""


class ModelError(ExpectedError):
    """The embedding model can't be loaded, isn't the expected one or gives no vectors."""


class ForkedProcess(ExpectedError):
    """This process was forked after a model or an index was opened; both would hang in it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} was opened in another process, before a fork.",
            "Start workers afresh (`uvicorn --workers`), not as forks of a loaded process"
            " (`gunicorn --preload`).",
        )
