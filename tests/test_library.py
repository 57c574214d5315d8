"""The shipped library keeps its rules, and each rule sees what breaks it."""

from pathlib import Path

import pytest
from library_material import SHIPPED, change, shipped, told, write_library
from typer.testing import CliRunner, Result

from assistant.cli import app
from corpus.declarations import KINDS
from corpus.validation import validate

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT.parent / "shared" / "articles"
LONG = " and ".join(["the baker bakes"] * 11)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


# The shipped library


def test_the_shipped_library_keeps_every_rule() -> None:
    problems = validate(SHIPPED)
    assert not problems, told(problems)


def test_nothing_is_copied_from_the_articles_retold() -> None:
    if not ARTICLES.is_dir():
        pytest.skip("the articles that were retold are not beside this checkout")
    alone = validate(SHIPPED)
    copied = tuple(problem for problem in validate(SHIPPED, ARTICLES) if problem not in alone)
    assert not copied, told(copied)


def test_every_kind_has_documents() -> None:
    assert {document.kind for document in shipped().documents.values()} == set(KINDS)


# Each rule


def test_a_library_that_keeps_the_rules_has_no_problem(library: Path) -> None:
    assert validate(library) == ()


BROKEN = [
    ("title: The town of Arland\n", "", "no title"),
    ("# The town of Arland", "# The town of Arlond", "headings of level 1"),
    ("## The customs", "# More\n\n## The customs", "headings of level 1"),
    ("kind: institution", "kind: town", "kind is town"),
    ("kind: institution\n", "", "kind is missing"),
    ("as_of: 2026-02", "as_of: 2026-13", "as_of is no date"),
    ("as_of: 2026-02", "as_of: early in 2026", "as_of is no date"),
    ("status: original text by the project\n", "", "no status"),
    ("sources:\n", "origins:\n", "no sources"),
    ("  symbol: T/arland/1\n", "", "lacks its publisher"),
    ("- publisher: Town archive\n  address", "- address", "lacks its publisher"),
    ("  address: https:", "  address: http:", "http://archive.example.org/arland is no sound"),
    ("  address: https://archive.", "  address: https://arch ive.", "is no sound address"),
    ("archive.example.org/arland\n\n## See", "localhost/arland\n\n## See", "https://localhost/"),
    ("related:\n- borland.md\n", "related:\n", "1 related documents"),
    ("- borland.md\n- corland.md\nstatus", "- borland.md\n- dorland.md\nstatus", "differ in"),
    ("corland.md", "dorland.md", "dorland.md is not the name of one other document"),
    ("corland.md", "arland.md", "arland.md is not the name of one other document"),
    ("## Sources", "## Origins", "The last two headings"),
    ("## See also", "## Also", "The last two headings"),
    ("## The customs", "## The market\n\nMore.\n\n## The customs", "stands 2 times"),
    ("Arland closes its gates late.", f"In Arland {LONG}.", "A sentence has 45 words"),
    ("The market\n", "The market\n\nArland has 40 members.\n", "“40 members” has no date"),
    ("closes its gates late", "has 30 NGOs with 1,200 staff", "“30 NGOs” has no date"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_rule_is_named(library: Path, old: str, new: str, message: str) -> None:
    change(library, "arland.md", old, new)
    problems = validate(library)
    assert any(message in problem.message for problem in problems), told(problems)
    assert all(problem.hint for problem in problems)


def test_the_line_of_a_problem_is_that_of_its_words(library: Path) -> None:
    change(library, "arland.md", "Arland closes its gates late.", "Arland has 40 members.")
    (problem,) = validate(library)
    lines = (library / "arland.md").read_text(encoding="utf-8").splitlines()
    assert lines[problem.line - 1] == "Arland has 40 members."


def test_what_cannot_be_read_is_a_problem_of_its_own_only(library: Path) -> None:
    change(library, "arland.md", "title: The", "title: [The")
    problems = validate(library)
    assert [problem.path for problem in problems] == ["arland.md"]
    assert "front matter can't be read" in problems[0].message


def test_a_text_without_front_matter_lacks_all_of_it(library: Path) -> None:
    (library / "note.txt").write_text("A note without any form.\n", encoding="utf-8")
    messages = told(validate(library))
    for missing in ("no title", "kind is", "as_of", "no sources", "no status", "words, not"):
        assert missing in messages


QUESTIONS = [
    ('["The customs"]', '["The custom"]', "can't be used"),
    ('  "Who in Arland The customs?",\n', "", "“The customs” has 2 questions"),
    ("Who in Arland The customs", 'A?", "B?", "C?", "D?", "E', "“The customs” has 7 questions"),
    ("Who in Arland The customs", "when in Borland the harbour", "“When in Borland The harb"),
    ("Who in Arland The customs", "Where in Arland the town", "is asked under arland.md › The to"),
    ('["The customs"]', '["Sources"]', "“Sources” has no text that is searched"),
]


@pytest.mark.parametrize(("old", "new", "message"), QUESTIONS)
def test_a_broken_question_file_is_named(library: Path, old: str, new: str, message: str) -> None:
    change(library, "arland.questions.toml", old, new)
    assert message in told(validate(library))


def test_a_document_has_a_question_file_and_a_question_file_a_document(library: Path) -> None:
    (library / "arland.questions.toml").rename(library / "dorland.questions.toml")
    problems = validate(library)
    assert [(problem.path, problem.message) for problem in problems] == [
        ("arland.md", "It has no question file."),
        ("dorland.questions.toml", "There is no document beside this question file."),
    ]


# Stated differences

DIFFERENCE = """differences:
- about: when the gates close
  here: Arland closes its gates late.
  document: borland.md
  there: Borland closes its gates late.
status:"""


def test_a_stated_difference_resolves(library: Path) -> None:
    change(library, "arland.md", "status:", DIFFERENCE)
    assert validate(library) == ()


def test_a_document_may_differ_from_itself(library: Path) -> None:
    within = DIFFERENCE.replace("borland", "arland").replace("Borland", "Arland")
    change(library, "arland.md", "status:", within)
    assert validate(library) == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("here: Arland closes", "here: Arland shuts", "in no passage of arland.md: “Arland shuts"),
        ("there: Borland closes", "there: Borland shuts", "in no passage of borland.md: “Borland"),
        ("document: borland", "document: dorland", "dorland.md, said to differ, is not"),
        ("document: borland", "document: arland", "in no passage of arland.md: “Borland"),
        ("document: borland", "document: towns/borland", "towns/borland.md, said to differ"),
    ],
)
def test_a_difference_that_leads_nowhere_is_named(
    library: Path, old: str, new: str, message: str
) -> None:
    change(library, "arland.md", "status:", DIFFERENCE.replace(old, new))
    assert message in told(validate(library))


# The command


def run(*words: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1", "COLUMNS": "200"}).invoke(app, ["validate", *words])


def test_the_command_says_what_to_do(library: Path) -> None:
    done = run("--library", str(library))
    assert (done.exit_code, done.stdout) == (0, "Problems: none.\n")
    change(library, "arland.md", "as_of: 2026-02", "as_of: soon")
    change(library, "borland.md", "status: original text by the project\n", "")
    done = run("--library", str(library))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "arland.md:4: The front matter's as_of is no date.",
        "  Write the date of the newest fact: 2026, 2026-02 or 2026-02-28.",
        "borland.md: The front matter has no status.",
        "  Add it.",
        "Problems: 2.",
    ]


def test_the_command_names_a_folder_that_is_not_there(library: Path) -> None:
    missing = run("--library", str(library / "none"))
    assert missing.exit_code == 1
