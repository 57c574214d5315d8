"""Whether a list answers as a whole, with its lead-in.

Owns which list that is, by the scores of its lines. Knows nothing of what is quoted beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.finding import Found
from assistant.leaning import tells
from assistant.lists import lists_of
from assistant.questions import Want
from assistant.ranking import Candidate, is_clear, most_likely
from corpus.documents import Passage, Sentence

# All of these were chosen on the development questions (`tests/data`); scores are those of
# `ranking`, odds the reranker's.
# Where a list is wanted: how near its passage must come to the best passage, and the
# mean similarity of its lines to the best sentence's.
PASSAGE = 0.88
LINES = 0.25
# And how near its lead-in to the best sentence, or the mean odds of its lines to the highest.
WANTED_LEAD = 2.5
WANTED_ODDS = 2.25
# Where none is wanted, a list comes whole if its lead-in comes this near to the best sentence
# and its lines, on the whole, this near.
LEAD = 2.0
MEAN = 3.0
# Or if so many of the best sentences are lines of it, the very best among them, and its lines
# are about as likely to answer: their mean odds and the least of them this near to the highest.
BEST, BEST_OF = 3, 5
MEAN_ODDS = 1.5
LEAST_ODDS = 2.0


@dataclass(frozen=True, kw_only=True)
class _Lines:
    """A list against the best sentence: how far behind each of its figures is."""

    lead: float
    mean: float
    mean_odds: float | None
    worst_odds: float | None


def whole_list(found: Found, ranked: Sequence[Candidate]) -> list[tuple[Passage, Sentence]]:
    """The list that answers, with its lead-in; empty where none does.

    Where a list is wanted, that is the best list of the first of the best passages that
    has one. Else it is a list of the best passage that stands out among all sentences; none
    where a single line of a list clearly answers.
    """
    best = [c for c in ranked if tells(c.passage, c.sentence)]
    if not best or found.part.want is Want.EXPLANATION:
        return []
    of_line = {(c.passage.id, c.sentence.start): c for c in ranked}
    floor = LINES * max(candidate.similarity for candidate in ranked)
    wanted = found.part.want is Want.LIST
    if not wanted and best[0].sentence.is_item and is_clear(best[:1], ranked):
        return []
    for hit in found.hits:
        if hit.score < PASSAGE * found.best_score and hit is not found.hits[0]:
            continue
        lists: list[tuple[float, list[Sentence]]] = []
        for run in lists_of(hit.passage):
            lines = [of_line[hit.passage.id, line.start] for line in run]
            near = sum(line.similarity for line in lines) / len(lines)
            behind = _behind(lines, best)
            if (wanted and near >= floor and _is_wanted(behind)) or _stands_out(
                lines, best, behind
            ):
                lists.append((near + max(line.cover for line in lines), run))
        if lists:
            return [(hit.passage, one) for one in max(lists, key=lambda one: one[0])[1]]
        if not wanted:
            break
    return []


def _is_wanted(behind: _Lines) -> bool:
    """Whether a list may be the one that is asked for."""
    near_odds = behind.mean_odds is None or behind.mean_odds <= WANTED_ODDS
    return behind.lead <= WANTED_LEAD or near_odds


def _stands_out(lines: Sequence[Candidate], best: Sequence[Candidate], behind: _Lines) -> bool:
    """Whether a list answers a question that does not ask for one.

    One without a lead-in does not: its lines are as good as sentences, each by itself.
    """
    if lines[0].sentence.is_item:
        return False
    if behind.lead <= LEAD and behind.mean <= MEAN:
        return True
    if behind.mean_odds is None or behind.worst_odds is None:
        return False
    among = [any(line is candidate for line in lines) for candidate in best[:BEST_OF]]
    alike = behind.mean_odds <= MEAN_ODDS and behind.worst_odds <= LEAST_ODDS
    return among[0] and sum(among) >= BEST and alike


def _behind(lines: Sequence[Candidate], best: Sequence[Candidate]) -> _Lines:
    items = [line for line in lines if line.sentence.is_item]
    mean = sum(line.score for line in items) / len(items)
    odds = [line.answers for line in items if line.answers is not None]
    lead, behind = best[0].score - lines[0].score, best[0].score - mean
    if not odds:
        return _Lines(lead=lead, mean=behind, mean_odds=None, worst_odds=None)
    highest = most_likely(best)
    return _Lines(
        lead=lead,
        mean=behind,
        mean_odds=highest - sum(odds) / len(odds),
        worst_odds=highest - min(odds),
    )
