"""Quotation mode: evidence in, an ordered set of exact sentences out.

Owns which sentences answer, how many, and in which order. Every sentence it gives is
a span of a stored document. Knows nothing of markers, of rendering or of chat models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.finding import Found
from assistant.leaning import antecedent, tells
from assistant.lists import lead_in
from assistant.questions import Want
from assistant.ranking import Candidate, most_likely
from assistant.reranking import ANTICIPATED
from assistant.whole_lists import whole_list
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue

MOST_QUOTES = 5
MOST_UNSURE = 3
# All of these were chosen on the development questions (`tests/data`) with an eye on those
# about five articles; differences below 2 points were treated as none. Scores are those of
# `ranking`: one less makes a sentence about a third as likely.
# A further sentence must come this near to the best one to be worth the reader's time.
NEAR_BEST = 3.0
# And its log odds, where a reranker gives them, this near to the highest: a fiftieth of them.
NEAR_ODDS = 4.0
# So many sentences in a row are taken from the passage of the best.
WINDOW = 2
# A row that begins with a sentence that leans on one outside it reads badly.
DANGLING_MALUS = 1.0
# What follows the best sentence explains it more often than what stands before it.
FORWARD_BONUS = 0.5
# Cosine of two sentences above which the second says nothing new.
SAME = 0.86
# Sentences that come this near to the best line of a list stand beside it, at most so many.
BESIDE_LIST = 2.0
MOST_BESIDE_LIST = 2
# What stands in the answer beside its best sentence: this near to it, and its log odds to the
# highest; before a list as near as its best line, and its odds still nearer. The rest is set
# apart, if it is known that the best one answers: the question was anticipated, or its odds are
# likely and hardly behind the highest. Else it may well be another one that does. Chosen on
# sentences that readers had marked as belonging to an answer or not.
NEAR_FIRST = 1.0
NEAR_FIRST_ODDS = 2.0
NEAR_LIST_ODDS = 1.0
FIRST_ODDS = 0.0
FIRST_BEHIND = 0.5


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A sentence to quote. `group` keeps the lines of one list, or of one side, together.

    `further` ones are near the question and less likely to be what it asks for: they are
    set apart from the answer, behind it.
    """

    passage: Passage
    sentence: Sentence
    group: int
    further: bool = False

    @property
    def text(self) -> str:
        """Its exact words."""
        return self.passage.sentence_text(self.sentence)


Span = tuple[Passage, Sentence]
Similarity = Callable[[Candidate, Candidate], float]


