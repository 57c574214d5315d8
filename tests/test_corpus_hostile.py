"""Files made to harm whoever reads them, and files that merely can't be read."""

import io
import os
import signal
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pytest

from corpus.documents import Document
from corpus.errors import LibraryError, UnreadableFile
from corpus.library import SourceFile, file_digest, scan, survey
from corpus.opening import printable, read_bytes
from corpus.reading import Limits, Reader, read_document

SECRET = "CANARY-SECRET"
TEXT = "Trade between nations grew quickly after the war, and many treaties followed."


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    limits = Limits(seconds=20, cpu_seconds=5, memory_mb=700, file_bytes=8 * 1024 * 1024)
    with Reader(limits) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "good.txt").write_text(f"Trade Today\n\n{TEXT}\n")
    return folder


def source(root: Path, path: str) -> SourceFile:
    return SourceFile(path=path, absolute=root / path)


def refusal(reader: Reader, root: Path, name: str, data: bytes | None = None) -> UnreadableFile:
    """The refusal of one file; after it the same reader reads a good one."""
    if data is not None:
        (root / name).write_bytes(data)
    with pytest.raises(UnreadableFile) as refused:
        reader.read(source(root, name), root)
    assert refused.value.hint
    assert refused.value.path == name
    assert reader.read(source(root, "good.txt"), root).title == "Trade Today"
    return refused.value


def test_links_pipes_and_sockets_are_listed_and_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    for name, target in {
        "file.txt": outside / "secret.txt",
        "passwd.txt": Path("/etc/passwd"),
        "folder": outside,
        "up": Path(".."),
        "loop": root / "loop",
        "dangling.txt": root / "nothing.txt",
        "zero.txt": Path("/dev/zero"),
        "environ.txt": Path("/proc/self/environ"),
    }.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe.txt")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(root / "socket.txt"))
    listener.close()
    found = survey(root)
    assert [file.path for file in found.files] == ["good.txt"]
    assert {failed.path for failed in found.unreadable} == {
        path.name for path in root.iterdir() if path.name != "good.txt"
    }
    assert all(failed.hint for failed in found.unreadable)


def test_what_is_passed_over(root: Path) -> None:
    (root / ".hidden").mkdir()
    for name in (".hidden/a.txt", ".b.txt", "README.md", "good.questions.toml", "x.py", "y"):
        (root / name).write_text("text")
    found = survey(root)
    assert [file.path for file in found.files] == ["good.txt"]
    assert found.files[0].questions == root / "good.questions.toml"
    assert found.unreadable == ()
    assert {path for path, _ in found.ignored} == {
        ".b.txt", "README.md", "good.questions.toml", "x.py", "y",
    }  # fmt: skip


def test_no_folder_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as refused:
        scan(tmp_path / "nothing")
    assert refused.value.hint


@pytest.mark.parametrize(
    "name", ["-dash.txt", 'it\'s "quoted".txt', "<img src=x>.txt", "é ü.txt", "n" * 245 + ".txt"]
)
def test_odd_names_are_read(reader: Reader, root: Path, name: str) -> None:
    (root / name).write_text(f"Odd Names\n\n{TEXT}\n")
    (found,) = [file for file in scan(root) if file.path == name]
    assert reader.read(found, root).path == name


@pytest.mark.parametrize("name", [b"new\nline.txt", "bidi\u202e.txt".encode(), b"\xff\xfe.txt"])
def test_names_that_cannot_be_shown_are_escaped(root: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(root), name), "w") as file:
        file.write(TEXT)
    (failed,) = survey(root).unreadable
    assert printable(failed.path) == failed.path
    assert failed.path.isascii()
    assert failed.hint == "Rename it."


def test_a_file_replaced_by_a_link_after_the_walk(
    reader: Reader, root: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    (root / "in").mkdir()
    (root / "in" / "a.txt").write_text(TEXT)
    found = scan(root)
    (root / "in" / "a.txt").unlink()
    (root / "in" / "a.txt").symlink_to(secret)
    assert "link" in refusal(reader, root, "in/a.txt").reason
    (root / "in" / "a.txt").unlink()
    (root / "in").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_text(SECRET)
    (root / "in").symlink_to(tmp_path / "elsewhere")
    refusal(reader, root, "in/a.txt")
    with pytest.raises(UnreadableFile):
        file_digest(next(file for file in found if file.path == "in/a.txt"))


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "a/../../secret.txt", ""])
def test_paths_out_of_the_folder_are_refused(root: Path, path: str) -> None:
    with pytest.raises(UnreadableFile):
        read_bytes(root, path)


