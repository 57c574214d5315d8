"""The partners whose sites may embed the assistant: what each may set, and the file of them.

Owns the meaning of `partners.toml` and keeps it up to date while the server runs. Who is
not named there gets nothing. Knows nothing of requests.
"""

import logging
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from assistant.asking import filters_by_name
from assistant.web.partner_checks import DARK_PAGE, LIGHT_PAGE, checked_accent, checked_origin
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Filters

Language = Literal["en", "fr", "es", "ar", "ru", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

ID_FORM = r"pub_[A-Za-z0-9_-]{1,40}"

_LARGEST = 1024 * 1024
"""Bytes of the file: hundreds of partners."""

_LOG = logging.getLogger("rapporteur.web")


def _one_line(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("it holds a line break or another control character")
    return text


def _different(languages: tuple[Language, ...]) -> tuple[Language, ...]:
    if len(set(languages)) < len(languages):
        raise ValueError("one stands there twice; name each language once")
    return languages


def _light(colour: str) -> str:
    return checked_accent(colour, LIGHT_PAGE)


def _dark(colour: str) -> str:
    return checked_accent(colour, DARK_PAGE)


_Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, strip_whitespace=True),
    AfterValidator(_one_line),
]
_Starter = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_one_line),
]
_Origin = Annotated[str, AfterValidator(checked_origin)]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something to mend: at which partner (empty: the file itself), what, and the next step."""

    partner: str
    message: str
    hint: str


class PartnersUnusable(ExpectedError):
    """The file of the partners can't be used; `problems` lists all that is wrong with it."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        first = problems[0]
        place = f"{first.partner}: " if first.partner else ""
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        super().__init__(
            f"{path.name} can't be used: {place}{first.message}.{more}",
            f"{first.hint}. `rapporteur partners check` lists all there is to mend.",
        )
        self.problems = tuple(problems)


class Partner(BaseModel):
    """One partner: where it may embed the assistant, and how that looks and answers there.

    `id` is public: it stands in the partner's pages and is no secret. `kinds` and
    `documents` (by path, title or id) limit what is answered from; empty stands for all.
    With the mode "visitor", the visitor chooses between the modes on offer. The quotas
    are for all visitors of the site together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, StringConstraints(pattern=rf"^{ID_FORM}$")]
    name: str = Field(default="", max_length=200)
    # TOML has lists, not tuples; everything but these must come as it is.
    origins: tuple[_Origin, ...] = Field(default=(), strict=False, max_length=50)
    title: _Title = "Ask the library"
    greeting: str = Field(default="", max_length=500)
    starters: tuple[_Starter, ...] = Field(default=(), strict=False, max_length=6)
    languages: Annotated[tuple[Language, ...], AfterValidator(_different)] = Field(
        default=("en",), strict=False, min_length=1
    )
    accent: Annotated[str, AfterValidator(_light)] = "#1d4f8c"
    accent_dark: Annotated[str, AfterValidator(_dark)] = "#9cc4f5"
    kinds: tuple[str, ...] = Field(default=(), strict=False)
    documents: tuple[str, ...] = Field(default=(), strict=False)
    mode: Literal["quotation", "written", "visitor"] = "quotation"
    questions_per_minute: int = Field(default=30, ge=1, le=100_000)
    questions_per_day: int = Field(default=2000, ge=1, le=10_000_000)
    enabled: bool = True

    def allows(self, origin: str) -> bool:
        """Whether pages of `origin`, as a browser writes it, may embed the assistant."""
        return self.enabled and origin in self.origins

    def filters(self, catalogue: Catalogue) -> Filters:
        """What of the library is answered from.

        A document that the library doesn't hold stands for nothing, and never for all.
        """
        documents: set[str] = set()
        for name in self.documents:
            documents |= _ids(catalogue, name) or {name}
        return Filters(kinds=frozenset(self.kinds), documents=frozenset(documents))

    def missing_from(self, catalogue: Catalogue) -> tuple[Problem, ...]:
        """A problem for each kind and document of the filter that the library doesn't hold."""
        asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((k,), ()) for k in self.kinds]
        asked += [((), (name,)) for name in self.documents]
        found = []
        for kinds, documents in asked:
            try:
                filters_by_name(catalogue, kinds, documents)
            except ExpectedError as error:
                message, hint = error.message.rstrip("."), error.hint.rstrip(".")
                found.append(Problem(partner=self.id, message=message, hint=hint))
        return tuple(found)


def _ids(catalogue: Catalogue, name: str) -> frozenset[str]:
    try:
        return filters_by_name(catalogue, (), (name,)).documents
    except ExpectedError:
        return frozenset()


