"""Quotation mode: evidence in, an ordered set of exact sentences out.

Owns which sentences answer, how many, and in which order. Every sentence it gives is
a span of a stored document. Knows nothing of markers, of rendering or of chat models.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.expectations import defines, satisfies
from assistant.finding import Found
from assistant.questions import Expect, Want
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue
from index.lexical import terms

MOST_QUOTES = 5
MOST_UNSURE = 3
MOST_ITEMS = 15
# A further sentence must be this near to the best one to be worth the reader's time.
NEAR_BEST = 0.85
COVER_BEST = 0.5
# Cosine of two sentences above which the second says nothing new.
SAME = 0.86
MEANING_SHARE = 0.5
WORD_SHARE = 0.25
PASSAGE_SHARE = 0.25
DEFINITION_BONUS = 0.25
EXPECTED_BONUS = 0.15
# A sentence with fewer terms beside the question's own only repeats the question.
FEWEST_NEW_TERMS = 4
ECHO_MALUS = 0.08
# So short a sentence mostly announces the next.
SHORT_WORDS = 12
# A single part is answered by at least so many sentences, where the text goes on.
FEWEST_QUOTES = 3
# Where a list is wanted: how near its passage must come to the best passage, and the
# mean of its lines to the best sentence.
LIST_PASSAGE = 0.88
LIST_LINES = 0.4

# A sentence that opens like this leans on the one before it.
_POINTS_BACK = re.compile(
    r"^\W*(?:[\w’'-]+\W+){0,4}?(this|these|those|such|they|them|their|its|it|he|she|both)\b", re.I
)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A sentence that may be quoted: its score for one part, and the passage it stands in."""

    passage: Passage
    sentence: Sentence
    score: float
    similarity: float
    cover: float
    expected: bool
    thin: bool
    """It repeats the question or announces what follows, and says little itself."""

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
    found: Found, weigh: Callable[[str], float], titles: dict[str, str]
) -> list[Candidate]:
    """Every sentence of the evidence of one part, the best first.

    `weigh` gives the weight of a term (rare ones weigh more), `titles` the document
    titles by id.
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
        around = set(terms(" ".join((titles[passage.document_id], *passage.heading))))
        for best in hit.best:
            text = passage.sentence_text(best.sentence)
            held = set(terms(text))
            cover = _cover(wanted, held, around)
            echo = len(held - wanted.keys()) < FEWEST_NEW_TERMS
            expected = satisfies(text, found.part.expect, found.part.text)
            score = MEANING_SHARE * best.score + WORD_SHARE * cover + PASSAGE_SHARE * hit.score
            if found.part.want is Want.DEFINITION and defines(text, found.part.text):
                score += DEFINITION_BONUS
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
                    thin=echo or len(text.split()) <= SHORT_WORDS,
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
    room = max(2, -(-MOST_QUOTES // max(1, len(of_parts))))
    for group, (found, ranked, most) in enumerate(of_parts):
        run = _whole_list(found, ranked) or _sentences(ranked, min(room, most), similarity)
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

    Where a list is wanted, that is the nearest list of the best passages; else the
    one whose line is the best candidate, unless an explanation is wanted.
    """
    if not ranked or found.part.want is Want.EXPLANATION:
        return []
    if found.part.want is not Want.LIST:
        return [(ranked[0].passage, s) for s in list_around(ranked[0].passage, ranked[0].sentence)]
    of_line = {(c.passage.id, c.sentence.start): c for c in ranked}
    floor = LIST_LINES * max(candidate.similarity for candidate in ranked)
    lists: list[tuple[float, list[Span]]] = []
    for hit in found.hits:
        if hit.score < LIST_PASSAGE * found.hits[0].score:
            break
        for sentence in hit.passage.sentences:
            run = list_around(hit.passage, sentence)
            if not run or run[0] is not sentence:
                continue
            lines = [of_line[hit.passage.id, line.start] for line in run]
            near = sum(line.similarity for line in lines) / len(lines)
            if near >= floor:
                score = near + max(line.cover for line in lines) + hit.score
                lists.append((score, [(hit.passage, line) for line in run]))
    return max(lists, key=lambda one: one[0])[1] if lists else []


