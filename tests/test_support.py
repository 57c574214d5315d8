"""The check of support: one rule a test, on sentences made for it."""

import pytest

from assistant.agreement import Flaw, figures_agree, flaw_of
from assistant.support import Reason, SupportCheck
from corpus.documents import Passage, Sentence
from index.embeddings import Embedder

TITLE = "The harbour council"
LINES = (
    "The harbour council was founded on 4 March 1951 and has 31 members.",
    "Members serve for four and a half years and are not paid.",
    "In 1960 the council admitted Denmark, while Norway refused to join.",
    "Its decisions bind every harbour, but its advice is voluntary.",
)


def passage(*lines: str, items: int = 0) -> Passage:
    """A passage of these sentences, the last `items` of them a list."""
    text = "\n".join(lines)
    sentences, start = [], 0
    for number, line in enumerate(lines):
        is_item = number >= len(lines) - items
        sentences.append(Sentence(start=start, end=start + len(line), is_item=is_item))
        start += len(line) + 1
    return Passage(
        id="p1",
        document_id="d1",
        heading=(),
        text=text,
        start=0,
        end=len(text),
        sentences=tuple(sentences),
    )


@pytest.fixture(scope="module")
def check(embedder: Embedder) -> SupportCheck:
    return SupportCheck(embedder)


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("It lasts 4.5 years.", "It lasts four and a half years."),
        ("The council has thirty-one members.", "The council has 31 members."),
        ("About 62% agreed.", "About 62 per cent agreed."),
        ("It cost $2.5 million.", "It cost 2.5 million dollars."),
        ("It met in March 1951.", "It met on 4 March 1951."),
        ("It met on March 4, 1951.", "It met on 4 March 1951."),
        ("It met in 1951.", "It met on 4 March 1951."),
        ("The 60th state joined.", "The sixtieth state joined."),
        ("The United Nations decided.", "The UN decided."),
        ("The Danish harbours joined.", "Harbours of Denmark joined."),
        ("Its advice is not binding.", "Its advice is voluntary."),
        ("Members are unpaid.", "Members are not paid."),
        ("Its decisions are seldom enforced.", "Its decisions are rarely enforced."),
        ("Islands refuse to report.", "Islands do not report."),
        ("The court cannot hear it.", "The court is unable to hear it."),
        ("Nobody may be held without a warrant.", "No one may be held without a warrant."),
        ("Islands can ask for advice.", "Islands may ask for advice."),
        ("Islands must report each year.", "Each year islands are obliged to report."),
        ("It met in May 2019 in Oslo.", "In May 2019 it must have met in Oslo."),
        ("All islands but one report.", "All islands report, except one."),
        ("Most of the islands take part.", "Many islands take part."),
        ("It was cited as A/HRC/25/63.", "The report A/HRC/25/63 was cited."),
    ],
)
def test_the_same_fact_in_other_words_agrees(statement: str, source: str) -> None:
    assert flaw_of(statement, source, TITLE) is None


@pytest.mark.parametrize(
    ("statement", "source", "flaw"),
    [
        ("It lasts five years.", "It lasts four and a half years.", Flaw.NUMBER),
        ("It lasts four years.", "It lasts four and a half years.", Flaw.NUMBER),
        ("It has 13 members.", "It has 31 members.", Flaw.NUMBER),
        ("About 26 per cent agreed.", "About 62 per cent agreed.", Flaw.NUMBER),
        ("About 62 states agreed.", "About 62 per cent of states agreed.", Flaw.NUMBER),
        ("More than 120 joined.", "Fewer than 120 joined.", Flaw.NUMBER),
        ("12 thematic, 44 country mandates.", "44 thematic, 12 country mandates.", Flaw.NUMBER),
        ("12 songs and 44 poems.", "44 songs and 12 poems.", Flaw.NUMBER),
        ("Resolution 39/3 set it up.", "Resolution 39/2 set it up.", Flaw.NUMBER),
        ("It met on 5 March 1951.", "It met on 4 March 1951.", Flaw.DATE),
        ("It met in April 1951.", "It met on 4 March 1951.", Flaw.DATE),
        ("It met on 4 March 1951.", "It met in March 1951.", Flaw.DATE),
        (
            "It entered into force on 27 June 1981.",
            "It was adopted on 27 June 1981 and entered into force on 21 October 1986.",
            Flaw.DATE,
        ),
        ("Norway joined.", "Denmark joined.", Flaw.NAME),
        ("Austria joined in time.", "Australia joined in time.", Flaw.NAME),
        ("The council met in Oslo.", "The council met in Bergen.", Flaw.NAME),
        (
            "The ICJ tries persons, and the ICC decides disputes.",
            "The ICC tries persons; the ICJ decides disputes.",
            Flaw.NAME,
        ),
        ("Its decisions are binding.", "Its decisions are not binding.", Flaw.NEGATION),
        ("Its decisions are binding.", "Its decisions are voluntary.", Flaw.NEGATION),
        ("Its decisions are not binding.", "Its decisions bind all.", Flaw.NEGATION),
        ("All missions had a doctor.", "Most missions had a doctor.", Flaw.NEGATION),
        ("The court lowered 3 and raised 15.", "The court raised 3 and lowered 15.", Flaw.NEGATION),
        ("It happened before the war.", "It happened after the war.", Flaw.NEGATION),
        ("Anyone can apply to the court.", "Anyone can apply to the court only if it agrees.",
         Flaw.NEGATION),
        ("Only islands may apply.", "Islands may apply.", Flaw.NEGATION),
        ("Its decisions are hardly enforced.", "Its decisions are enforced.", Flaw.NEGATION),
        ("Its decisions are enforced.", "Its decisions are rarely enforced.", Flaw.NEGATION),
        ("The rules are far from strict.", "The rules are strict.", Flaw.NEGATION),
        ("Its advice is anything but sound.", "Its advice is sound.", Flaw.NEGATION),
        ("It is false that members are heard.", "Members are heard.", Flaw.NEGATION),
        ("It is a myth that members are paid.", "Members are paid.", Flaw.NEGATION),
        ("Islands refuse to send reports.", "Islands send reports.", Flaw.NEGATION),
        ("The court neglects to hear islands.", "The court hears islands.", Flaw.NEGATION),
        ("Members are exempt from reporting.", "Members report.", Flaw.NEGATION),
        ("It is untrue that no lawyer is needed.", "No lawyer is needed.", Flaw.NEGATION),
        ("Nobody can complain without a lawyer.", "No lawyer is needed to complain.",
         Flaw.NEGATION),
        ("Islands may report each year.", "Islands must report each year.", Flaw.NEGATION),
        ("Islands must report each year.", "Islands should report each year.", Flaw.NEGATION),
        ("The court shall hear islands.", "The court can hear islands.", Flaw.NEGATION),
        ("Boats are examined, except small ones.", "Boats are examined.", Flaw.NEGATION),
        ("Few islands take part.", "All islands take part.", Flaw.NEGATION),
        ("All islands take part.", "Most islands take part.", Flaw.NEGATION),
        ("It meets at most each year.", "It meets at least each year.", Flaw.NEGATION),
        ("The bar is not lower than the one of courts.", "The bar is lower than one of courts.",
         Flaw.NEGATION),
    ],
)  # fmt: skip
def test_a_changed_fact_is_named(statement: str, source: str, flaw: Flaw) -> None:
    assert flaw_of(statement, source, "") is flaw


