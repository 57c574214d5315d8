"""The open API: questions, documents, passages, ratings.

Owns its routes and what they give; the widget's routes use the same parts. Who may ask is
`admission`'s business, how an answer travels is that of `sse`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from assistant.answers import Reply, document_json, permalink
from assistant.questions import clean_question
from assistant.web.admission import Admission, Admitted
from assistant.web.api_schema import (
    AnswerOut,
    AskRequest,
    DocumentsOut,
    ErrorOut,
    FeedbackRequest,
    WholeDocument,
    WholePassage,
)
from assistant.web.errors import Refused
from assistant.web.feedback import Feedback
from assistant.web.pages import search_documents
from assistant.web.sse import AnswerStream, AnswerThreads
from corpus.documents import Document, Passage
from corpus.errors import ExpectedError
from index.catalogue import Catalogue

if TYPE_CHECKING:
    from assistant.chain import Assistant

LISTED = 500
"""Documents that are listed at once."""

_SAID = {
    400: "Not JSON, no question, or a mode that is not on offer.",
    401: "The token is missing, altered or expired.",
    403: "From another site, or closed here.",
    404: "Not in the library, or not any more.",
    413: "Too large.",
    422: "The request has another form; the message names the field.",
    429: "Too many questions; see Retry-After.",
    503: "No answer at the moment; see Retry-After.",
}

_EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["evidence", "delta", "done", "error"]},
        "data": {"type": "string", "description": "One line of JSON."},
    },
    "required": ["event", "data"],
}

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `evidence` {evidence: […]}, `delta` {text}, at the end `done` "
        "with the whole answer, or `error` {error, message, hint}. The data of each is one "
        "line of JSON. A stream that ends without `done` was cut.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}

_Id = Annotated[str, Path(min_length=1, max_length=200)]
_Words = Annotated[str, Query(max_length=200)]

_Found = TypeVar("_Found")


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the description of a route says of its errors."""
    return {status: {"model": ErrorOut, "description": _SAID[status]} for status in statuses}


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts that routes answer with. Holds nothing of any request."""

    assistant: "Assistant"
    admission: Admission
    threads: AnswerThreads
    feedback: Feedback | None

    async def library(self) -> Catalogue:
        """The documents and passages as they are now."""
        return await run_in_threadpool(self.assistant.catalogue)

    async def question(self, sent: AskRequest, admitted: Admitted) -> Callable[[], Reply]:
        """What gives the reply to a question. Raises `Refused` (400) when it can't be asked."""
        try:
            asked = clean_question(sent.question)
        except ExpectedError as error:
            raise Refused(400, error.message, error.hint, error="no_question") from None
        modes = admitted.modes(self.assistant.modes)
        # A partner's mode is the partner's choice; elsewhere asking in vain is told.
        if admitted.partner is None and sent.mode is not None and sent.mode not in modes:
            raise Refused(
                400, f"The mode '{sent.mode}' isn't on offer here.", f"Use {' or '.join(modes)}."
            )
        mode = sent.mode if sent.mode in modes else modes[0]
        filters = admitted.narrowed(sent.filters, await self.library())
        return lambda: self.assistant.ask(asked, sent.turns, filters, mode=mode)

    async def stream(self, sent: AskRequest, admitted: Admitted) -> Response:
        """The reply to a question as a stream."""
        ask = await self.question(sent, admitted)
        return AnswerStream(ask, self.admission.slot, self.threads)

    async def rate(self, sent: FeedbackRequest, admitted: Admitted) -> Response:
        """Keep a rating. Raises `Refused` (404) where none is wanted."""
        if self.feedback is None:
            raise Refused(404, "Ratings aren't taken on this server.")
        site = admitted.partner.id if admitted.partner is not None else ""
        known = frozenset((await self.library()).documents)
        await run_in_threadpool(self.feedback.keep, sent, site, known)
        return Response(status_code=204)

    async def passage(self, passage_id: str, admitted: Admitted) -> Response:
        """A passage with its document. Raises `Refused` (404), also where it may not be read."""
        catalogue = await self.library()
        passage = _found(lambda: catalogue.passage(passage_id))
        document = catalogue.documents[passage.document_id]
        if not admitted.filters.allows(document):
            raise _missing()
        return JSONResponse(_whole_passage(passage, document, catalogue))