def test_pipe_device_folder_and_sparse_file(reader: Reader, root: Path) -> None:
    os.mkfifo(root / "pipe.txt")
    (root / "folder.txt").mkdir()
    with open(root / "sparse.txt", "wb") as file:
        file.truncate(20 * 1024**3)
    for name in ("pipe.txt", "folder.txt", "sparse.txt", "missing.txt"):
        refusal(reader, root, name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_without_permission(reader: Reader, root: Path) -> None:
    (root / "shut.txt").write_text(TEXT)
    (root / "shut.txt").chmod(0)
    assert "permission" in refusal(reader, root, "shut.txt").hint


def archive(members: dict[str, bytes], compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", compress) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return kept.getvalue()


def word(replace: dict[str, bytes]) -> bytes:
    """A sound Word document with some members replaced or added."""
    kept = io.BytesIO()
    made = docx.Document()
    made.add_paragraph(TEXT)
    made.save(kept)
    with zipfile.ZipFile(kept) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    return archive(members | replace)


def test_archives_that_unpack_to_too_much(reader: Reader, root: Path) -> None:
    refusal(reader, root, "bomb.docx", word({"word/document.xml": b" " * 300_000_000}))
    refusal(reader, root, "many.docx", archive({f"m{n}": b"" for n in range(60_000)}, 0))
    refusal(reader, root, "no-archive.docx", b"PK\3\4 nothing of the kind")
    refusal(reader, root, "locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)


def test_names_that_climb_out_write_nothing(reader: Reader, root: Path) -> None:
    (root / "slip.docx").write_bytes(word({"../../slipped.txt": b"out"}))
    assert reader.read(source(root, "slip.docx"), root).text == TEXT
    assert not list(root.parent.rglob("slipped.txt"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(reader: Reader, root: Path, encoding: str) -> None:
    (root.parent / "secret.txt").write_text(SECRET)
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    external = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{root.parent / "secret.txt"}">]><x>&e;</x>'
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    for body in (external, laughs):
        data = word({"word/document.xml": (head + body).encode(encoding)})
        assert SECRET not in str(refusal(reader, root, "x.docx", data))


def pdf(*objects: bytes, tail: bytes = b"") -> bytes:
    """A PDF of numbered objects, the first of them its root."""
    out = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, tail)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def page_of(content: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    stream = b"<< /Length %d /Filter %s >>\nstream\n" % (len(content), filters)
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        stream + content + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def many_operators() -> bytes:
    """A page that keeps a reader busy for a minute."""
    return page_of(zlib.compress(b"BT /F1 9 Tf " + b"(a) Tj " * 3_000_000 + b"ET"))


CATALOG, PAGES = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids "
BOMBS: dict[str, Callable[[], bytes]] = {
    "flate": lambda: page_of(zlib.compress(b" " * 400_000_000, 9)),
    "flate twice": lambda: page_of(
        zlib.compress(zlib.compress(b" " * 400_000_000, 9), 9), b"[/FlateDecode /FlateDecode]"
    ),
    "operators": many_operators,
    "page loop": lambda: pdf(CATALOG, PAGES + b"[2 0 R] >>"),
    "parent loop": lambda: pdf(
        CATALOG, PAGES + b"[3 0 R] /Parent 3 0 R >>", b"<< /Type /Page /Parent 2 0 R >>"
    ),
    "deep array": lambda: pdf(CATALOG, PAGES + b"[" * 50_000 + b"]" * 50_000 + b" >>"),
    "wild count": lambda: pdf(CATALOG, b"<< /Type /Pages /Kids [] /Count 999999999 >>"),
    "xref loop": lambda: pdf(CATALOG, PAGES + b"[] >>", tail=b"/Prev 9"),
    "no root": lambda: b"%PDF-1.7\ntrailer << >>\nstartxref\n0\n%%EOF",
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_pdf_bombs(reader: Reader, root: Path, name: str) -> None:
    refusal(reader, root, "bomb.pdf", BOMBS[name]())


def test_a_child_that_was_killed_is_replaced(reader: Reader, root: Path) -> None:
    before = reader.read(source(root, "good.txt"), root)
    first = reader.child_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert reader.read(source(root, "good.txt"), root) == before
    assert reader.child_id not in (None, first)


def test_too_little_time_processor_or_memory(root: Path) -> None:
    (root / "slow.pdf").write_bytes(many_operators())
    (root / "large.txt").write_text(f"{TEXT}\n\n" * 100_000)
    with Reader(Limits(seconds=0.5)) as hasty, pytest.raises(UnreadableFile, match="longer than"):
        hasty.read(source(root, "slow.pdf"), root)
    with Reader(Limits(cpu_seconds=0)) as lazy, pytest.raises(UnreadableFile) as ended:
        lazy.read(source(root, "slow.pdf"), root)
    assert "ended the reader" in ended.value.reason
    with Reader(Limits(memory_mb=90)) as narrow, pytest.raises(UnreadableFile, match="memory"):
        narrow.read(source(root, "large.txt"), root)


def test_the_child_keeps_nothing_of_the_environment(
    reader: Reader, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORTEUR_SECRET", SECRET)
    reader.close()
    reader.read(source(root, "good.txt"), root)
    environment = Path(f"/proc/{reader.child_id}/environ")
    if not environment.exists():
        pytest.skip("no /proc on this system")
    assert SECRET.encode() not in environment.read_bytes()


def test_the_child_ends_when_the_reader_is_closed(root: Path) -> None:
    with Reader() as short:
        short.read(source(root, "good.txt"), root)
        child = short.child_id
    assert child is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_digest_of_the_file_is_that_of_its_document(root: Path) -> None:
    (root / "good.questions.toml").write_text('[""]\nquestions = ["What grew?"]\n')
    (found,) = scan(root)
    document: Document = read_document(found, root)
    assert document.digest == file_digest(found)
    assert document.asks == (("", ("What grew?",)),)
    (root / "good.questions.toml").unlink()
    os.mkfifo(root / "good.questions.toml")
    with pytest.raises(UnreadableFile):
        read_document(found, root)


def test_bad_question_file_names_it(reader: Reader, root: Path) -> None:
    (root / "good.questions.toml").write_text('["Nowhere"]\nquestions = ["What grew?"]\n')
    (found,) = scan(root)
    with pytest.raises(UnreadableFile, match="Nowhere"):
        reader.read(found, root)
