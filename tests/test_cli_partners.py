"""`rapporteur partners …` as an operator runs it, and the two sites of its demo."""

import base64
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result
from web_material import LIBRARY

from assistant.cli import app
from assistant.web.pages import STATIC
from assistant.web.partners import read_partners
from assistant.web.partners_edit import add_partner
from index.embeddings import Embedder
from index.ingest import ingest

COMMAND = (sys.executable, "-c", "from assistant.cli import main; main()")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """A folder with a small library and its index."""
    root = tmp_path_factory.mktemp("partners")
    (root / "library").mkdir()
    for name, text in LIBRARY.items():
        (root / "library" / name).write_text(text, encoding="utf-8")
    ingest(root / "library", root / "index", embedder)
    return root


def environment(folder: Path, place: Path) -> dict[str, str]:
    return {
        "RAPPORTEUR_LIBRARY": str(folder / "library"),
        "RAPPORTEUR_INDEX": str(folder / "index"),
        "RAPPORTEUR_PARTNERS": str(place),
        "RAPPORTEUR_PUBLIC_URL": "https://chat.example.org",
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the file of partners stands."""
    return tmp_path / "partners.toml"


def run(place: Path, *words: str, folder: Path = Path("nowhere")) -> Result:
    runner = CliRunner(env=environment(folder, place))
    return runner.invoke(app, ["partners", *words])


def added(place: Path, *words: str) -> str:
    """Add a partner; gives its id."""
    before = set(read_partners(place))
    done = run(place, "add", "NGO", "--origin", "https://www.ngo.example", *words)
    assert done.exit_code == 0, done.output
    (partner_id,) = set(read_partners(place)) - before
    assert partner_id in done.stdout
    return partner_id


class Tags(HTMLParser):
    """Every start tag of some HTML, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# --- add ------------------------------------------------------------------------------------


def test_a_partner_is_added_as_it_was_described(place: Path) -> None:
    done = run(
        place, "add", 'An "NGO"\\', "--origin", "https://www.ngo.example",
        "--origin", "https://ngo.example:8443", "--title", "Ask", "--language", "ar",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (partner,) = read_partners(place).values()
    assert re.fullmatch(r"pub_[0-9a-f]{16}", partner.id)
    assert partner.name == 'An "NGO"\\'
    assert partner.origins == ("https://www.ngo.example", "https://ngo.example:8443")
    assert (partner.title, partner.languages) == ("Ask", ("ar",))
    assert partner.enabled


@pytest.mark.parametrize(
    "before",
    [
        "# my note\n[partners.pub_a] # here too\norigins=['https://a.example']\n\n\n# the end",
        "# my note\r\n[partners.pub_a]\r\ntitle = 'Windows'\r\n",
        'partners.pub_a.title = "dotted"\n',
        "",
        "\n",
    ],
)
def test_what_stands_in_the_file_stays_byte_for_byte(place: Path, before: str) -> None:
    place.write_bytes(before.encode())
    kept = dict(read_partners(place))
    first, second = added(place), added(place)
    assert place.read_bytes().startswith(before.encode())
    assert dict(read_partners(place)).keys() == kept.keys() | {first, second}
    assert {name: read_partners(place)[name] for name in kept} == kept


def test_two_operators_at_once_lose_nothing(place: Path) -> None:
    place.write_text("# ours\n", encoding="utf-8")
    names = [f"NGO {number}" for number in range(24)]
    with ThreadPoolExecutor(8) as operators:
        made = list(
            operators.map(lambda name: add_partner(place, name, ["https://ngo.example"]), names)
        )
    assert sorted(partner.name for partner in read_partners(place).values()) == sorted(names)
    assert set(read_partners(place)) == {partner.id for partner in made}
    assert place.read_text(encoding="utf-8").startswith("# ours\n")


def test_the_file_can_be_read_by_the_server_and_nothing_else_is_left(place: Path) -> None:
    added(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o644
    place.chmod(0o640)
    added(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_link_to_the_file_stays_a_link(place: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("# mine\n", encoding="utf-8")
    place.symlink_to(real)
    added(place)
    assert place.is_symlink()
    assert "[partners." in real.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--origin", "https://ngo.example/"), "Write https://ngo.example"),
        (("--origin", "www.ngo.example"), "Write https://www.ngo.example"),
        (("--origin", "https://*.ngo.example"), "many sites"),
        (("--origin", "https://ngo.example", "--language", "de"), "languages"),
        (("--origin", "https://ngo.example", "--title", "x" * 81), "title"),
    ],
)
def test_what_would_be_refused_is_not_written(
    place: Path, words: tuple[str, ...], told: str
) -> None:
    place.write_text("# mine\n", encoding="utf-8")
    done = run(place, "add", "NGO", *words)
    assert done.exit_code == 1
    assert told in str(done.exception)
    assert place.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("broken", ["[partners.pub_a\n", "[x]\n", "partners = {}\n"])
def test_a_file_with_problems_is_left_alone(place: Path, broken: str) -> None:
    place.write_text(broken, encoding="utf-8")
    done = run(place, "add", "NGO", "--origin", "https://ngo.example")
    assert done.exit_code == 1
    assert place.read_text(encoding="utf-8") == broken


def test_a_partner_without_an_origin_is_a_usage_error(place: Path) -> None:
    assert run(place, "add", "NGO").exit_code == 2
    assert not place.exists()


# --- the lines to paste ---------------------------------------------------------------------


def test_the_snippet_names_the_loader_by_what_is_in_it(place: Path) -> None:
    done = run(place, "snippet", added(place, "--title", 'Ask "us" & <b>'))
    tags = Tags(done.stdout).found
    loader = (STATIC / "loader.js").read_bytes()
    pinned, following = (attributes for tag, attributes in tags if tag == "script")
    name = f"loader-{hashlib.sha256(loader).hexdigest()[:12]}.js"
    assert pinned["src"] == f"https://chat.example.org/embed/v1/{name}"
    digest = base64.b64encode(hashlib.sha384(loader).digest()).decode()
    assert pinned["integrity"] == f"sha384-{digest}"
    assert pinned["crossorigin"] == "anonymous"
    assert following["src"] == "https://chat.example.org/embed/v1/loader.js"
    sites = [attributes["site"] for tag, attributes in tags if tag == "rapporteur-chat"]
    assert sites == list(read_partners(place)) * 2
    (frame,) = (attributes for tag, attributes in tags if tag == "iframe")
    assert frame["src"] == f"https://chat.example.org/embed/v1/frame?site={sites[0]}"
    assert frame["title"] == 'Ask "us" & <b>'


def test_an_unknown_partner_has_no_snippet(place: Path) -> None:
    done = run(place, "snippet", "pub_nobody")
    assert done.exit_code == 1
    assert "pub_nobody" in str(done.exception)


def test_without_a_public_address_the_snippet_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner_id = added(place)
    runner = CliRunner(env={**environment(Path(), place), "RAPPORTEUR_PUBLIC_URL": ""})
    done = runner.invoke(app, ["partners", "snippet", partner_id])
    assert "http://127.0.0.1:7860/embed/v1/loader.js" in done.stdout
    assert "RAPPORTEUR_PUBLIC_URL" in done.stderr


def test_a_colour_of_ones_own_is_given_for_the_button_too(place: Path) -> None:
    place.write_text('[partners.pub_a]\naccent = "#7a1f5c"\n', encoding="utf-8")
    assert "--rapporteur-accent: #7a1f5c" in run(place, "snippet", "pub_a").stdout
    place.write_text("[partners.pub_a]\n", encoding="utf-8")
    assert "--rapporteur-accent" not in run(place, "snippet", "pub_a").stdout


# --- list and check -------------------------------------------------------------------------


def test_all_partners_are_listed(place: Path) -> None:
    assert "no partners" in run(place, "list").stdout
    assert f"There is no file {place}" in run(place, "list").stderr
    place.write_text(
        '[partners.pub_a]\nname = "One"\norigins = ["https://a.example"]\n'
        "[partners.pub_b]\nenabled = false\n",
        encoding="utf-8",
    )
    shown = run(place, "list").stdout
    for text in ("pub_a  One  (on;", "https://a.example", "pub_b", "(off;", "shown nowhere"):
        assert text in shown


def test_the_check_passes_what_is_right(place: Path, indexed: Path) -> None:
    done = run(place, "check", folder=indexed)
    assert (done.exit_code, done.stdout) == (0, "Partners: 0. Problems: none.\n")
    assert f"There is no file {place}" in done.stderr
    place.write_text(
        '[partners.pub_a]\norigins = ["https://a.example"]\ndocuments = ["assembly.md"]\n',
        encoding="utf-8",
    )
    done = run(place, "check", folder=indexed)
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("Partners: 1. Problems: none.\n")


def test_the_check_lists_every_problem_and_fails(place: Path) -> None:
    place.write_text(
        '[partners.pub_a]\nacent = "#000000"\n[partners.pub_b]\norigins = ["x"]\n',
        encoding="utf-8",
    )
    done = run(place, "check")
    assert done.exit_code == 1
    for text in ("pub_a: ", "Perhaps accent is meant", "pub_b: ", "Problems: 2."):
        assert text in done.stdout


def test_the_check_looks_into_the_library(place: Path, indexed: Path) -> None:
    place.write_text(
        '[partners.pub_a]\nkinds = ["poem"]\ndocuments = ["gone.md"]\n', encoding="utf-8"
    )
    done = run(place, "check", folder=indexed)
    assert done.exit_code == 1
    for text in ("'poem'", "'gone.md'", "Problems: 2."):
        assert text in done.stdout
    assert "shown nowhere" in done.stderr


# --- the demo -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(indexed: Path) -> Iterator[list[str]]:
    """The running demo: the address of the assistant and of its two sites."""
    process = subprocess.Popen(
        [*COMMAND, "partners", "demo", "--port", "0"],
        cwd=indexed, env={**os.environ, **environment(indexed, indexed / "mine.toml")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    yield [match.group(0).rstrip("/") for line in lines if (match := re.search(r"http\S+", line))]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) in {0, 130}


def test_the_demo_lets_one_site_embed_and_not_the_other(demo: list[str], indexed: Path) -> None:
    assistant, allowed, other = demo
    assert len({assistant, allowed, other}) == 3
    for site in (allowed, other):
        page = httpx.get(site + "/")
        assert page.headers["content-security-policy"].count(assistant) == 2
        scripts = [attributes for tag, attributes in Tags(page.text).found if tag == "script"]
        loader = httpx.get(str(scripts[0]["src"])).content
        digest = base64.b64encode(hashlib.sha384(loader).digest()).decode()
        assert scripts[0]["integrity"] == f"sha384-{digest}"
        assert 'mode="inline"' in httpx.get(site + "/inline").text
        assert httpx.get(site + "/nothing").status_code == 404
    (frame,) = (
        attributes["src"]
        for tag, attributes in Tags(httpx.get(allowed + "/frame").text).found
        if tag == "iframe"
    )
    policy = httpx.get(str(frame)).headers["content-security-policy"]
    assert f"frame-ancestors {allowed}" in policy
    assert other not in policy
    assert not (indexed / "mine.toml").exists()
