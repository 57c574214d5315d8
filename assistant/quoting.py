"""Quotation mode: evidence in, an ordered set of exact sentences out.

Owns which sentences answer, how many, and in which order. Every sentence it gives is
a span of a stored document. Knows nothing of markers, of rendering or of chat models.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.expectations import defines, satisfies
from assistant.finding import Found
from assistant.lists import lead_in, lists_of
from assistant.questions import Expect, Want
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue
from index.lexical import terms

MOST_QUOTES = 5
MOST_UNSURE = 3
# A further sentence must be this near to the best one to be worth the reader's time. This,
# the next two and `ASKED_SHARE` were chosen on the development questions (`tests/data`) with
# an eye on those about five articles; differences below 2 points were treated as none.
NEAR_BEST = 0.6
# The best sentence of the first passage found stands first if it comes this near to the best.
FIRST_PASSAGE = 0.9
# Cosine of two sentences above which the second says nothing new.
SAME = 0.86
MEANING_SHARE = 0.5
# How much of a sentence's meaning is that of the anticipated question it answers.
ASKED_SHARE = 0.7
WORD_SHARE = 0.25
PASSAGE_SHARE = 0.25
DEFINITION_BONUS = 0.35
EXPECTED_BONUS = 0.15
# A sentence with fewer terms beside the question's own only repeats the question.
FEWEST_NEW_TERMS = 4
ECHO_MALUS = 0.08
# So many sentences in a row are taken from the best passage.
WINDOW = 2
# A row that begins with a sentence that leans on one outside it reads badly.
DANGLING_MALUS = 0.3
# What follows the best sentence explains it more often than what stands before it.
FORWARD_BONUS = 0.1
# Where a list is wanted: how near its passage must come to the best passage, and the
# mean of its lines to the best sentence.
LIST_PASSAGE = 0.88
LIST_LINES = 0.25
# Where none is: how near the lead-in must come to the best sentence of its passage.
LIST_LEAD = 0.8

# A sentence that opens like this leans on the one before it.
_POINTS_BACK = re.compile(
    r"^\W*(?:[\w’'-]+\W+){0,4}?(this|these|those|such|they|them|their|its|it|he|she|both)\b", re.I
)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A sentence that may be quoted: its score for one part, and the passage it stands in.

    `asked` is the cosine of the nearest anticipated question that it answers.
    """

    passage: Passage
    sentence: Sentence
    score: float
    similarity: float
    cover: float
    expected: bool
    asked: float = 0.0

    @property
    def text(self) -> str:
        """Its exact words."""
        return self.passage.sentence_text(self.sentence)


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A sentence to quote. `group` keeps the lines of one list, or of one side, together."""

    passage: Passage
    sentence: Sentence
    group: int

    @property
    def text(self) -> str:
        """Its exact words."""
        return self.passage.sentence_text(self.sentence)


def candidates(
    found: Found, weigh: Callable[[str], float], catalogue: Catalogue
) -> list[Candidate]:
    """Every sentence of the evidence of one part, the best first.

    `weigh` gives the weight of a term: rare ones weigh more.
    """
    own = set(terms(found.part.text))
    # The words of the question itself count in full, those of its topic by half.
    wanted = {
        term: weigh(term) * (1.0 if term in own or not found.part.topic else 0.5)
        for term in terms(found.query.text)
    }
    scored = []
    for hit in found.hits:
        passage = hit.passage
        around = set(
            terms(" ".join((catalogue.documents[passage.document_id].title, *passage.heading)))
        )
        for best in hit.best:
            text = passage.sentence_text(best.sentence)
            held = set(terms(text))
            cover = _cover(wanted, held, around)
            echo = len(held - wanted.keys()) < FEWEST_NEW_TERMS
            expected = satisfies(text, found.part.expect, found.part.text)
            meaning = best.score
            if passage.pointed:
                meaning = (1 - ASKED_SHARE) * best.score + ASKED_SHARE * best.asked
            score = MEANING_SHARE * meaning + WORD_SHARE * cover + PASSAGE_SHARE * hit.score
            defined = found.part.want is Want.DEFINITION and defines(text, found.part.text)
            if defined:
                score += DEFINITION_BONUS * defined
            elif echo and found.part.want is not Want.LIST:
                score -= ECHO_MALUS
            if found.part.expect is not Expect.ANYTHING and expected:
                score += EXPECTED_BONUS
            scored.append(
                Candidate(
                    passage=passage,
                    sentence=best.sentence,
                    score=score,
                    similarity=best.score,
                    cover=cover,
                    expected=expected,
                    asked=best.asked,
                )  # fmt: skip
            )
    return sorted(scored, key=lambda candidate: -candidate.score)


def _cover(wanted: Mapping[str, float], own: set[str], around: set[str]) -> float:
    """The share (0…1, by weight) of the question's terms in the sentence; half for its headings."""
    total = sum(wanted.values())
    if not total:
        return 0.0
    got = sum(
        weight * (1.0 if term in own else 0.5 if term in around else 0.0)
        for term, weight in wanted.items()
    )
    return got / total


