"""The shipped library keeps its rules, and each rule sees what breaks it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from library_material import change, told, write_library
from typer.testing import CliRunner, Result

from assistant.answers import Standing
from assistant.cli import app
from assistant.differences import (
    ABOUT,
    ANSWERS,
    BOTH_NEAR,
    NEAR_QUESTION,
    Conflict,
    Side,
    conflicts,
    shown,
    with_both_sides,
)
from assistant.quoting import Quote
from assistant.ranking import Candidate
from corpus.declarations import KINDS
from corpus.library import scan
from corpus.reading import read_document
from corpus.splitting import split
from corpus.validation import validate
from index.catalogue import Catalogue

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "corpus" / "texts"
ARTICLES = ROOT.parent / "shared" / "articles"
LONG = " and ".join(["the baker bakes"] * 11)
ADDED = "What other sources add"


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


def shipped() -> Catalogue:
    read = [read_document(source, SHIPPED) for source in scan(SHIPPED)]
    return Catalogue((document, split(document)) for document in read)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return shipped()


def test_every_stated_difference_is_found_on_both_sides(catalogue: Catalogue) -> None:
    stated = [
        (document.path, one.about, one.here, one.document, one.there)
        for document in catalogue.documents.values()
        for one in document.differences
    ]
    found = [
        (here.path, conflict.about, words[0], there.path.rsplit("/", 1)[-1], words[1])
        for conflict in conflicts(catalogue)
        for here, there in [[catalogue.document_of(side.passage.id) for side in conflict.sides]]
        for words in [[side.passage.sentence_text(side.sentence) for side in conflict.sides]]
    ]
    assert stated
    assert found == stated
    retold = {path for path, *_ in stated if path.startswith("articles/")}
    assert len(retold) == 5


def quoting(*sides: Side) -> tuple[Quote, ...]:
    return tuple(Quote(passage=one.passage, sentence=one.sentence, group=0) for one in sides)


def test_a_difference_is_shown_with_either_of_its_sides(catalogue: Catalogue) -> None:
    for conflict in conflicts(catalogue):
        for side in conflict.sides:
            due = shown(quoting(side), catalogue, ())
            # Another that is about the same, and has this side too, may stand for it.
            same = [one for one in due if one.about == conflict.about]
            assert len(same) == 1
            assert side in same[0].sides
            apart = [replace(quote, standing=Standing.FURTHER) for quote in quoting(side)]
            assert not shown(apart, catalogue, ())


def test_of_differences_on_the_same_thing_the_one_of_which_most_is_quoted_is_shown(
    catalogue: Catalogue,
) -> None:
    same = [one for one in conflicts(catalogue) if one.about == "who created the review"]
    within, between = sorted(same, key=lambda one: not one.within_one)
    assert within.within_one and not between.within_one
    assert within.sides[1] == between.sides[1]

    def chosen(*sides: Side) -> list[Conflict]:
        return [one for one in shown(quoting(*sides), catalogue, ()) if one.about == within.about]

    assert chosen(*within.sides) == [within]
    assert chosen(*between.sides) == [between]
    assert chosen(within.sides[1]) == [between]
    assert chosen(within.sides[0], between.sides[0]) == [between]


def test_a_side_of_a_difference_is_never_set_apart(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    first, second = quoting(*conflict.sides)
    other = quoting(*conflicts(catalogue)[-1].sides)[0]
    apart = [replace(quote, standing=Standing.FURTHER) for quote in (other, first)]
    quotes, numbered = with_both_sides([second, *apart], [conflict])
    assert [quote.standing.value for quote in quotes] == ["answer", "answer", "further"]
    assert quotes[1].sentence == first.sentence
    assert numbered == ((conflict.about, (1, 2)),)


def test_the_other_side_stands_as_the_one_that_is_quoted(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    first, _ = quoting(*conflict.sides)
    further = replace(
        quoting(*conflicts(catalogue)[-1].sides)[0], group=1, standing=Standing.FURTHER
    )
    for standing in (Standing.ANSWER, Standing.UNCLEAR):
        quotes, numbered = with_both_sides([replace(first, standing=standing), further], [conflict])
        assert [quote.standing for quote in quotes] == [standing, standing, Standing.FURTHER]
        assert numbered == ((conflict.about, (1, 2)),)


def test_a_difference_is_shown_where_a_side_is_likely_to_answer(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    side = conflict.sides[0]
    sentence = next(one for one in side.passage.sentences if side.overlaps(one))

    def shown_at(odds: float | None, similarity: float) -> bool:
        candidate = Candidate(
            passage=side.passage,
            sentence=sentence,
            score=0.0,
            similarity=similarity,
            cover=0.0,
            expected=False,
            answers=odds,
        )
        return conflict in shown((), catalogue, [candidate])

    assert shown_at(ANSWERS, ABOUT)
    assert not shown_at(ANSWERS, ABOUT - 0.01)
    assert not shown_at(ANSWERS - 0.1, ABOUT)
    assert not shown_at(None, ABOUT)


def test_what_answers_always_shows_its_difference_and_what_may_if_it_is_about_it(
    catalogue: Catalogue,
) -> None:
    conflict = conflicts(catalogue)[0]
    (quote,) = quoting(conflict.sides[0])
    sentence = next(one for one in quote.passage.sentences if conflict.sides[0].overlaps(one))
    (other,) = quoting(conflicts(catalogue)[-1].sides[0])
    candidate = Candidate(
        passage=quote.passage,
        sentence=sentence,
        score=0.0,
        similarity=ABOUT - 0.01,
        cover=0.0,
        expected=False,
    )

    def is_shown(quotes: Sequence[Quote], standing: Standing, nearer: float = 0.0) -> bool:
        near = replace(candidate, similarity=candidate.similarity + nearer)
        stands = [replace(one, standing=standing) for one in quotes]
        return conflict in shown(stands, catalogue, [near])

    assert is_shown([other, quote], Standing.ANSWER)
    assert is_shown([quote, other], Standing.UNCLEAR)
    assert not is_shown([other, quote], Standing.UNCLEAR)
    assert is_shown([other, quote], Standing.UNCLEAR, nearer=0.02)
    assert not is_shown([quote, other], Standing.FURTHER, nearer=0.02)


def test_beside_what_answers_no_difference_is_shown_that_is_merely_near(
    catalogue: Catalogue,
) -> None:
    conflict = next(one for one in conflicts(catalogue) if not one.within_one)
    near = [
        Candidate(
            passage=side.passage,
            sentence=next(one for one in side.passage.sentences if side.overlaps(one)),
            score=0.0,
            similarity=max(NEAR_QUESTION, BOTH_NEAR),
            cover=0.0,
            expected=False,
        )
        for side in conflict.sides
    ]
    (other,) = quoting(
        next(
            one.sides[0]
            for one in conflicts(catalogue)
            if one.about != conflict.about and not set(one.sides) & set(conflict.sides)
        )
    )
    unclear = replace(other, standing=Standing.UNCLEAR)
    assert conflict in shown([unclear], catalogue, near)
    assert conflict not in shown([other], catalogue, near)


def test_stated_differences_set_what_articles_say_against_what_others_say(
    catalogue: Catalogue,
) -> None:
    for conflict in conflicts(catalogue):
        here, there = conflict.sides
        assert catalogue.document_of(there.passage.id).kind == "article"
        assert ADDED not in there.passage.heading
        if conflict.within_one:
            assert ADDED in here.passage.heading
        else:
            assert catalogue.document_of(here.passage.id).kind != "article"


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