def test_a_title_lends_its_name() -> None:
    assert flaw_of("The Lantern Review began in 1987.", "It began in 1987.", "") is Flaw.NAME
    assert (
        flaw_of("The Lantern Review began in 1987.", "It began in 1987.", "Lantern Review") is None
    )


def test_the_sentence_that_bears_a_statement_is_the_quote(check: SupportCheck) -> None:
    source = passage(*LINES)
    found = check.check("Members are unpaid and serve 4.5 years.", [source])
    assert found.supported
    assert found.reason is Reason.SUPPORTED
    assert found.passage is source
    assert found.sentence is not None
    assert source.sentence_text(found.sentence) == LINES[1]


def test_two_neighbours_bear_what_neither_does_alone(check: SupportCheck) -> None:
    source = passage(*LINES[:2])
    found = check.check(
        "The harbour council has 31 members, who serve for four and a half years.", [source]
    )
    assert found.supported
    assert found.sentence is not None
    assert source.sentence_text(found.sentence) == "\n".join(LINES[:2])


def test_an_item_is_read_with_its_lead_in(check: SupportCheck) -> None:
    source = passage(
        "The harbour council has three tasks:", "to keep lamps;", "to list boats.", items=2
    )
    found = check.check("One task of the harbour council is to list boats.", [source])
    assert found.supported
    assert found.sentence is not None
    assert source.sentence_text(found.sentence) == "to list boats."


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("The harbour council has 41 members.", Reason.NUMBER),
        ("The harbour council was founded on 4 May 1951.", Reason.DATE),
        ("In 1960 the council admitted Sweden.", Reason.NAME),
        ("Members are paid and serve for four and a half years.", Reason.NEGATION),
        (
            "The harbour council was founded in 1951 after a storm sank dozens of wooden boats.",
            Reason.ADDITION,
        ),
        ("Whales sing to one another in deep water.", Reason.MEANING),
    ],
)
def test_what_no_sentence_bears_is_unsupported(
    check: SupportCheck, statement: str, reason: Reason
) -> None:
    found = check.check(statement, [passage(*LINES)])
    assert not found.supported
    assert found.reason is reason
    assert found.sentence is not None


def test_another_sentence_that_denies_it_takes_support_away(check: SupportCheck) -> None:
    near = "The harbour rules were the first rules for boats that the council wrote."
    denial = "The harbour rules are voluntary for boats, and lack binding force."
    statement = "The harbour rules are binding on boats."
    assert not check.check(statement, [passage(near, denial)]).supported


def test_without_a_passage_nothing_is_supported(check: SupportCheck) -> None:
    found = check.check("The harbour council has 31 members.", [])
    assert (found.supported, found.sentence, found.reason) == (False, None, Reason.EMPTY)


def test_in_another_language_only_figures_are_compared(check: SupportCheck) -> None:
    source = passage(*LINES)
    right = check.check("Le conseil du port a été fondé en 1951 et compte 31 membres.", [source])
    wrong = check.check("Le conseil du port a été fondé en 1951 et compte 41 membres.", [source])
    assert (right.supported, right.reason) == (False, Reason.LANGUAGE)
    assert (wrong.supported, wrong.reason) == (False, Reason.NUMBER)
    assert figures_agree("31 membres en 1951", LINES[0])
