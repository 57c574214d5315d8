"""Questions worth asking next: starters for an empty chat, follow-ups under an answer.

Owns where suggestions come from: anticipated questions, else headings. Whether the
library answers one is asked of whoever calls, so nothing is suggested in vain.
"""

from collections.abc import Callable, Iterable, Sequence

from corpus.documents import Passage
from index.catalogue import Catalogue
from index.lexical import terms
from index.retrieval import Hit

STARTERS = 4
FOLLOWUPS = 3
# Trying a suggestion costs an embedding each, so no more than this many are tried.
_TRIES = 8
# Two questions that share so much of the shorter one's terms ask the same.
_ALIKE = 0.8
_DULL = frozenset(
    ("introduction conclusion summary overview background sources abstract preface").split()
)

Answers = Callable[[str], bool]


def starters(catalogue: Catalogue, answers: Answers) -> tuple[str, ...]:
    """Up to four questions that the library answers, from documents spread over the whole."""
    documents = list(catalogue.documents)
    step = max(1, len(documents) // STARTERS)
    order = [documents[i] for start in range(step) for i in range(start, len(documents), step)]
    offered: list[str] = []
    for document_id in order[: 4 * STARTERS]:
        title = set(terms(catalogue.documents[document_id].title))
        own = list(_questions(catalogue.passages_of(document_id)[:3]))
        # One that names its subject can be understood by whoever sees it first.
        for question in sorted(own, key=lambda text: not title & set(terms(text))):
            if _is_new(question, offered) and answers(question):
                offered.append(question)
                break
        if len(offered) == STARTERS:
            break
    return tuple(offered)


def followups(
    asked: str,
    hits: Sequence[Hit],
    cited: Sequence[Passage],
    catalogue: Catalogue,
    answers: Answers,
) -> tuple[str, ...]:
    """Up to three further questions that the library answers.

    First those of other sections of the cited documents, then those of hits that were
    not cited.
    """
    used = {passage.id for passage in cited}
    near: list[Passage] = []
    for document_id in dict.fromkeys(passage.document_id for passage in cited):
        passages = catalogue.passages_of(document_id)
        places = [i for i, passage in enumerate(passages) if passage.id in used]
        near += [p for i in places for p in passages[i + 1 : i + 3] if p.id not in used]
    near += [hit.passage for hit in hits if hit.passage.id not in used]
    offered: list[str] = []
    tried = 0
    for question in _one_each(near):
        if len(offered) == FOLLOWUPS or tried == _TRIES:
            break
        if _is_new(question, [asked, *offered]):
            tried += 1
            if answers(question):
                offered.append(question)
    return tuple(offered)


def _one_each(passages: Sequence[Passage]) -> Iterable[str]:
    """The first question of each passage, no passage twice."""
    for passage in {passage.id: passage for passage in passages}.values():
        yield from list(_questions([passage]))[:1]


def _questions(passages: Iterable[Passage]) -> Iterable[str]:
    """The anticipated questions of passages; for one without any, its heading as a question."""
    for passage in passages:
        if passage.asks:
            yield from passage.asks
        elif passage.heading and passage.heading[-1].lower() not in _DULL:
            yield f"What do the documents say about “{passage.heading[-1]}”?"


def _is_new(question: str, others: Sequence[str]) -> bool:
    """Whether a question asks for something else than each of `others`, by its terms."""
    own = set(terms(question))
    for other in others:
        theirs = set(terms(other))
        if len(own & theirs) >= _ALIKE * max(1, min(len(own), len(theirs))):
            return False
    return True