def routes(service: Service) -> APIRouter:
    """The routes of the open API."""
    router = APIRouter(prefix="/api")
    _add_questions(router, service)
    _add_library(router, service)
    return router


def _add_questions(router: APIRouter, service: Service) -> None:
    @router.post(
        "/ask",
        response_model=AnswerOut,
        responses=failures(400, 401, 403, 413, 422, 429, 503),
        summary="Ask a question",
    )
    async def ask(sent: AskRequest, request: Request) -> Response:
        admitted = await service.admission.admit(request)
        reply = await service.question(sent, admitted)
        async with service.admission.slot():
            answer = await service.threads.run(lambda: reply().answer())
        return JSONResponse(answer.as_json())

    @router.post(
        "/ask/stream",
        response_class=Response,
        responses={**_STREAM, **failures(400, 401, 403, 413, 422, 429, 503)},
        summary="Ask a question, and get the answer as it grows",
    )
    async def stream(sent: AskRequest, request: Request) -> Response:
        return await service.stream(sent, await service.admission.admit(request))

    @router.post(
        "/feedback",
        status_code=204,
        response_class=Response,
        responses=failures(400, 401, 403, 404, 413, 422, 429, 503),
        summary="Rate an answer",
    )
    async def feedback(sent: FeedbackRequest, request: Request) -> Response:
        return await service.rate(sent, await service.admission.admit(request, cost="rating"))


def _add_library(router: APIRouter, service: Service) -> None:
    @router.get(
        "/documents",
        response_model=DocumentsOut,
        responses=failures(401, 403, 422, 503),
        summary="List documents",
    )
    async def documents(
        request: Request,
        q: _Words = "",
        kind: _Words = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=LISTED)] = 100,
    ) -> Response:
        admitted = await service.admission.admit(request, cost="nothing")
        catalogue = await service.library()
        found = await run_in_threadpool(search_documents, catalogue, q, kind)
        allowed = [document for document in found if admitted.filters.allows(document)]
        shown = allowed[offset : offset + limit]
        listed = [_listed(document, catalogue) for document in shown]
        return JSONResponse({"total": len(allowed), "documents": listed})

    @router.get(
        "/documents/{document_id}",
        response_model=WholeDocument,
        responses=failures(401, 403, 404, 422, 503),
        summary="Read a document",
    )
    async def document(document_id: _Id, request: Request) -> Response:
        admitted = await service.admission.admit(request, cost="nothing")
        catalogue = await service.library()
        found = _found(lambda: catalogue.documents[document_id])
        if not admitted.filters.allows(found):
            raise _missing()
        parts = [_passage_json(passage) for passage in catalogue.passages_of(found.id)]
        return JSONResponse({**_listed(found, catalogue), "text": found.text, "parts": parts})

    @router.get(
        "/passages/{passage_id}",
        response_model=WholePassage,
        responses=failures(401, 403, 404, 422, 503),
        summary="Read a passage",
    )
    async def passage(passage_id: _Id, request: Request) -> Response:
        admitted = await service.admission.admit(request, cost="nothing")
        return await service.passage(passage_id, admitted)


def _found(look: Callable[[], _Found]) -> _Found:
    try:
        return look()
    except KeyError:
        raise _missing() from None


def _missing() -> Refused:
    return Refused(404, "This is not in the library, or not any more.")


def _listed(document: Document, catalogue: Catalogue) -> dict[str, Any]:
    return {
        **document_json(document),
        "passages": len(catalogue.passages_of(document.id)),
        "permalink": f"/documents/{document.id}",
    }


def _passage_json(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "heading": list(passage.heading),
    }


def _whole_passage(passage: Passage, document: Document, catalogue: Catalogue) -> dict[str, Any]:
    ids = [each.id for each in catalogue.passages_of(document.id)]
    # What a document says of itself stands in no order with its passages.
    at = ids.index(passage.id) if passage.id in ids else -1
    return {
        "passage": _passage_json(passage),
        "document": document_json(document),
        "previous": ids[at - 1] if at > 0 else None,
        "next": ids[at + 1] if 0 <= at < len(ids) - 1 else None,
        "permalink": permalink(passage.id),
    }
