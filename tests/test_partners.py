"""The file of partners: what may stand in it, what is refused and how, and how it is followed."""

import logging
import os
import re
from pathlib import Path

import pytest

from assistant.settings import Settings
from assistant.web.pages import STATIC
from assistant.web.partner_checks import DARK_PAGE, LIGHT_PAGE, TINT, checked_accent
from assistant.web.partners import PartnersFile, PartnersUnusable, Problem, read_partners

GOOD = """
[partners.pub_ngo1]
name = "NGO One"
origins = ["https://www.ngo1.example", "https://ngo1.example:8443", "http://localhost:8080"]
title = "Ask about rights"
greeting = "Hello.\\nAsk away."
starters = ["What is the council?"]
languages = ["fr", "ar"]
accent = "#1D4ED8"
accent_dark = "#93c5fd"
kinds = ["institution"]
documents = ["assembly.md"]
mode = "visitor"
questions_per_minute = 10
questions_per_day = 500
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file stands."""
    return tmp_path / "partners.toml"


def problems(path: Path, text: str) -> tuple[Problem, ...]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PartnersUnusable) as refused:
        read_partners(path)
    assert refused.value.message
    assert refused.value.hint
    assert all(problem.message and problem.hint for problem in refused.value.problems)
    return refused.value.problems


def problem(path: Path, line: str) -> Problem:
    """The one problem of a partner with one line."""
    (found,) = problems(path, f"[partners.pub_a]\n{line}\n")
    assert found.partner == "pub_a"
    return found


# --- what a partner may be -----------------------------------------------------------------


def test_a_whole_partner_is_read(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    partner = read_partners(path)["pub_ngo1"]
    assert partner.id == "pub_ngo1"
    assert partner.languages == ("fr", "ar")
    assert partner.starters == ("What is the council?",)
    assert (partner.accent, partner.mode) == ("#1d4ed8", "visitor")
    assert (partner.questions_per_minute, partner.questions_per_day) == (10, 500)
    assert partner.enabled


def test_only_the_origins_as_they_stand_are_allowed(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    partner = read_partners(path)["pub_ngo1"]
    assert partner.allows("https://www.ngo1.example")
    for other in (
        "", "null", "https://www.ngo1.example/", "http://www.ngo1.example", "https://ngo1.example",
        "https://www.ngo1.example:443", "https://WWW.ngo1.example", "https://ngo1.example:8444",
        "https://www.ngo1.example.evil.org", "https://xwww.ngo1.example", "http://localhost",
    ):  # fmt: skip
        assert not partner.allows(other)


def test_a_partner_with_nothing_said_is_let_in_nowhere(path: Path) -> None:
    path.write_text("[partners.pub_a]\n", encoding="utf-8")
    partner = read_partners(path)["pub_a"]
    assert partner.origins == ()
    assert not partner.allows("")
    assert not partner.allows("https://a.example")


def test_a_disabled_partner_is_let_in_nowhere(path: Path) -> None:
    path.write_text(GOOD + "enabled = false\n", encoding="utf-8")
    assert not read_partners(path)["pub_ngo1"].allows("https://www.ngo1.example")
    assert PartnersFile(path).get("pub_ngo1") is None


def test_without_a_file_there_are_no_partners(path: Path) -> None:
    assert read_partners(path) == {}
    assert PartnersFile(path).get("pub_ngo1") is None


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://*.ngo.example", "many sites"),
        ("*", "many sites"),
        ("https://ngo.example/", "Write https://ngo.example"),
        ("https://ngo.example/page?x#y", "Write https://ngo.example"),
        ("https://ngo.example?", "Write https://ngo.example"),
        ("https://NGO.example", "Write https://ngo.example"),
        ("http://ngo.example", "Write https://ngo.example"),
        ("http://localhost.evil.example", "encrypted"),
        ("https://ngo.example:443", "Write https://ngo.example"),
        ("http://localhost:80", "Write http://localhost"),
        ("https://ngo.example:08443", "Write https://ngo.example:8443"),
        ("https://ngo.example:", "Write https://ngo.example"),
        ("https://ngo.example:99999", "understood"),
        ("https://bücher.example", "punycode: xn--bcher-kva.example"),
        ("https://user@ngo.example", "scheme and a host"),
        ("ngo.example", "Write https://ngo.example"),
        ("null", "scheme and a host"),
        ("", "scheme and a host"),
        ("file:///x", "scheme and a host"),
        ("https://ngo.example; script-src *", "many sites"),
        ("https://ngo.example;sandbox", "host name"),
        ("https://ngo.example https://evil.example", "host name"),
        ("https://[::1]:8443", "host name"),
        ("https://93.184.216.34", "number"),
        ("https://a_b.example", "host name"),
        (" https://ngo.example", "scheme, host and port"),
    ],
)  # fmt: skip
def test_any_other_form_of_an_origin_is_refused(path: Path, origin: str, told: str) -> None:
    found = problem(path, f'origins = ["{origin}"]')
    assert told in f"{found.message}. {found.hint}"