Span = tuple[Passage, Sentence]
Similarity = Callable[[Candidate, Candidate], float]


def choose(
    of_parts: Sequence[tuple[Found, Sequence[Candidate], int]], similarity: Similarity
) -> tuple[Quote, ...]:
    """The sentences that answer, in reading order, grouped by part.

    Each part comes with its candidates and the most sentences it may take. Lists come
    whole with their lead-in, and are not counted.
    """
    quotes: dict[tuple[str, int], Quote] = {}
    share, left = -(-MOST_QUOTES // max(1, len(of_parts))), MOST_QUOTES
    for group, (found, ranked, most) in enumerate(of_parts):
        room = max(1, min(share, left, most))
        run = _whole_list(found, ranked)
        if not run:
            run = _sentences(found, ranked, room, similarity)
            left -= len(run)
        for passage, sentence in run:
            key = (passage.document_id, sentence.start)
            quotes.setdefault(key, Quote(passage=passage, sentence=sentence, group=group))
    return tuple(quotes.values())


def provenance(found: Found, catalogue: Catalogue) -> tuple[Quote, ...]:
    """What a document says of itself, where the part asks for that; else nothing."""
    if found.part.want is not Want.PROVENANCE or not found.part.documents:
        return ()
    return tuple(
        Quote(passage=notice, sentence=notice.sentences[0], group=0)
        for notice in catalogue.notices_of(found.part.documents[0])
    )


def _whole_list(found: Found, ranked: Sequence[Candidate]) -> list[Span]:
    """The list that answers, with its lead-in.

    Where a list is wanted, that is the best list of the first of the best passages that
    has one. Else it is a list of the best passage, if its best sentence is a line of it,
    or its lead-in comes near the best and the list is most of the passage.
    """
    if not ranked or found.part.want is Want.EXPLANATION:
        return []
    of_line = {(c.passage.id, c.sentence.start): c for c in ranked}
    floor = LIST_LINES * max(candidate.similarity for candidate in ranked)
    for hit in found.hits:
        if hit.score < LIST_PASSAGE * found.hits[0].score:
            break
        lists: list[tuple[float, list[Sentence]]] = []
        for run in lists_of(hit.passage):
            lines = [of_line[hit.passage.id, line.start] for line in run]
            near = sum(line.similarity for line in lines) / len(lines)
            if found.part.want is Want.LIST and near < floor:
                continue
            if found.part.want is Want.LIST or _stands_out(hit.passage, lines, ranked):
                lists.append((near + max(line.cover for line in lines), run))
        if lists:
            best = max(lists, key=lambda one: one[0])[1]
            return [(hit.passage, sentence) for sentence in best]
        if found.part.want is not Want.LIST:
            break
    return []


def _stands_out(passage: Passage, lines: Sequence[Candidate], ranked: Sequence[Candidate]) -> bool:
    """Whether a list answers a question that does not ask for one."""
    best = next(candidate for candidate in ranked if candidate.passage.id == passage.id)
    if any(line is best for line in lines):
        return True
    return 2 * len(lines) >= len(passage.sentences) and lines[0].score >= LIST_LEAD * best.score


def _sentences(
    found: Found, ranked: Sequence[Candidate], room: int, similarity: Similarity
) -> list[Span]:
    """Sentences in a row of the best passage, then the next best, in reading order.

    The best passage is the first found, unless its best sentence is well behind: a
    passage says more of what a question is about than any one sentence.
    """
    pool = [candidate for candidate in ranked if _tells(candidate.passage, candidate.sentence)]
    if not pool:
        return []
    first = next((c for c in pool if c.passage.id == found.hits[0].passage.id), pool[0])
    if first.score < FIRST_PASSAGE * pool[0].score:
        first = pool[0]
    chosen = [first]
    if not first.sentence.is_item:
        row = [c for c in pool if c.passage.id == first.passage.id and not c.sentence.is_item]
        chosen = _window(row, min(room, WINDOW))
    spans = _with_leads(chosen, room)
    for candidate in pool:
        if len(spans) >= room or candidate.score < NEAR_BEST * pool[0].score:
            break
        if any(similarity(candidate, other) > SAME for other in chosen):
            continue
        chosen.append(candidate)
        spans = _with_leads(chosen, room)
    places = list(dict.fromkeys(passage.id for passage, _ in spans))
    return sorted(spans, key=lambda span: (places.index(span[0].id), span[1].start))


def _window(of_passage: Sequence[Candidate], size: int) -> list[Candidate]:
    """The sentences of one passage in a row, at most `size`, whose scores are best.

    They hold the best one. A sentence that only announces the next one is worth little
    alone, and a row of sentences reads as the source has it.
    """
    in_order = sorted(of_passage, key=lambda candidate: candidate.sentence.start)
    best = in_order.index(of_passage[0])
    size = min(size, len(in_order))
    starts = range(max(0, best - size + 1), min(best, len(in_order) - size) + 1)

    def worth(at: int) -> float:
        opening = in_order[at]
        dangling = antecedent(opening.passage, opening.sentence) is not None
        forward = FORWARD_BONUS if at == best else 0.0
        return sum(c.score for c in in_order[at : at + size]) + forward - DANGLING_MALUS * dangling

    start = max(starts, key=worth)
    return in_order[start : start + size]


def _with_leads(chosen: Sequence[Candidate], room: int) -> list[Span]:
    """The chosen sentences, at most `room`, each item with the lead-in of its list.

    While there is room left, a sentence that leans on the one before it brings that too.
    """
    spans: dict[tuple[str, int], Span] = {}

    def take(passage: Passage, before: Sentence | None, own: Sentence | None) -> None:
        new = [s for s in (before, own) if s and (passage.document_id, s.start) not in spans]
        if len(spans) + len(new) <= room:
            spans.update({(passage.document_id, s.start): (passage, s) for s in new})

    for candidate in chosen:
        passage, sentence = candidate.passage, candidate.sentence
        take(passage, lead_in(passage, sentence), sentence)
    for candidate in chosen:
        take(candidate.passage, antecedent(candidate.passage, candidate.sentence), None)
    return list(spans.values())


def antecedent(passage: Passage, sentence: Sentence) -> Sentence | None:
    """The sentence before this one, if this one leans on it and it can be quoted."""
    at = passage.sentences.index(sentence)
    if not at or not _leans(passage, at) or not _quotable(passage, passage.sentences[at - 1]):
        return None
    return passage.sentences[at - 1]


def _leans(passage: Passage, at: int) -> bool:
    return bool(_POINTS_BACK.match(passage.sentence_text(passage.sentences[at])))


def _quotable(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence says something alone: no item, no lead-in, no question."""
    return not sentence.is_item and _tells(passage, sentence)


def _tells(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence, or an item after its lead-in, says something."""
    return not passage.sentence_text(sentence).rstrip().endswith((":", "?"))
