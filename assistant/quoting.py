"""Quotation mode: evidence in, an ordered set of exact sentences out.

Owns which sentences answer, how many, and in which order. Every sentence it gives is
a span of a stored document. Knows nothing of markers, of rendering or of chat models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.finding import Found
from assistant.leaning import antecedent, tells
from assistant.lists import lead_in, lists_of
from assistant.questions import Want
from assistant.ranking import Candidate
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
# Where a list is wanted: how near its passage must come to the best passage, and the
# mean similarity of its lines to the best sentence's.
LIST_PASSAGE = 0.88
LIST_LINES = 0.25
# Where none is, a list comes whole if its lead-in comes this near to the best sentence, or
# if so many of the best sentences are lines of it, the very best among them.
LIST_LEAD = 2.0
LIST_BEST, LIST_BEST_OF = 3, 5
# Sentences that come this near to the best line of a list stand before it, at most so many.
BEFORE_LIST = 2.0
MOST_BEFORE_LIST = 2


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
        of_list = _whole_list(found, ranked)
        if of_list:
            run = _before_list(of_list, ranked, room, similarity) + of_list
        else:
            new = [c for c in ranked if (c.passage.document_id, c.sentence.start) not in quotes]
            run = _sentences(new, room, similarity)
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
    has one. Else it is a list of the best passage that stands out among all sentences.
    """
    if not ranked or found.part.want is Want.EXPLANATION:
        return []
    of_line = {(c.passage.id, c.sentence.start): c for c in ranked}
    floor = LIST_LINES * max(candidate.similarity for candidate in ranked)
    for hit in found.hits:
        if hit.score < LIST_PASSAGE * found.best_score and hit is not found.hits[0]:
            continue
        lists: list[tuple[float, list[Sentence]]] = []
        for run in lists_of(hit.passage):
            lines = [of_line[hit.passage.id, line.start] for line in run]
            near = sum(line.similarity for line in lines) / len(lines)
            if (found.part.want is Want.LIST and near >= floor) or _stands_out(lines, ranked):
                lists.append((near + max(line.cover for line in lines), run))
        if lists:
            best = max(lists, key=lambda one: one[0])[1]
            return [(hit.passage, sentence) for sentence in best]
        if found.part.want is not Want.LIST:
            break
    return []


def _stands_out(lines: Sequence[Candidate], ranked: Sequence[Candidate]) -> bool:
    """Whether a list answers a question that does not ask for one.

    One without a lead-in does not: its lines are as good as sentences, each by itself.
    """
    best = [c for c in ranked if tells(c.passage, c.sentence)][:LIST_BEST_OF]
    if not best or lines[0].sentence.is_item:
        return False
    if lines[0].score >= best[0].score - LIST_LEAD:
        return True
    among = [any(line is candidate for line in lines) for candidate in best]
    return among[0] and sum(among) >= LIST_BEST


def _before_list(
    of_list: Sequence[Span], ranked: Sequence[Candidate], room: int, similarity: Similarity
) -> list[Span]:
    """The sentences that answer as well as the list's best line does, or better."""
    starts = {(passage.id, sentence.start) for passage, sentence in of_list}
    lines = [c for c in ranked if (c.passage.id, c.sentence.start) in starts]
    floor = max(line.score for line in lines) - BEFORE_LIST
    near = [
        c
        for c in ranked
        if c.score >= floor
        and (c.passage.id, c.sentence.start) not in starts
        and tells(c.passage, c.sentence)
    ]
    return _fill([], near, min(room, MOST_BEFORE_LIST), similarity)


def _sentences(ranked: Sequence[Candidate], room: int, similarity: Similarity) -> list[Span]:
    """The best sentence, those in a row with it and the next best, as they read."""
    pool = [candidate for candidate in ranked if tells(candidate.passage, candidate.sentence)]
    if not pool:
        return []
    first = pool[0]
    odds = [candidate.answers for candidate in pool if candidate.answers is not None]
    floor = max(odds, default=0.0) - NEAR_ODDS

    def likely(candidate: Candidate) -> bool:
        return candidate.answers is None or candidate.answers >= floor

    chosen = [first]
    if not first.sentence.is_item:
        row = [c for c in pool if c.passage.id == first.passage.id and not c.sentence.is_item]
        chosen = [c for c in _window(row, min(room, WINDOW)) if c is first or likely(c)]
    # A line of a list beside sentences would stand under a lead-in that promises the others.
    near = [
        candidate
        for candidate in pool
        if likely(candidate)
        and candidate.score >= first.score - NEAR_BEST
        and (first.sentence.is_item or not candidate.sentence.is_item)
    ]
    return _best_first(_fill(chosen, near, room, similarity), first)


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