def test_unprintable_origins_are_refused(path: Path) -> None:
    for escape in ("\\n", "\\t", "\\u0000", "\\r\\n"):
        problem(path, f'origins = ["https://ngo.example{escape}"]')


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('origin = ["https://a.example"]', "Perhaps origins is meant"),
        ("nonsense = 1", "The keys are"),
        ('id = "pub_b"', "name of the table"),
        ('origins = "https://a.example"', "origins: it should be a list"),
        ("origins = [1]", "entry 1"),
        ('languages = ["en", "de"]', "entry 2"),
        ("languages = []", "languages"),
        ('languages = ["en", "en"]', "twice"),
        ('title = ""', "title"),
        ('title = "a\\nb"', "line break"),
        (f'title = "{"x" * 81}"', "title"),
        ('starters = ["1", "2", "3", "4", "5", "6", "7"]', "at most 6 items, not 7"),
        (f'greeting = "{"x" * 501}"', "greeting"),
        ('questions_per_minute = "30"', "a whole number, without quotes"),
        ("questions_per_minute = 0", "questions_per_minute"),
        ("questions_per_day = 1.5", "questions_per_day"),
        ("questions_per_day = true", "questions_per_day"),
        ('enabled = "no"', "true or false, without quotes"),
        ("enabled = 0", "enabled"),
        ('mode = "poems"', "mode"),
        ('accent = "blue"', "#1d4f8c"),
        ('accent = "#12345"', "#1d4f8c"),
    ],
)
def test_what_cant_be_used_is_told_with_the_next_step(path: Path, line: str, told: str) -> None:
    found = problem(path, line)
    assert told in f"{found.message}. {found.hint}"


@pytest.mark.parametrize(
    "name", ["ngo", "PUB_a", "pub_", f"pub_{'x' * 41}", "'pub_a b'", "'pub_é'"]
)
def test_an_id_has_one_form(path: Path, name: str) -> None:
    (found,) = problems(path, f"[partners.{name}]\n" if "'" in name or name.isascii() else name)
    assert "id" in found.message


