"""The differences that the shipped library states: found, shown where due, both sides quoted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from library_material import shipped

from assistant.differences import (
    ABOUT,
    ANSWERS,
    BOTH_NEAR,
    NEAR_QUESTION,
    Conflict,
    Side,
    conflicts,
    shown,
    with_both_sides,
)
from assistant.grounding import compose
from assistant.quoting import Quote
from assistant.ranking import Candidate
from assistant.standing import Standing
from index.catalogue import Catalogue

ADDED = "What other sources add"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return shipped()


def test_every_stated_difference_is_found_on_both_sides(catalogue: Catalogue) -> None:
    stated = [
        (document.path, one.about, one.here, one.document, one.there)
        for document in catalogue.documents.values()
        for one in document.differences
    ]
    found = [
        (here.path, conflict.about, words[0], there.path.rsplit("/", 1)[-1], words[1])
        for conflict in conflicts(catalogue)
        for here, there in [[catalogue.document_of(side.passage.id) for side in conflict.sides]]
        for words in [[side.passage.sentence_text(side.sentence) for side in conflict.sides]]
    ]
    assert stated
    assert found == stated
    retold = {path for path, *_ in stated if path.startswith("articles/")}
    assert len(retold) == 5


def quoting(*sides: Side) -> tuple[Quote, ...]:
    return tuple(Quote(passage=one.passage, sentence=one.sentence, group=0) for one in sides)


def test_a_difference_is_shown_with_either_of_its_sides(catalogue: Catalogue) -> None:
    for conflict in conflicts(catalogue):
        for side in conflict.sides:
            due = shown(quoting(side), catalogue, ())
            # Another that is about the same, and has this side too, may stand for it.
            same = [one for one in due if one.about == conflict.about]
            assert len(same) == 1
            assert side in same[0].sides
            apart = [replace(quote, standing=Standing.FURTHER) for quote in quoting(side)]
            assert not shown(apart, catalogue, ())


def test_of_differences_on_the_same_thing_the_one_of_which_most_is_quoted_is_shown(
    catalogue: Catalogue,
) -> None:
    same = [one for one in conflicts(catalogue) if one.about == "who created the review"]
    within, between = sorted(same, key=lambda one: not one.within_one)
    assert within.within_one and not between.within_one
    assert within.sides[1] == between.sides[1]

    def chosen(*sides: Side) -> list[Conflict]:
        return [one for one in shown(quoting(*sides), catalogue, ()) if one.about == within.about]

    assert chosen(*within.sides) == [within]
    assert chosen(*between.sides) == [between]
    assert chosen(within.sides[1]) == [between]
    assert chosen(within.sides[0], between.sides[0]) == [between]


def test_a_side_of_a_difference_is_never_set_apart(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    first, second = quoting(*conflict.sides)
    other = quoting(*conflicts(catalogue)[-1].sides)[0]
    apart = [replace(quote, standing=Standing.FURTHER) for quote in (other, first)]
    quotes, numbered = with_both_sides([second, *apart], [conflict])
    assert [quote.standing.value for quote in quotes] == ["answer", "answer", "further"]
    assert quotes[1].sentence == first.sentence
    assert numbered == ((conflict.about, (1, 2)),)


def test_the_other_side_stands_as_the_one_that_is_quoted(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    first, _ = quoting(*conflict.sides)
    further = replace(
        quoting(*conflicts(catalogue)[-1].sides)[0], group=1, standing=Standing.FURTHER
    )
    for standing in (Standing.ANSWER, Standing.UNCLEAR):
        quotes, numbered = with_both_sides([replace(first, standing=standing), further], [conflict])
        assert [quote.standing for quote in quotes] == [standing, standing, Standing.FURTHER]
        assert numbered == ((conflict.about, (1, 2)),)


def test_both_sides_stand_below_what_may_answer(catalogue: Catalogue) -> None:
    """Whatever words the sides have: some are a part of a sentence, some go over several."""
    every = conflicts(catalogue)
    for conflict, other in zip(every, (*every[1:], every[0]), strict=True):
        unclear = replace(quoting(other.sides[0])[0], standing=Standing.UNCLEAR)
        quotes, numbered = with_both_sides([unclear], [conflict])
        composed = compose(quotes, catalogue)
        assert [citation.quote for citation in composed.citations] == [q.text for q in quotes]
        assert [about for about, _ in numbered] == [conflict.about]


def test_a_difference_is_shown_where_a_side_is_likely_to_answer(catalogue: Catalogue) -> None:
    conflict = conflicts(catalogue)[0]
    side = conflict.sides[0]
    sentence = next(one for one in side.passage.sentences if side.overlaps(one))

    def shown_at(odds: float | None, similarity: float) -> bool:
        candidate = Candidate(
            passage=side.passage,
            sentence=sentence,
            score=0.0,
            similarity=similarity,
            cover=0.0,
            expected=False,
            answers=odds,
        )
        return conflict in shown((), catalogue, [candidate])

    assert shown_at(ANSWERS, ABOUT)
    assert not shown_at(ANSWERS, ABOUT - 0.01)
    assert not shown_at(ANSWERS - 0.1, ABOUT)
    assert not shown_at(None, ABOUT)


def test_what_answers_always_shows_its_difference_and_what_may_if_it_is_about_it(
    catalogue: Catalogue,
) -> None:
    conflict = conflicts(catalogue)[0]
    (quote,) = quoting(conflict.sides[0])
    sentence = next(one for one in quote.passage.sentences if conflict.sides[0].overlaps(one))
    (other,) = quoting(conflicts(catalogue)[-1].sides[0])
    candidate = Candidate(
        passage=quote.passage,
        sentence=sentence,
        score=0.0,
        similarity=ABOUT - 0.01,
        cover=0.0,
        expected=False,
    )

    def is_shown(quotes: Sequence[Quote], standing: Standing, nearer: float = 0.0) -> bool:
        near = replace(candidate, similarity=candidate.similarity + nearer)
        stands = [replace(one, standing=standing) for one in quotes]
        return conflict in shown(stands, catalogue, [near])

    assert is_shown([other, quote], Standing.ANSWER)
    assert is_shown([quote, other], Standing.UNCLEAR)
    assert not is_shown([other, quote], Standing.UNCLEAR)
    assert is_shown([other, quote], Standing.UNCLEAR, nearer=0.02)
    assert not is_shown([quote, other], Standing.FURTHER, nearer=0.02)


def test_beside_what_answers_no_difference_is_shown_that_is_merely_near(
    catalogue: Catalogue,
) -> None:
    conflict = next(one for one in conflicts(catalogue) if not one.within_one)
    near = [
        Candidate(
            passage=side.passage,
            sentence=next(one for one in side.passage.sentences if side.overlaps(one)),
            score=0.0,
            similarity=max(NEAR_QUESTION, BOTH_NEAR),
            cover=0.0,
            expected=False,
        )
        for side in conflict.sides
    ]
    (other,) = quoting(
        next(
            one.sides[0]
            for one in conflicts(catalogue)
            if one.about != conflict.about and not set(one.sides) & set(conflict.sides)
        )
    )
    unclear = replace(other, standing=Standing.UNCLEAR)
    assert conflict in shown([unclear], catalogue, near)
    assert conflict not in shown([other], catalogue, near)


def test_stated_differences_set_what_articles_say_against_what_others_say(
    catalogue: Catalogue,
) -> None:
    for conflict in conflicts(catalogue):
        here, there = conflict.sides
        assert catalogue.document_of(there.passage.id).kind == "article"
        assert ADDED not in there.passage.heading
        if conflict.within_one:
            assert ADDED in here.passage.heading
        else:
            assert catalogue.document_of(here.passage.id).kind != "article"
