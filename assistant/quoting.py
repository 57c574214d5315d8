"""Quotation mode: evidence in, an ordered set of exact sentences out.

Owns which sentences answer, how many, and in which order. Every sentence it gives is
a span of a stored document. Knows nothing of markers, of rendering or of chat models.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from assistant.finding import Found
from assistant.leaning import antecedent, tells
from assistant.lists import lead_in
from assistant.questions import Expect, Part, Want
from assistant.ranking import Candidate, is_clear, most_likely
from assistant.standing import Standing
from assistant.whole_lists import whole_list
from corpus.documents import Passage, Sentence
from index.catalogue import Catalogue

MOST_QUOTES = 5
MOST_UNSURE = 3
# All of these were chosen on the development questions (`tests/data`) with an eye on those
# about five articles; differences below 2 points were treated as none. Scores are those of
# `ranking`: one less makes a sentence about a third as likely.
# Another sentence must come this near to the best one to be worth the reader's time.
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
# A sentence that answers one part of the question answers another one too if it comes
# this near to the best one for that.
NEAR_KNOWN = 2.0
# So many of the best sentences are compared with the best one.
TWINS = 10

_ORDER = {standing: at for at, standing in enumerate(Standing)}


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A sentence to quote, and what it is to the question.

    `group` keeps the lines of one list, or of one side, together.
    """

    passage: Passage
    sentence: Sentence
    group: int
    standing: Standing = Standing.ANSWER

    @property
    def text(self) -> str:
        """Its exact words."""
        return self.passage.sentence_text(self.sentence)


Span = tuple[Passage, Sentence]
Placed = list[tuple[Span, Standing]]
Similarity = Callable[[Candidate, Candidate], float]


