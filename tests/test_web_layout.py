"""A stretch of a document is laid out with exactly its own words."""

from hypothesis import given
from hypothesis import strategies as st
from rendering_material import answer_from

from assistant.chain import Assistant
from assistant.web.layout import Part, lay_out, surroundings

pytest_plugins = ("web_fixtures",)


def words(parts: tuple[Part, ...], *, marked: bool = False, bright: bool = False) -> str:
    pieces = [
        piece
        for part in parts
        if part.kind != "heading"
        for line in part.lines
        for piece in line
        if (piece.marked or not marked) and (not piece.dim or not bright)
    ]
    return "".join("".join(piece.text for piece in pieces).split())


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_every_passage_is_shown_whole_between_its_neighbours(assistant: Assistant) -> None:
    catalogue = assistant.catalogue()
    for passage in catalogue.passages.values():
        document = catalogue.documents[passage.document_id]
        stretch = surroundings(document, catalogue.passages_of(document.id), passage)
        own = (passage.start, passage.end)
        parts = lay_out(document, stretch, passage=own, marked=own)
        bright = words(parts, bright=True)
        assert bright == words(parts, marked=True)
        assert bright in squeezed(passage.text)
        assert squeezed(document.text[stretch[0] : stretch[1]]).endswith(words(parts)[-20:])


def test_a_whole_document_has_each_word_once(assistant: Assistant) -> None:
    for document in assistant.catalogue().documents.values():
        blocks = [block for section in document.sections for block in section.blocks]
        whole = "".join(document.text[block.start : block.end] for block in blocks)
        assert words(lay_out(document, (0, len(document.text)))) == squeezed(whole)


@given(st.tuples(*[st.integers(0, 60)] * 6))
def test_any_stretch_gives_its_own_words_only(numbers: tuple[int, ...]) -> None:
    document = answer_from("Boats need lamps. The master keeps a list.").citations[0].document
    stretch, passage, marked = [tuple(sorted(numbers[i : i + 2])) for i in (0, 2, 4)]
    shown = words(lay_out(document, stretch, passage=passage, marked=marked))
    assert shown == squeezed(document.text[stretch[0] : stretch[1]])
