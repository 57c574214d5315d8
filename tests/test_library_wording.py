"""What validation says of the wording of a text: length, ease, dates of counts, copies."""

from pathlib import Path

import pytest
from library_material import change, told, write_library

from corpus.validation import validate
from corpus.wording import FEWEST_WORDS, MOST_WORDS, changing_count, reading_ease, syllables


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


@pytest.mark.parametrize("count", [449, 450, 1100, 1101])
def test_a_text_is_neither_short_nor_long(library: Path, count: int) -> None:
    text = (library / "arland.md").read_text(encoding="utf-8")
    start, end = text.index("The baker of Arland"), text.index("## The market")
    rest = text[end : text.index("## Sources")]
    missing = count - len(rest.replace("-", " ").replace("#", " ").split())
    sentences = [f"Ox {number} eats hay." for number in range(missing // 4)]
    filler = " ".join([*sentences, "Ox " * (missing % 4)])
    change(library, "arland.md", text[start:end], f"{filler}\n\n")
    message = f"The text has {count} words, not {FEWEST_WORDS} to {MOST_WORDS}."
    assert (message in told(validate(library))) == (count in (449, 1101))


def test_sentences_are_short_on_average(library: Path) -> None:
    text = (library / "arland.md").read_text(encoding="utf-8")
    change(library, "arland.md", text, text.replace(" before noon. The", " before noon and the"))
    messages = told(validate(library))
    assert "words on average, more than 25" in messages


def test_a_text_of_long_words_is_hard_to_read(library: Path) -> None:
    change(library, "arland.md", "before noon", "notwithstanding institutional irregularities")
    assert "The reading ease is" in told(validate(library))


def test_the_reading_ease_is_that_of_flesch() -> None:
    # 6 words of 6 syllables, 1 sentence; then 3 words of 3 + 4 + 2 syllables.
    assert reading_ease(["The cat sat on the mat."]) == pytest.approx(206.835 - 6.09 - 84.6)
    assert reading_ease(["Department ratifies treaties"]) == pytest.approx(
        206.835 - 3.045 - 84.6 * 8 / 3
    )


@pytest.mark.parametrize(
    ("word", "spoken"),
    [
        *[("state", 1), ("named", 1), ("rules", 1), ("people", 2), ("articles", 3), ("houses", 2)],
        *[("adopted", 3), ("treaty", 2), ("international", 5), ("the", 1), ("NGO", 1)],
    ],
)
def test_syllables_are_counted_by_sound(word: str, spoken: int) -> None:
    assert syllables(word) == spoken


@pytest.mark.parametrize(
    ("sentence", "count"),
    [
        ("The treaty has 174 parties and 74 signatories.", "174 parties"),
        ("Twelve states have made the declaration.", "Twelve states"),
        ("The union unites 46 states with a court.", "46 states"),
        ("Donors gave 281.5 million US dollars.", "281.5 million US dollars"),
        ("About 40 per cent of the money is missing.", "40 per cent"),
        ("There are 117.3 million displaced people.", "117.3 million displaced people"),
        # What a text has fixed, or what is no count.
        ("The Human Rights Council has 47 member states.", ""),
        ("Under Article 72 parties report, and under resolution 60/251 members pay.", ""),
        ("The treaty needs 20 accessions, of which three are missing.", ""),
        ("The committee grew once the treaty had 41 parties.", ""),
        ("Fines can reach 7 per cent of turnover.", ""),
        ("The review has three stages, and two states speak.", ""),
    ],
)  # fmt: skip
def test_changing_counts_are_known_from_fixed_ones(sentence: str, count: str) -> None:
    assert changing_count(sentence) == count


@pytest.mark.parametrize(
    "dated",
    [
        "Arland had 40 members in 2024.",
        "Arland has 40 members (page undated).",
        "The books were counted in 2024. Arland has 40 members.",
        "Counted in 2024 were:\n\n- 40 members of Arland;\n- 50 members of the fair.",
    ],
)
def test_a_count_is_dated_where_it_stands_or_just_before(library: Path, dated: str) -> None:
    change(library, "arland.md", "Arland closes its gates late.", dated)
    assert validate(library) == ()


@pytest.mark.parametrize(
    "undated",
    [
        "It was 2024. The year was wet. Arland has 40 members.",
        "It was 2024.\n\n## The end\n\nArland has 40 members.",
        "Counted were:\n\n- 40 members of Arland;\n- in 2024 none.",
    ],
)
def test_a_date_further_off_does_not_count(library: Path, undated: str) -> None:
    change(library, "arland.md", "Arland closes its gates late.", undated)
    assert "has no date" in told(validate(library))


def test_no_sentence_stands_in_two_documents(library: Path) -> None:
    for name in ("arland.md", "corland.md"):
        closes = f"{name[:-3].capitalize()} closes its gates late."
        change(library, name, closes, "The fair was “never” held in winter. It rains.")
    (problem,) = validate(library)
    assert problem.path == "corland.md"
    assert "stands in arland.md too: “The fair was" in problem.message


def test_no_sentence_is_shared_with_a_foreign_text(library: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "old.txt").write_text("Rain\n\nRain falls on the old mill.\n")
    change(library, "arland.md", "closes its gates late.", "sleeps. Rain falls on the old mill.")
    assert validate(library) == ()
    (problem,) = validate(library, tmp_path / "foreign")
    assert "stands in old.txt too" in problem.message


def test_no_eight_words_are_copied_but_official_names(library: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "old.txt").write_text(
        "Rain\n\nEach year the water of the old mill turns a wheel, says the International "
        "Covenant on Economic, Social and Cultural Rights.\n"
    )
    change(
        library, "arland.md", "closes its gates late.",
        "lets the Water of the old Mill turn. By the International Covenant on Economic, Social "
        "and Cultural Rights it may.",
    )  # fmt: skip
    assert validate(library, tmp_path / "foreign") == ()
    change(library, "arland.md", "Mill turn.", "Mill turns a wheel, it is said.")
    (problem,) = validate(library, tmp_path / "foreign")
    assert problem.message.endswith("“the water of the old mill turns a wheel”.")
    assert problem.path == "arland.md"
    assert problem.line