def read_partners(path: Path) -> Mapping[str, Partner]:
    """The partners of the file at `path` by id; none when there is no such file.

    Raises `PartnersUnusable` with everything that is wrong in it.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return MappingProxyType({})
    except OSError as error:
        reason = f"it can't be read ({error.strerror})"
        raise _unusable(path, reason, "Check the name and the permissions") from error
    return partners_from(raw, path)


def partners_from(raw: bytes, path: Path) -> Mapping[str, Partner]:
    """The partners in the bytes of a file, which errors name by `path`; see `read_partners`."""
    if len(raw) > _LARGEST:
        raise _unusable(path, f"it has more than {_LARGEST} bytes", "Name the right file")
    try:
        held = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _unusable(path, "it isn't UTF-8", "Save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _unusable(path, f"it isn't TOML: {error}", "Mend that line") from error
    return _partners(path, held)


def _unusable(path: Path, message: str, hint: str) -> PartnersUnusable:
    return PartnersUnusable(path, [Problem(partner="", message=message, hint=hint)])


def _partners(path: Path, held: Mapping[str, Any]) -> Mapping[str, Partner]:
    problems = [
        Problem(
            partner="",
            message=f"the key {key!r} isn't known",
            hint="Write each partner as a table [partners.pub_…]",
        )
        for key in held
        if key != "partners"
    ]
    tables = held.get("partners", {})
    if not isinstance(tables, dict):
        raise _unusable(path, "'partners' is no table", "Write [partners.pub_…]")
    partners = {}
    for name, fields in tables.items():
        try:
            given = fields if isinstance(fields, dict) else {"": fields}
            partners[name] = Partner.model_validate({**given, "id": name})
        except ValidationError as error:
            problems += _problems(name, error)
        else:
            if "id" in given:
                problems.append(
                    Problem(
                        partner=name,
                        message="the key 'id' isn't known",
                        hint="The id is the name of the table: leave the key out",
                    )
                )
    if problems:
        raise PartnersUnusable(path, problems)
    return MappingProxyType(partners)


def _problems(partner: str, error: ValidationError) -> list[Problem]:
    found = []
    for each in error.errors():
        key, *inner = (str(part) for part in each["loc"])
        message, _, hint = each["msg"].removeprefix("Value error, ").partition("; ")
        if each["type"] == "extra_forbidden":
            known = [name for name in Partner.model_fields if name != "id"]
            near = get_close_matches(key, known, 1)
            message = f"the key {key!r} isn't known"
            hint = f"Perhaps {near[0]} is meant" if near else f"The keys are {', '.join(known)}"
        elif key == "id":
            message = "its id can't be used"
            hint = "Write pub_ and up to 40 letters, digits, hyphens or underscores"
        else:
            place = f"{key}, entry {int(inner[0]) + 1}" if inner else key
            message = f"{place}: {_plain(message)}"
            hint = hint[:1].upper() + hint[1:] or "README lists what each key may be"
        found.append(Problem(partner=partner, message=message, hint=hint.rstrip(".")))
    return found


def _plain(message: str) -> str:
    """A message of the validation, in the words of who writes the file."""
    for theirs, ours in (
        ("Input should", "it should"),
        ("Tuple should", "it should"),
        ("a valid tuple", "a list"),
        ("a valid boolean", "true or false, without quotes"),
        ("a valid integer", "a whole number, without quotes"),
        ("a valid string", "text, in quotes"),
        (" after validation", ""),
    ):
        message = message.replace(theirs, ours)
    return message


class PartnersFile:
    """The partners as the file has them now; safe to ask from several threads.

    A change counts from the next question on. Where the changed file can't be used, the
    partners it named before stay, and the log says so once; it repeats nothing of the file.
    A file that is taken away takes its partners with it.
    """

    def __init__(self, path: Path) -> None:
        """Raises `PartnersUnusable`: with a broken file a server does not start."""
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._partners = read_partners(path)
        self._problem = ""

    def get(self, site: str) -> Partner | None:
        """The partner with the id `site`; None where there is none, or it is disabled."""
        partner = self.all().get(site)
        return partner if partner is not None and partner.enabled else None

    def all(self) -> Mapping[str, Partner]:
        """Every partner by id, the disabled ones too."""
        with self._lock:
            self._refresh()
            return self._partners

    @property
    def problem(self) -> str:
        """A sentence, fit for the public, while the file as it is can't be used; else empty."""
        with self._lock:
            self._refresh()
            return self._problem

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._partners = read_partners(self._path)
            self._problem = ""
        except PartnersUnusable as error:
            self._problem = "The file of partners can't be used; its last good state is in force."
            _LOG.error(
                "the changed file of partners has problems (%d) and isn't used; the last good "
                "one stays in force. `rapporteur partners check` lists them.",
                len(error.problems),
            )

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
