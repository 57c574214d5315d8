"""The widget's files: their size, what they may not hold, and their words."""

import gzip
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from assistant.web.embed_files import KEPT, EmbedFiles, digest_name
from assistant.web.pages import STATIC
from assistant.web.partners import LANGUAGES as PARTNER_LANGUAGES
from assistant.web.strings import LANGUAGES, direction, launcher_strings, own_name, strings

SCRIPTS = ("loader.js", "frame.js")
PAGE = ("frame.html", "frame.js", "frame.css")
ENGLISH = strings("en")


def text_of(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def packed(name: str) -> int:
    """Bytes on the wire."""
    return len(gzip.compress((STATIC / name).read_bytes(), mtime=0))


def test_the_loader_is_small() -> None:
    assert packed("loader.js") <= 2.5 * 1024


def test_the_page_is_small() -> None:
    assert sum(packed(name) for name in PAGE) <= 8 * 1024


def test_a_loader_that_partners_pinned_is_kept_as_it_was() -> None:
    kept = {path.name: path.read_bytes() for path in (STATIC / KEPT).iterdir()}
    assert {digest_name("loader.js", body) for body in kept.values()} == set(kept)
    current = digest_name("loader.js", (STATIC / "loader.js").read_bytes())
    assert current in kept, f"copy loader.js to {KEPT}/{current}; keep those of earlier versions"
    changelog = (STATIC.parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = set(re.findall(r"loader-[0-9a-f]{12}\.js", changelog))
    assert released == set(kept), "CHANGELOG names the loader of each version, and no other is kept"


def test_a_pinned_loader_outlives_the_next_one(tmp_path: Path) -> None:
    shutil.copytree(STATIC, tmp_path, dirs_exist_ok=True)
    loader = tmp_path / "loader.js"
    pinned = loader.read_bytes()
    loader.write_bytes(pinned + b"// changed\n")
    files = EmbedFiles(tmp_path)
    answer = files.response(digest_name("loader.js", pinned), Headers())
    assert answer is not None
    assert answer.body == pinned
    assert "immutable" in answer.headers["cache-control"]
    following = files.response("loader.js", Headers())
    assert following is not None
    assert following.body == loader.read_bytes()
    assert files.response(files.lasting("loader.js"), Headers()) is not None


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_never_parse_markup_run_text_or_keep_anything(name: str) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser|srcdoc|"
        r"createContextualFragment|\beval\b|\bFunction\b|\bimport\b|localStorage|sessionStorage|"
        r"indexedDB|\bcookie|\bcaches\b|serviceWorker|sendBeacon|XMLHttpRequest|WebSocket|"
        r'postMessage\([^;]*["\']\*["\']'
    )
    assert re.findall(forbidden, text_of(name)) == []


@pytest.mark.parametrize("name", (*PAGE, "loader.js"))
def test_no_file_names_another_host(name: str) -> None:
    assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.]+", text_of(name)) == []


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    page = text_of("frame.html")
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []


def test_the_languages_are_those_of_the_united_nations() -> None:
    assert set(LANGUAGES) == {"en", "fr", "es", "ar", "ru", "zh"} == set(PARTNER_LANGUAGES)
    assert {lang for lang in LANGUAGES if direction(lang) == "rtl"} == {"ar"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_every_word(lang: str) -> None:
    own, launcher = strings(lang), launcher_strings(lang)
    assert own_name(lang)
    assert list(own) == list(ENGLISH)
    assert list(launcher) == list(launcher_strings("en"))
    assert all(text.strip() == text != "" for text in (*own.values(), *launcher.values()))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_translation_fills_in_the_same(lang: str) -> None:
    for key, text in strings(lang).items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(
            re.findall(r"\{\w+\}", ENGLISH[key])
        ), key


@pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang != "en"])
def test_nothing_is_left_untranslated(lang: str) -> None:
    same = {key for key, text in strings(lang).items() if text == ENGLISH[key]}
    alike_in_french = {
        "passage",
        "sources",
        "kind_article",
        "kind_instrument",
        "kind_institution",
    } | {"conversation"}
    assert same <= (alike_in_french if lang == "fr" else set())


def test_the_words_are_those_that_the_page_asks_for() -> None:
    script = text_of("frame.js") + text_of("frame.html")
    asked = set(re.findall(r"words\.(\w+)", script)) | set(re.findall(r'say\("(\w+)"', script))
    # The rest is put together: `error_` and a reason for failing, `kind_` and a document's kind,
    # `unsupported_` and what was checked.
    errors = {f"error_{name}" for name in re.findall(r'failure\("(\w+)"', script)}
    errors |= {f"error_{name}" for name in re.findall(r'\d{3}: "(\w+)"', script)}
    reasons = {key for key in ENGLISH if f'"{key}"' in script}
    kinds = {key for key in ENGLISH if key.startswith(("kind_", "unsupported_"))}
    assert asked | errors | reasons | kinds == set(ENGLISH)


def test_the_loader_holds_the_words_of_the_table() -> None:
    found = re.findall(r"^ +(\w\w): (\[.*\]),$", text_of("loader.js"), re.MULTILINE)
    held = {lang: json.loads(words) for lang, words in found}
    assert held == {lang: list(launcher_strings(lang).values()) for lang in LANGUAGES}


def test_the_table_says_how_to_translate() -> None:
    source = (STATIC.parent / "strings.toml").read_text(encoding="utf-8")
    assert source.startswith("#")
    assert set(tomllib.loads(source)) == set(LANGUAGES)