def test_every_problem_is_listed_with_its_partner(path: Path) -> None:
    text = (
        GOOD + '[partners.pub_b]\nacent = 1\nmode = "x"\n[partners.pub_c]\norigins = ["*"]\n[x]\n'
    )
    found = [(each.partner, each.message) for each in problems(path, text)]
    assert [partner for partner, _ in found] == ["", "pub_b", "pub_b", "pub_c"]
    with pytest.raises(PartnersUnusable, match="And 3 more"):
        read_partners(path)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"[partners.pub_a\n", "line 1"),
        (b"\xff\xfe", "UTF-8"),
        (b"partners = 1", "table"),
        (b"[partners]\npub_a = 1", "pub_a"),
        (b"#" * (1024 * 1024 + 1), "bytes"),
        (b"[partners.pub_a]\ntitle = 'a'\ntitle = 'b'\n", "line 3"),
    ],
)
def test_a_file_that_is_no_list_of_partners_is_told(path: Path, raw: bytes, told: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(PartnersUnusable, match=told):
        read_partners(path)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(PartnersUnusable, match="can't be read"):
        read_partners(tmp_path)


# --- colours -------------------------------------------------------------------------------


def test_colours_need_contrast_and_the_error_says_how_much_they_have(path: Path) -> None:
    found = problem(path, 'accent = "#ffcc00"')
    assert re.search(r"contrast of 1\.\d\d .*light theme.*needs 4\.5", found.message)
    assert found.hint == "Take a darker one"
    found = problem(path, 'accent_dark = "#222222"')
    assert re.search(r"contrast of 1\.\d\d .*dark theme", found.message)
    assert found.hint == "Take a lighter one"


def test_the_contrast_is_that_of_wcag() -> None:
    # On white alone, #767676 is the lightest grey that passes; on the tint it does not.
    with pytest.raises(ValueError, match=r"4\.0\d"):
        checked_accent("#767676", LIGHT_PAGE)
    assert checked_accent("#6B6B6B", LIGHT_PAGE) == "#6b6b6b"


def test_the_grounds_are_those_of_the_widget() -> None:
    css = (STATIC / "frame.css").read_text(encoding="utf-8")
    assert f"light-dark(#fff, {DARK_PAGE})" in css
    assert LIGHT_PAGE == "#ffffff"
    assert f"var(--accent) {TINT:.0%}" in css


# --- while the server runs -----------------------------------------------------------------


def changed(path: Path, text: str) -> None:
    """Write the file as an editor does: a new one in its place."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def test_a_change_counts_at_once(path: Path) -> None:
    partners = PartnersFile(path)
    assert partners.all() == {}
    changed(path, GOOD)
    assert partners.get("pub_ngo1") is not None
    assert partners.get("pub_other") is None
    changed(path, GOOD.replace("500", "600"))
    found = partners.get("pub_ngo1")
    assert found is not None
    assert found.questions_per_day == 600
    changed(path, GOOD + "enabled = false\n")
    assert partners.get("pub_ngo1") is None
    assert "pub_ngo1" in partners.all()
    path.unlink()
    assert partners.all() == {}


def test_a_change_in_place_of_the_same_length_counts_too(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    partners = PartnersFile(path)
    before = path.stat()
    path.write_text(GOOD.replace("500", "600"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    found = partners.get("pub_ngo1")
    assert found is not None
    assert found.questions_per_day == 600


def test_a_broken_edit_keeps_the_last_good_one_and_is_logged_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(GOOD, encoding="utf-8")
    partners = PartnersFile(path)
    assert partners.problem == ""
    with caplog.at_level(logging.WARNING):
        changed(path, GOOD.replace("https://www.ngo1.example", "https://*.secret.example"))
        for _ in range(5):
            found = partners.get("pub_ngo1")
            assert found is not None
            assert found.allows("https://www.ngo1.example")
        assert partners.problem
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text + partners.problem
    assert "pub_ngo1" not in caplog.text + partners.problem
    changed(path, GOOD)
    assert partners.problem == ""


def test_with_a_broken_file_nothing_starts(path: Path) -> None:
    path.write_text("[partners.pub_a]\nnonsense = 1\n", encoding="utf-8")
    with pytest.raises(PartnersUnusable):
        PartnersFile(path)


def test_the_settings_name_the_file() -> None:
    assert Settings(_env_file=None).partners == Path("partners.toml")  # type: ignore[call-arg]


def test_the_example_in_readme_can_be_used(path: Path) -> None:
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(\[partners\..*?)```", readme, re.DOTALL)
    path.write_text(example, encoding="utf-8")
    (partner,) = read_partners(path).values()
    assert set(partner.model_fields_set) == set(type(partner).model_fields)
