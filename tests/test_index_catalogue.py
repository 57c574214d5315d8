"""The catalogue: what is saved is what is loaded, and nothing doubtful gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_material import document

from index.catalogue import Catalogue
from index.errors import IndexDamaged

ENTRIES = [
    document("b/two.md", "One passage.", "Another passage.", asks=("What is it?",)),
    document("a.txt", "Same words.", "Same words."),
]


def test_what_is_saved_is_what_is_loaded(tmp_path):
    catalogue = Catalogue(ENTRIES)
    catalogue.save(tmp_path / "documents.jsonl")
    loaded = Catalogue.load(tmp_path / "documents.jsonl")
    assert list(loaded.documents.items()) == list(catalogue.documents.items())
    assert list(loaded.passages.items()) == list(catalogue.passages.items())
    first, passages = ENTRIES[0]
    assert loaded.passages_of(first.id) == passages
    assert loaded.document_of(passages[1].id) == first


def test_the_order_is_that_of_the_library():
    catalogue = Catalogue(ENTRIES)
    assert [document.path for document in catalogue.documents.values()] == ["b/two.md", "a.txt"]
    assert list(catalogue.passages) == [p.id for _, passages in ENTRIES for p in passages]


def test_an_id_comes_once():
    with pytest.raises(ValueError, match="two documents"):
        Catalogue([ENTRIES[0], ENTRIES[0]])
    made, passages = ENTRIES[0]
    with pytest.raises(ValueError, match="two passages"):
        Catalogue([(made, (passages[0], passages[0]))])


def test_a_passage_is_a_piece_of_its_document():
    made, _ = ENTRIES[0]
    _, strange = ENTRIES[1]
    with pytest.raises(ValueError, match="isn't where it says"):
        Catalogue([(made, strange)])


@pytest.mark.parametrize("text", ["{", "[]\n", '{"document": {}}\n', "\x00"])
def test_a_broken_file_is_refused(tmp_path, text):
    path = tmp_path / "documents.jsonl"
    path.write_text(text)
    with pytest.raises(IndexDamaged):
        Catalogue.load(path)


@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_survives(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    catalogue = Catalogue([document("x.txt", text)])
    catalogue.save(path)
    assert list(Catalogue.load(path).passages.values()) == list(catalogue.passages.values())