def choose(
    of_parts: Sequence[tuple[Found, Sequence[Candidate], int]], similarity: Similarity
) -> tuple[Quote, ...]:
    """The sentences that answer, in reading order, grouped by part; then the further ones.

    Each part comes with its candidates and the most sentences it may take. Lists come
    whole with their lead-in, and are not counted.
    """
    quotes: dict[tuple[str, int], Quote] = {}
    share, left = -(-MOST_QUOTES // max(1, len(of_parts))), MOST_QUOTES
    for group, (found, ranked, most) in enumerate(of_parts):
        room = max(1, min(share, left, most))
        of_list = whole_list(found, ranked)
        if of_list:
            answer, further = _beside_list(of_list, ranked, room, similarity)
        else:
            new = [c for c in ranked if (c.passage.document_id, c.sentence.start) not in quotes]
            answer, further = _sentences(new, room, similarity)
            left -= len(answer) + len(further)
        run = [(span, False) for span in answer] + [(span, True) for span in further]
        for (passage, sentence), apart in run:
            quote = Quote(passage=passage, sentence=sentence, group=group, further=apart)
            key = (passage.document_id, sentence.start)
            if key not in quotes or quotes[key].further:
                quotes[key] = quote
    return tuple(sorted(quotes.values(), key=lambda quote: quote.further))


def provenance(found: Found, catalogue: Catalogue) -> tuple[Quote, ...]:
    """What a document says of itself, where the part asks for that; else nothing."""
    if found.part.want is not Want.PROVENANCE or not found.part.documents:
        return ()
    return tuple(
        Quote(passage=notice, sentence=notice.sentences[0], group=0)
        for notice in catalogue.notices_of(found.part.documents[0])
    )


def _beside_list(
    of_list: Sequence[Span], ranked: Sequence[Candidate], room: int, similarity: Similarity
) -> tuple[list[Span], list[Span]]:
    """A list with the sentences that answer as well as its best line, or better, before it.

    And, further, those that nearly do.
    """
    starts = {(passage.id, sentence.start) for passage, sentence in of_list}
    lines = [c for c in ranked if (c.passage.id, c.sentence.start) in starts]
    best = max(line.score for line in lines)
    others = [
        c
        for c in ranked
        if (c.passage.id, c.sentence.start) not in starts and tells(c.passage, c.sentence)
    ]
    floor = most_likely(ranked) - NEAR_LIST_ODDS
    room = min(room, MOST_BESIDE_LIST)
    good = [c for c in others if c.score >= best and _at_least(c, floor)]
    near = [c for c in others if c.score >= best - BESIDE_LIST]
    before = _fill([], good, room, similarity)
    beside = _fill([], near, room, similarity)
    return [*before, *of_list], [span for span in beside if span not in before]


def _sentences(
    ranked: Sequence[Candidate], room: int, similarity: Similarity
) -> tuple[list[Span], list[Span]]:
    """The best sentence with those as good, and, further, those in a row with it and the next best.

    Both as they read. Where it is not clear that the best one answers, none is further.
    """
    pool = [candidate for candidate in ranked if tells(candidate.passage, candidate.sentence)]
    if not pool:
        return [], []
    first, most = pool[0], most_likely(pool)
    # A line of a list beside sentences would stand under a lead-in that promises the others.
    beside = [c for c in pool[1:] if first.sentence.is_item or not c.sentence.is_item]

    def near(gap: float, odds: float) -> list[Candidate]:
        return [c for c in beside if c.score >= first.score - gap and _at_least(c, most - odds)]

    chosen = [first]
    if not first.sentence.is_item:
        row = [c for c in pool if c.passage.id == first.passage.id and not c.sentence.is_item]
        window = _window(row, min(room, WINDOW))
        chosen = [c for c in window if c is first or _at_least(c, most - NEAR_ODDS)]
    every = _fill(chosen, near(NEAR_BEST, NEAR_ODDS), room, similarity)
    if not _is_clear(first, most):
        return _best_first(every, first), []
    answer = _fill([first], near(NEAR_FIRST, NEAR_FIRST_ODDS), room, similarity)
    further = [span for span in every if span not in answer][: max(0, room - len(answer))]
    return _best_first(answer, first), further


def _is_clear(first: Candidate, most: float) -> bool:
    """Whether the best sentence is known to answer; `most` are the highest odds of all."""
    if first.answers is None:
        return first.asked >= ANTICIPATED
    return first.answers >= max(FIRST_ODDS, most - FIRST_BEHIND)


def _at_least(candidate: Candidate, odds: float) -> bool:
    """Whether its log odds are not below `odds`, as far as they are known."""
    return candidate.answers is None or candidate.answers >= odds


def _best_first(spans: list[Span], best: Candidate) -> list[Span]:
    """The best sentence at the head, with those after it that lean on it; the rest as they read.

    Left as they read where the best one is a line under a lead-in or leans on the one
    before it.
    """
    passage, sentence = best.passage, best.sentence
    if lead_in(passage, sentence) is not None or antecedent(passage, sentence) is not None:
        return spans
    at = spans.index((passage, sentence))
    end = at + 1
    while end < len(spans) and antecedent(*spans[end]) == spans[end - 1][1]:
        end += 1
    return spans[at:end] + spans[:at] + spans[end:]


def _fill(
    chosen: list[Candidate], others: Sequence[Candidate], room: int, similarity: Similarity
) -> list[Span]:
    """The chosen sentences and the best of the others that say something new, as they read."""
    spans = _with_leads(chosen, room)
    for candidate in others:
        if len(spans) >= room:
            break
        if any(similarity(candidate, other) > SAME for other in chosen):
            continue
        chosen = [*chosen, candidate]
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
