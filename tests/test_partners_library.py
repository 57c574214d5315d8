"""A partner's part of the library: what is named is answered from, and nothing else ever."""

from pathlib import Path

import pytest

from assistant.answers import Turn
from assistant.chain import Assistant
from assistant.web.partners import read_partners
from index.retrieval import Filters

pytest_plugins = ("web_fixtures",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file stands."""
    return tmp_path / "partners.toml"


def filters_of(assistant: Assistant, path: Path, lines: str) -> Filters:
    path.write_text(f"[partners.pub_a]\n{lines}\n", encoding="utf-8")
    return read_partners(path)["pub_a"].filters(assistant.catalogue())


def test_documents_are_given_by_path_title_or_id(assistant: Assistant, path: Path) -> None:
    catalogue = assistant.catalogue()
    ids = {document.path: document.id for document in catalogue.documents.values()}
    found = filters_of(
        assistant, path, f'documents = ["the HARBOUR tribunal", "{ids["assembly.md"]}"]'
    )
    assert found == Filters(documents=frozenset({ids["assembly.md"], ids["harbours.md"]}))
    assert filters_of(assistant, path, "") == Filters()
    assert filters_of(assistant, path, 'kinds = ["article"]').kinds == {"article"}


@pytest.mark.parametrize("line", ['documents = ["gone.md"]', 'kinds = ["gone"]'])
def test_what_the_library_lacks_never_opens_the_rest(
    assistant: Assistant, path: Path, line: str
) -> None:
    found = filters_of(assistant, path, line)
    answer = assistant.ask("How often does the assembly of the islands meet?", (), found).answer()
    assert answer.abstention is not None
    assert answer.evidence == ()
    open_answer = assistant.ask("How often does the assembly of the islands meet?").answer()
    assert open_answer.evidence


def test_the_check_names_what_the_library_lacks(assistant: Assistant, path: Path) -> None:
    path.write_text(
        '[partners.pub_a]\ndocuments = ["gone.md", "assembly.md"]\nkinds = ["gone"]\n',
        encoding="utf-8",
    )
    found = read_partners(path)["pub_a"].missing_from(assistant.catalogue())
    assert [each.partner for each in found] == ["pub_a", "pub_a"]
    assert "'gone'" in found[0].message
    assert "'gone.md'" in found[1].message
    assert all(each.hint for each in found)


@pytest.mark.parametrize(
    "question",
    [
        "What does the text about the assembly of the islands say about sessions?",
        "How often does the assembly meet according to the article on the assembly of the islands?",
        "Compare the article on the assembly of the islands and the one on the harbour tribunal.",
        "How often does it meet?",
    ],
)
def test_a_document_outside_is_not_opened_by_naming_it(
    assistant: Assistant, path: Path, question: str
) -> None:
    found = filters_of(assistant, path, 'documents = ["harbours.md"]')
    turns = (
        Turn(role="user", content="What is the assembly of the islands?"),
        Turn(role="assistant", content="The assembly of the islands is a parliament. [1]"),
    )
    answer = assistant.ask(question, turns, found).answer()
    shown = [*answer.evidence, *answer.nearest]
    assert {each.hit.passage.document_id for each in shown} <= found.documents
    assert {each.passage.document_id for each in answer.citations} <= found.documents
