"""What becomes of each sentence: cited, marked, left out, or held back."""

from collections.abc import Sequence

import pytest
from written_material import Writing

from assistant.answers import DeltaEvent
from assistant.chain import Assistant
from assistant.flaws import Flaw, Unusable
from assistant.proving import Proving, Rules
from assistant.streaming import Grounder
from assistant.support import SupportCheck

pytest_plugins = ("written_fixtures",)

FIVE = "Each island is examined every five years"
HOURS = "The examination lasts three hours"
FOUNDED = "Captain Mara Velthuis founded the Keepers' Relief Society in 1994"
GROUPS = "Island governments, which submit reports"
FALSE = "Each island is examined every nine years"


@pytest.fixture
def assistant(writing: Writing) -> Assistant:
    return writing()


class Told:
    """What came of a text that a model might have written over two passages."""

    def __init__(
        self, assistant: Assistant, support: SupportCheck, text: str, rules: Rules
    ) -> None:
        catalogue = assistant.catalogue()
        passages = [
            next(p for p in catalogue.passages.values() if words in p.text)
            for words in (FIVE, FOUNDED, GROUPS)
        ]
        self.proving = Proving(passages, catalogue, support, rules)
        self.events: list[DeltaEvent] = []
        grounder = Grounder(len(passages))
        for draft in (*grounder.feed(text), *grounder.finish()):
            self.events += self.proving.add(draft)
        self.events += self.proving.finish()
        self.differences = self.proving.differences(grounder.differences)

    @property
    def text(self) -> str:
        assert "".join(event.text for event in self.events) == self.proving.composed().text
        return self.proving.composed().text

    @property
    def supported(self) -> Sequence[bool]:
        return [statement.supported for statement in self.proving.composed().statements]


@pytest.fixture
def tell(assistant: Assistant, support: SupportCheck):
    def made(text: str, **rules: bool) -> Told:
        return Told(assistant, support, text, Rules(**rules))

    return made


def test_numbers_follow_first_use_and_one_quote_has_one_number(tell) -> None:
    told = tell(f"{FOUNDED} [2]. {FIVE} [1]. {HOURS} [1]. {FOUNDED} [2].")
    assert told.text == f"{FOUNDED}. [1] {FIVE}. [2] {HOURS}. [3] {FOUNDED}. [1]"
    quotes = [citation.quote for citation in told.proving.composed().citations]
    assert quotes[1] == f"{FIVE}."


def test_a_marker_at_the_end_of_a_paragraph_serves_the_sentences_before_it(tell) -> None:
    told = tell(f"{FIVE}. {HOURS} [1].")
    assert told.text == f"{FIVE}. [1] {HOURS}. [2]"
    assert told.supported == [True, True]


def test_it_does_not_serve_those_of_another_paragraph_or_what_is_false(tell) -> None:
    told = tell(f"{HOURS}.\n\n{FALSE}. {FIVE} [1]. {HOURS}.")
    assert told.supported == [False, False, True, False]
    assert told.text == f"{HOURS}.\n\n{FALSE}. {FIVE}. [1] {HOURS}."


WHO = "Several groups take part in the Lantern Review"
ITEMS = (
    "\n- Island governments, which submit reports [3]\n- Harbour unions, which act as watchdogs [3]"
)


@pytest.mark.parametrize("gap", ["", "\n"])
@pytest.mark.parametrize(
    "lead",
    ["These groups take part:", "The passages name the following:", "In summary:",
     "The passage mentions these groups [3]:", "The groups are [3]:", "**Groups:**"],
)  # fmt: skip
def test_a_line_that_only_announces_a_list_is_borne_by_its_items(tell, lead: str, gap: str) -> None:
    told = tell(f"{lead}\n{gap}{ITEMS.lstrip()}")
    assert told.supported == [True, True, True]
    first = told.proving.composed().statements[0]
    assert first.citations
    assert told.text.startswith(f"{lead.replace(' [3]', '').strip('*')} [1]\n\n- Island")


