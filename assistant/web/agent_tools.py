"""What an agent can do here: ask, search passages, read a document.

Owns each tool's name, what it does and its outcome as text. Every passage comes with the
address of its page, so that an agent can quote with a link. Knows nothing of the
protocol that carries them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from assistant.answers import Answer, Citation, permalink
from assistant.asking import filters_by_name
from assistant.rendering import secure_url
from assistant.web.agent_shapes import (
    AskArguments,
    AskOut,
    DifferenceOut,
    DocumentOut,
    FoundOut,
    PassageOut,
    PlaceOut,
    QuoteOut,
    ReadArguments,
    ReadOut,
    SearchArguments,
    Searching,
    SearchOut,
)
from assistant.web.message_text import harmless, message_text, quote_address
from corpus.documents import Document, Passage
from corpus.errors import ExpectedError
from index.retrieval import Filters

if TYPE_CHECKING:
    from assistant.chain import Assistant


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A tool's result, and the same as text to read."""

    data: BaseModel
    text: str


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as it is offered. `run` takes checked arguments, the assistant and a base URL."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Any, "Assistant", str], Outcome]


def use(tool: Tool, arguments: object, assistant: "Assistant", base_url: str) -> Outcome:
    """Check the arguments and run the tool; `base_url` makes addresses whole.

    Raises `ExpectedError` for arguments that can't be used, without repeating them.
    """
    try:
        checked = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise ExpectedError(
            f"These arguments can't be used: {'; '.join(wrong[:5])}.",
            f"See the description of {tool.name}.",
        ) from None
    return tool.run(checked, assistant, base_url)


def _ask(arguments: AskArguments, assistant: "Assistant", base_url: str) -> Outcome:
    if arguments.mode is not None and arguments.mode not in assistant.modes:
        raise ExpectedError(
            f"Answers of the mode {arguments.mode!r} are not on offer here.",
            f"Choose from: {', '.join(assistant.modes)}.",
        )
    filters = _filters(arguments, assistant)
    answer = assistant.ask(
        arguments.question, arguments.turns, filters, mode=arguments.mode
    ).answer()
    return Outcome(data=_answer(answer, base_url), text=message_text(answer, base_url))


def _answer(answer: Answer, base_url: str) -> AskOut:
    return AskOut(
        answered=answer.answered,
        abstention=answer.abstention.value if answer.abstention else None,
        mode=answer.mode,
        certain=answer.certain,
        text=answer.text,
        quotes=[_quote(citation, base_url) for citation in answer.citations],
        unsupported=[said.text for said in answer.statements if not said.supported],
        differences=[
            DifferenceOut(about=difference.about, quotes=list(difference.citations))
            for difference in answer.differences
        ],
        notices=list(answer.notices),
        nearest=[
            PlaceOut(**_place(one.hit.passage, one.document, base_url)) for one in answer.nearest
        ],
    )


def _quote(citation: Citation, base_url: str) -> QuoteOut:
    place = _place(citation.passage, citation.document, base_url)
    place["permalink"] = quote_address(citation, base_url)
    return QuoteOut(number=citation.number, quote=citation.quote, **place)


def _search(arguments: SearchArguments, assistant: "Assistant", base_url: str) -> Outcome:
    filters = _filters(arguments, assistant)
    hits = assistant.find(arguments.query, (), filters, arguments.limit)
    documents = assistant.catalogue().documents
    found = [
        FoundOut(
            score=round(hit.score, 4),
            text=hit.passage.text,
            **_place(hit.passage, documents[hit.passage.document_id], base_url),
        )
        for hit in hits
        # A document may go while it is being searched for.
        if hit.passage.document_id in documents
    ]
    return Outcome(data=SearchOut(passages=found), text=_shown(found) or "Nothing was found.")


def _read(arguments: ReadArguments, assistant: "Assistant", base_url: str) -> Outcome:
    catalogue = assistant.catalogue()
    (identity,) = filters_by_name(catalogue, (), (arguments.document,)).documents
    document, passages = catalogue.documents[identity], catalogue.passages_of(identity)
    first = arguments.start - 1
    if first >= max(len(passages), 1):
        raise ExpectedError(
            f"This document has {len(passages)} passages.", f"Give a start of 1 to {len(passages)}."
        )
    last = first + arguments.count
    shown = [
        PassageOut(text=passage.text, **_place(passage, document, base_url))
        for passage in passages[first:last]
    ]
    following = last + 1 if last < len(passages) else None
    data = ReadOut(
        document=_document(document, base_url),
        passages=shown,
        start=arguments.start,
        total=len(passages),
        next=following,
    )
    more = f"\n\n(More: start={following}, of {len(passages)} passages.)" if following else ""
    return Outcome(data=data, text=_shown(shown) + more)


def _filters(arguments: Searching, assistant: "Assistant") -> Filters:
    if not arguments.kinds and not arguments.documents:
        return Filters()
    return filters_by_name(assistant.catalogue(), arguments.kinds, arguments.documents)


def _document(document: Document, base_url: str) -> DocumentOut:
    return DocumentOut(
        id=document.id,
        title=document.title,
        kind=document.kind,
        path=document.path,
        url=secure_url(document.url),
        publisher=document.publisher,
        published=document.published,
        language=document.language,
        notices=[notice.text for notice in document.notices],
        permalink=f"{base_url}/documents/{document.id}",
    )


def _place(passage: Passage, document: Document, base_url: str) -> dict[str, Any]:
    return {
        "passage_id": passage.id,
        "document": _document(document, base_url),
        "heading": list(passage.heading),
        "permalink": base_url + permalink(passage.id),
    }


def _shown(passages: Sequence[PassageOut]) -> str:
    """Passages as text, each under its place, its notices and its address."""
    written = []
    for passage in passages:
        said = [" › ".join((passage.document.title, *passage.heading)), *passage.document.notices]
        written.append(
            f"{harmless(' · '.join(said))}\n{passage.permalink}\n{harmless(passage.text)}"
        )
    return "\n\n".join(written)


TOOLS = (
    Tool(
        name="ask",
        title="Ask the library",
        description="Answer a question from the library. Every sentence carries a marker [n] that "
        "leads to an exact quotation with its permalink. Where the library does not answer, it "
        "says so and names what stands closest.",
        arguments=AskArguments,
        result=AskOut,
        run=_ask,
    ),
    Tool(
        name="search_passages",
        title="Search passages",
        description="Find passages of the library, the best first, with their exact text, their "
        "document and their permalink. Nothing is judged or answered.",
        arguments=SearchArguments,
        result=SearchOut,
        run=_search,
    ),
    Tool(
        name="read_document",
        title="Read a document",
        description="Read a document of the library in order, some passages at a time, by the id, "
        "path or title that the other tools give.",
        arguments=ReadArguments,
        result=ReadOut,
        run=_read,
    ),
)
