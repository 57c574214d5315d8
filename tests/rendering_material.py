"""Answers made by hand, for the tests of how they are shown."""

from assistant.answers import Answer, Citation, Statement
from corpus.documents import (
    Block,
    Document,
    Notice,
    Passage,
    Section,
    Sentence,
    document_id,
    passage_id,
    text_digest,
)


def answer_from(
    text: str,
    *,
    title: str = "Rules",
    notice: str = "",
    url: str = "",
    notices: tuple[str, ...] = (),
) -> Answer:
    """An answer that quotes the first sentence of `text`, then the rest of it."""
    lead = "Preface.\n\n"
    start, end = len(lead), len(lead) + len(text)
    cut = text.index(".") + 1
    spans = [(start, start + cut)]
    if text[cut:].strip():
        spans.append((start + cut + 1, end))
    identity = document_id("rules.md")
    document = Document(
        id=identity,
        title=title,
        kind="article",
        path="rules.md",
        text=lead + text,
        sections=(
            Section(
                heading="",
                level=0,
                path=(),
                start=0,
                end=end,
                blocks=(
                    Block(kind="paragraph", start=0, end=8),
                    Block(kind="paragraph", start=start, end=end),
                ),
            ),
        ),
        digest=text_digest(text),
        url=url,
        notices=(Notice(kind="declared", text=notice),) if notice else (),
    )
    passage = Passage(
        id=passage_id(identity, text, 0),
        document_id=identity,
        heading=("Lamps",),
        text=text,
        start=start,
        end=end,
        sentences=tuple(Sentence(start=first, end=last) for first, last in spans),
    )
    citations = tuple(
        Citation(
            number=number,
            document=document,
            passage=passage,
            quote=document.text[first:last],
            start=first,
            end=last,
        )
        for number, (first, last) in enumerate(spans, 1)
    )
    words = [citation.quote.replace("[1]", "(1)") for citation in citations]
    return Answer(
        question="Why?",
        standalone_question="Why?",
        text=" ".join(f"{said} [{number}]" for number, said in enumerate(words, 1)),
        statements=tuple(
            Statement(text=said, citations=(number,), supported=True, support=1.0)
            for number, said in enumerate(words, 1)
        ),
        citations=citations,
        notices=notices,
    )