def choose(
    of_parts: Sequence[tuple[Found, Sequence[Candidate], int]], similarity: Similarity
) -> tuple[Quote, ...]:
    """The sentences that answer, those of which it is not clear, and the further ones.

    Each of these in reading order, grouped by part. Each part comes with its candidates and
    the most sentences it may take. Lists come whole with their lead-in, and are not counted.
    """
    share, left = -(-MOST_QUOTES // max(1, len(of_parts))), MOST_QUOTES
    every: list[Placed] = []
    for found, ranked, most in of_parts:
        room = max(1, min(share, left, most))
        of_list = whole_list(found, ranked)
        if of_list:
            every.append(_beside_list(of_list, ranked, room, similarity))
        else:
            every.append(_sentences(ranked, room, similarity))
            left -= len(every[-1])
    quotes: dict[tuple[str, int], Quote] = {}
    for group in sorted(range(len(every)), key=lambda at: _ORDER[_standing(every[at])]):
        found, ranked, _ = of_parts[group]
        about = [g for g, (other, _, _) in enumerate(of_parts) if _leans(found.part, other.part)]
        answers = [q for q in quotes.values() if q.group in about]
        if _standing(every[group]) is Standing.UNCLEAR and _is_answered(found, ranked, answers):
            continue
        for (passage, sentence), standing in every[group]:
            quote = Quote(passage=passage, sentence=sentence, group=group, standing=standing)
            key = (passage.document_id, sentence.start)
            if key not in quotes or _ORDER[standing] < _ORDER[quotes[key].standing]:
                quotes.pop(key, None)  # so that it stands where this part has it
                quotes[key] = quote
    return by_standing(quotes.values())


def _standing(placed: Placed) -> Standing:
    """That of the first sentence of a part; `FURTHER` of none."""
    return placed[0][1] if placed else Standing.FURTHER


def _leans(one: Part, other: Part) -> bool:
    """Whether one of two parts of a question is about what the other names."""
    return one.text in other.topic or other.text in one.topic


def _is_answered(found: Found, ranked: Sequence[Candidate], quotes: Sequence[Quote]) -> bool:
    """Whether what answers another part is about as likely as any to answer this one too."""
    answers = {(q.passage.id, q.sentence.start) for q in quotes if q.standing is Standing.ANSWER}
    least = max(candidate.score for candidate in ranked) - NEAR_KNOWN
    return found.part.want is not Want.COMPARISON and any(
        (one.passage.id, one.sentence.start) in answers
        and one.score >= least
        and (one.expected or found.part.expect is Expect.ANYTHING)
        for one in ranked
    )


def by_standing(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """Quotes as they are read: what answers first, what is set apart last."""
    return tuple(sorted(quotes, key=lambda quote: (_ORDER[quote.standing], quote.group)))


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
) -> Placed:
    """A list, where it is clear that it answers, with what is nearly as good set apart.

    Else with the sentences that answer as well as its best line, or better, before it.
    """
    starts = {(passage.id, sentence.start) for passage, sentence in of_list}
    lines = [c for c in ranked if (c.passage.id, c.sentence.start) in starts]
    best = max(line.score for line in lines)
    others = [
        c
        for c in ranked
        if (c.passage.id, c.sentence.start) not in starts and tells(c.passage, c.sentence)
    ]
    room = min(room, MOST_BESIDE_LIST)
    beside = _fill([], [c for c in others if c.score >= best - BESIDE_LIST], room, similarity)
    if is_clear(lines, ranked):
        return _placed(of_list, Standing.ANSWER) + _placed(beside, Standing.FURTHER)
    before = _fill([], [c for c in others if c.score >= best], room, similarity)
    beside = [span for span in beside if span not in before]
    before = _likeliest_first(before, ranked)
    return _placed([*before, *of_list], Standing.UNCLEAR) + _placed(beside, Standing.FURTHER)


def _sentences(ranked: Sequence[Candidate], room: int, similarity: Similarity) -> Placed:
    """The best sentence, with those in a row with it and the next best set apart, as they read.

    Where it is not clear that the best one answers, all stand by likelihood.
    """
    pool = [candidate for candidate in ranked if tells(candidate.passage, candidate.sentence)]
    if not pool:
        return []
    first, most = pool[0], most_likely(pool)
    chosen = [first]
    if not first.sentence.is_item:
        row = [c for c in pool if c.passage.id == first.passage.id and not c.sentence.is_item]
        window = _window(row, min(room, WINDOW))
        chosen = [c for c in window if c is first or c.at_least(most - NEAR_ODDS)]
    same = [c for c in pool[:TWINS] if c is first or similarity(c, first) > SAME]
    clear = is_clear(same, ranked)
    # Beside what answers, a line of a list would need a lead-in that promises the others.
    near = [
        c
        for c in pool[1:]
        if (not clear or first.sentence.is_item or not c.sentence.is_item)
        and c.score >= first.score - NEAR_BEST
        and c.at_least(most - NEAR_ODDS)
    ]
    room = max(room, 1 + (lead_in(first.passage, first.sentence) is not None))
    every = _fill(chosen, near, room, similarity)
    if not clear:
        return _placed(_likeliest_first(every, pool), Standing.UNCLEAR)
    answer = _fill([first], [], room, similarity)
    further = [span for span in every if span not in answer][: max(0, room - len(answer))]
    return _placed(answer, Standing.ANSWER) + _placed(further, Standing.FURTHER)


def _placed(spans: Iterable[Span], standing: Standing) -> Placed:
    return [(span, standing) for span in spans]


def _likeliest_first(spans: Sequence[Span], ranked: Sequence[Candidate]) -> list[Span]:
    """Spans by likelihood; those of a list stay together, as does what one leans on."""
    places = [(c.passage.id, c.sentence.start) for c in ranked]
    starts = {(passage.id, sentence.start) for passage, sentence in spans}

    def head(span: Span) -> tuple[str, int]:
        """The first sentence of those that it must stand with."""
        passage, sentence = span
        before = lead_in(passage, sentence) or antecedent(passage, sentence)
        if before is None or (passage.id, before.start) not in starts:
            return passage.id, sentence.start
        return head((passage, before))

    ranks: dict[tuple[str, int], int] = {}
    for span in spans:
        own = (span[0].id, span[1].start)
        at = places.index(own) if own in places else len(places)
        ranks[head(span)] = min(at, ranks.get(head(span), at))
    return sorted(spans, key=lambda span: (ranks[head(span)], span[1].start))


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
