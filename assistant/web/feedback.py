"""What visitors think of answers: a rating, perhaps a reason, perhaps a comment.

Owns the table and how long a comment is kept. Holds no question, no address, no time but
the day. Knows nothing of HTTP.
"""

import threading
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import JSON, Column, Date, Engine, MetaData, String, Table, create_engine
from sqlalchemy import update as changed
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from assistant.web.api_schema import COMMENT_LIMIT, FeedbackRequest
from corpus.errors import ExpectedError

KEPT_DAYS = 180
"""Days after which a comment is dropped: it may hold what its writer should not have told."""

_METADATA = MetaData()

_RATINGS = Table(
    "ratings",
    _METADATA,
    Column("site", String(60), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("day", Date, nullable=False),
    Column("rating", String(10), nullable=False),
    Column("reason", String(20)),
    Column("comment", String(COMMENT_LIMIT), nullable=False),
    Column("generation", String(100), nullable=False),
    Column("documents", JSON, nullable=False),
)


class Feedback:
    """The ratings in a database, which is made at the first one. Threads may share it."""

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's. Raises `ExpectedError` for one that can't be used."""
        try:
            self._engine: Engine = create_engine(url, hide_parameters=True)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise ExpectedError(
                "The setting RAPPORTEUR_FEEDBACK can't be used.",
                "Set a database's URL as sqlite:///feedback.db, or leave it empty.",
            ) from error
        self._lock = threading.Lock()
        self._cleared: date | None = None

    def keep(self, sent: FeedbackRequest, site: str, documents: frozenset[str]) -> None:
        """Keep a rating; one of the same site and id takes the place of the former.

        `documents` are those that the library holds: no other id is kept. Raises
        `ExpectedError` when the database can't be written.
        """
        today = datetime.now(UTC).date()
        row = {
            "site": site,
            "id": sent.id,
            "day": today,
            "rating": sent.rating,
            "reason": sent.reason,
            "comment": sent.comment.replace("\0", "").strip()[:COMMENT_LIMIT],
            "generation": sent.generation.replace("\0", ""),
            "documents": [name for name in sent.documents if name in documents],
        }
        try:
            # One writer at a time: SQLite would make the others wait all the same.
            with self._lock, self._prepared(today).begin() as connection:
                same = (_RATINGS.c.site == site) & (_RATINGS.c.id == sent.id)
                connection.execute(_RATINGS.delete().where(same))
                connection.execute(_RATINGS.insert().values(row))
        except SQLAlchemyError as error:
            raise ExpectedError("Your rating can't be kept at the moment.") from error

    def _prepared(self, today: date) -> Engine:
        """The database with its table and, from the first rating of a day on, no old comments."""
        if self._cleared != today:
            _METADATA.create_all(self._engine)
            old = _RATINGS.c.day < today - timedelta(days=KEPT_DAYS)
            with self._engine.begin() as connection:
                connection.execute(changed(_RATINGS).where(old).values(comment=""))
            self._cleared = today
        return self._engine

    def close(self) -> None:
        """Close the connections; the next rating opens them again."""
        self._engine.dispose()
