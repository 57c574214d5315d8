"""Writing to the file of partners: one more at its end, and all that stands there kept.

Owns the form that a new partner is written in, and that writers go one after the other.
What it means is in `partners`.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import tomlkit

from assistant.web.partners import Partner, PartnersUnusable, partners_from
from corpus.errors import ExpectedError

_HEAD = "# The partners whose sites may embed the assistant. README lists what may be set.\n"

_NEW_FILE_MODE = 0o644


def add_partner(
    path: Path, name: str, origins: Sequence[str], *, title: str = "", languages: Sequence[str] = ()
) -> Partner:
    """Write a new partner with an id of its own to the file at `path`; gives that partner.

    Every byte that stands there stays, also what others add at the same time: they wait for
    each other. Readers see the file as it was or as it is now, never half of it. Raises
    `PartnersUnusable` when the file has problems already; `ExpectedError` when what is added
    would be one, or when the file can't be written. It is then as it was.
    """
    fields: dict[str, object] = {"name": name} if name else {}
    fields["origins"] = list(origins)
    fields |= {"title": title} if title else {}
    fields |= {"languages": list(languages)} if languages else {}
    # A link stays a link: what it leads to is replaced.
    target = path.resolve()
    try:
        with _only_writer(target.parent):
            added, after = _with_one_more(_read(target), fields, path)
            _replace(target, after)
    except OSError as error:
        raise ExpectedError(
            f"{path} can't be written: {error.strerror}.",
            "Check that its folder is there and may be written, or name another file: "
            "RAPPORTEUR_PARTNERS.",
        ) from error
    return added


def _with_one_more(before: bytes, fields: dict[str, object], path: Path) -> tuple[Partner, bytes]:
    """A new partner, and the bytes of the file with it at the end."""
    partners_from(before, path)
    partner_id = f"pub_{secrets.token_hex(8)}"
    block = tomlkit.dumps({"partners": {partner_id: fields}}).encode("utf-8")
    if before and not before.endswith(b"\n"):
        before += b"\n"
    after = (before + b"\n" if before else _HEAD.encode() + b"\n") + block
    try:
        return partners_from(after, path)[partner_id], after
    except PartnersUnusable as error:
        first = error.problems[0]
        message = f"The partner can't be added: {first.message}."
        raise ExpectedError(message, f"{first.hint}.") from error


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process adds to a file of `folder`; freed at the end, even by a kill.

    The folder itself is locked: the file gives its name to another one, and a lock of its
    own beside it would be left behind.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ExpectedError(
            f"{path} can't be read: {error.strerror}.", "Check the name and the permissions."
        ) from error


def _replace(path: Path, raw: bytes) -> None:
    """Put a file with `raw` in the place of `path`, on disk before it gets the name."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as written:
        beside = Path(written.name)
        try:
            written.write(raw)
            written.flush()
            os.fsync(written.fileno())
            mode = path.stat().st_mode & 0o777 if path.exists() else _NEW_FILE_MODE
            beside.chmod(mode)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