@pytest.mark.parametrize(
    "lead",
    ["These 7 groups take part:", "These seven groups take part:", "In 1990, these took part:",
     "According to Atlantis, these take part:", "Atlantis names these:", "The LR names these:",
     "These groups do not take part:", "These groups were expelled from the review:",
     "These groups founded the review in Bergen [3]:", "These take part only in secret:",
     "The following are excluded:", "These groups are corrupt:"],
)  # fmt: skip
def test_a_line_that_claims_something_is_checked_whatever_its_items_are(tell, lead: str) -> None:
    told = tell(f"{lead}{ITEMS}")
    assert told.supported == [False, True, True]


def test_a_list_that_is_not_borne_takes_its_lead_in_with_it(tell) -> None:
    told = tell(f"{FIVE} [1].\n\nThese groups take part:\n- Whales and dolphins [3]\n- Cats [3]")
    assert told.supported == [True, False, False, False]


def test_items_that_wait_for_a_marker_are_read_with_their_lead_in(tell) -> None:
    told = tell(f"{WHO}:\n- Island governments\n- Harbour unions [3]")
    assert told.supported == [True, True, True]


def test_of_several_markers_those_that_bear_the_sentence_stay(tell) -> None:
    told = tell(f"{FIVE} [1][2].")
    assert told.text == f"{FIVE}. [1]"


def test_parts_that_rest_on_different_passages_must_all_hold(tell) -> None:
    told = tell(f"{FIVE} [1], and Captain Mara Velthuis founded the Keepers' Relief Society [2].")
    assert told.supported == [True]
    assert told.text.endswith("Society. [1][2]")
    with pytest.raises(Unusable):
        tell(f"{FALSE} [1], and Captain Mara Velthuis founded the Keepers' Relief Society [2].")


def test_nothing_is_shown_before_something_is_proved(tell) -> None:
    told = tell(f"{FALSE} [1]. {FIVE} [1].")
    assert [event.supported for event in told.events] == [False, True]
    with pytest.raises(Unusable) as raised:
        tell(f"{FALSE} [1]. {FALSE} [2].")
    assert raised.value.flaw is Flaw.UNPROVED
    assert FALSE not in str(raised.value)


def test_what_is_left_out_leaves_whole_paragraphs(tell) -> None:
    told = tell(f"{FIVE} [1].\n\n{FALSE} [1]. {HOURS} [1].\n\n- {FALSE} [1]\n- {FOUNDED} [2]",
                leave_out=True)  # fmt: skip
    assert told.text == f"{FIVE}. [1]\n\n{HOURS}. [2]\n\n- {FOUNDED} [3]"
    assert told.proving.left_out == 2


def test_an_answer_without_end_is_given_up(tell) -> None:
    with pytest.raises(Unusable) as raised:
        tell(f"{FIVE} [1]. " * 100)
    assert raised.value.flaw is Flaw.ENDLESS


def test_a_named_difference_counts_when_two_documents_are_quoted(tell) -> None:
    line = "\nDIFFERENCE: who decides [1][2]"
    both = tell(f"{FIVE} [1]. {FOUNDED} [2].{line}")
    assert [(d.about, d.citations) for d in both.differences] == [("who decides", (1, 2))]
    assert "DIFFERENCE" not in both.text
    assert tell(f"{FIVE} [1].{line}").differences == ()
    assert tell(f"{FIVE} [1]. {FALSE} [2].{line}").differences == ()
    assert tell(f"{FIVE} [1]. {HOURS} [1].\nDIFFERENCE: time [1]").differences == ()


def test_in_another_language_only_figures_count_and_that_is_not_called_support(tell) -> None:
    french = "L'examen d'une île dure trois heures et il est public"
    told = tell(f"{french} [1].", foreign=True)
    (statement,) = told.proving.composed().statements
    assert (statement.supported, statement.checked) == (False, "figures")
    assert (told.events[0].supported, told.events[0].checked) == (False, "figures")
    with pytest.raises(Unusable):
        tell("Les gardiens ont fondé la société en 1871 [2].", foreign=True)
    with pytest.raises(Unusable):
        tell(f"{french} [1].")