def list_around(passage: Passage, sentence: Sentence) -> list[Sentence]:
    """The lead-in and all items of the list that `sentence` is part of; empty if of none."""
    sentences = list(passage.sentences)
    at = sentences.index(sentence)
    first = at if sentence.is_item else at + 1
    if first >= len(sentences) or not sentences[first].is_item:
        return []
    if not sentence.is_item and not _leads_in(passage, sentence):
        return []
    while first > 0 and sentences[first - 1].is_item:
        first -= 1
    last = first
    while last + 1 < len(sentences) and sentences[last + 1].is_item:
        last += 1
    lead = first - 1 if first and _leads_in(passage, sentences[first - 1]) else first
    return sentences[lead : last + 1][: MOST_ITEMS + 1]


def _leads_in(passage: Passage, sentence: Sentence) -> bool:
    return passage.sentence_text(sentence).rstrip().endswith(":")


def _sentences(ranked: Sequence[Candidate], room: int, similarity: Similarity) -> list[Span]:
    """Runs of sentences around the best candidates, until the room is full."""
    chosen: dict[tuple[str, int], Span] = {}
    seeds: list[Candidate] = []
    for candidate in ranked[:40]:
        if len(chosen) >= room or (seeds and candidate.score < NEAR_BEST * ranked[0].score):
            break
        if seeds and candidate.cover < COVER_BEST * seeds[0].cover:
            continue
        if not _quotable(candidate.passage, candidate.sentence):
            continue
        if any(similarity(candidate, seed) > SAME for seed in seeds):
            continue
        run = _run(candidate, room)
        fresh = [span for span in run if (span[0].id, span[1].start) not in chosen]
        if seeds and len(chosen) + len(fresh) > room:
            continue
        seeds.append(candidate)
        chosen.update({(passage.id, s.start): (passage, s) for passage, s in fresh})
    if seeds:
        _go_on(seeds[0], chosen, min(room, FEWEST_QUOTES))
    return _in_reading_order(list(chosen.values()))


def _run(seed: Candidate, room: int) -> list[Span]:
    """The candidate with the sentence it leans on and those that lean on it, at most three.

    A thin sentence takes the next one along: there stands what it announces.
    """
    passage, sentences = seed.passage, seed.passage.sentences
    at = sentences.index(seed.sentence)
    first = last = at
    if antecedent(passage, seed.sentence):
        first -= 1
    while last + 1 < len(sentences) and last - first + 1 < min(3, room):
        wanted = _leans(passage, last + 1) or (seed.thin and last == at)
        if not wanted or not _goes_on(passage, last):
            break
        last += 1
    return [(passage, sentence) for sentence in sentences[first : last + 1]]


def _go_on(seed: Candidate, chosen: dict[tuple[str, int], Span], fewest: int) -> None:
    """Fill up with the sentences that follow the best one in its paragraph."""
    passage, sentences = seed.passage, seed.passage.sentences
    at = sentences.index(seed.sentence)
    while len(chosen) < fewest and at + 1 < len(sentences) and _goes_on(passage, at):
        at += 1
        chosen.setdefault((passage.id, sentences[at].start), (passage, sentences[at]))


def _goes_on(passage: Passage, at: int) -> bool:
    """Whether the next sentence continues the same paragraph and can be quoted."""
    here, following = passage.sentences[at], passage.sentences[at + 1]
    between = passage.text[here.end - passage.start : following.start - passage.start]
    return "\n" not in between and _quotable(passage, following)


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
    text = passage.sentence_text(sentence).rstrip()
    return not sentence.is_item and not text.endswith((":", "?"))


def _in_reading_order(spans: Sequence[Span]) -> list[Span]:
    """The best sentence's passage first; within a passage as the text has them."""
    order = {passage.id: place for place, (passage, _) in reversed(list(enumerate(spans)))}
    return sorted(spans, key=lambda span: (order[span[0].id], span[1].start))
