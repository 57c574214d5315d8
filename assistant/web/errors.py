"""How an error is told: one form for programs, a page for people.

Owns the form `{error, message, hint}`, its codes, and which routes speak it. Nothing that
was sent is ever repeated in it. Knows nothing of when something is refused.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from assistant.web.pages import NotInLibrary, Pages
from corpus.errors import ExpectedError

_LOG = logging.getLogger("rapporteur.web")

PROGRAMS = ("/api", "/embed", "/v1", "/mcp")
"""Below these paths errors are JSON, whatever the client says that it accepts."""

CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "token_required",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    422: "invalid_request",
    429: "too_many_questions",
    500: "failed",
    503: "unavailable",
}

_TITLES: Mapping[int, str] = {
    400: "This can't be done",
    404: "Nothing here",
    413: "Too large",
    503: "This can't be done now",
}

_SAYINGS: Mapping[int, tuple[str, str]] = {
    404: ("There is nothing at this address.", "Check the address."),
    405: ("This method isn't used here.", "See /api/docs."),
    413: ("The request is larger than is taken here.", "Send less."),
}


class Refused(ExpectedError):
    """A request is turned away; `retry_after` is in seconds, None where waiting won't help."""

    def __init__(
        self,
        status: int,
        message: str,
        hint: str = "",
        *,
        error: str = "",
        retry_after: int | None = None,
    ) -> None:
        """`error` is the code for programs, by default that of the `status`."""
        super().__init__(message, hint)
        self.status = status
        self.error = error or CODES[status]
        self.retry_after = retry_after

    def body(self) -> dict[str, str]:
        """The refusal as programs read it."""
        return {"error": self.error, "message": self.message, "hint": self.hint}

    def headers(self) -> dict[str, str]:
        """What goes into the head of the answer."""
        if self.retry_after is not None:
            return {"Retry-After": str(self.retry_after)}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}


def json_response(refused: Refused) -> Response:
    """The refusal as an answer to a program."""
    # Escaped, so that no odd character of a name in it can make the telling fail.
    body = json.dumps(refused.body(), ensure_ascii=True)
    return Response(
        body,
        status_code=refused.status,
        media_type="application/json",
        headers=refused.headers(),
    )


def is_for_programs(path: str) -> bool:
    """Whether errors of this path are always JSON."""
    return any(path == start or path.startswith(f"{start}/") for start in PROGRAMS)


def unexpected() -> Refused:
    """What is told of an error that nobody foresaw: nothing of what it says."""
    return Refused(500, "Something went wrong here.", "Please try again.")


def unavailable(error: ExpectedError) -> Refused:
    """An answer that can't be given for now, for want of an index for instance."""
    return Refused(503, error.message, error.hint, retry_after=30)


def add_errors(app: FastAPI, mounted: Sequence[FastAPI], pages: Pages) -> None:
    """One way to tell an error, to people and to programs, for `app` and what it mounts."""

    def told(request: Request, refused: Refused, title: str = "") -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if is_for_programs(request.url.path) or not wants_page:
            return json_response(refused)
        heading = title or _TITLES.get(refused.status, "This can't be done")
        text = f"{refused.message} {refused.hint}".strip()
        return HTMLResponse(
            pages.message(heading, text), status_code=refused.status, headers=refused.headers()
        )

    @app.exception_handler(Refused)
    async def refusal(request: Request, error: Refused) -> Response:
        return told(request, error)

    @app.exception_handler(NotInLibrary)
    async def missing(request: Request, error: NotInLibrary) -> Response:
        return told(request, Refused(404, str(error)), "Not in the library")

    @app.exception_handler(ExpectedError)
    async def expected(request: Request, error: ExpectedError) -> Response:
        if request.method == "POST" and not is_for_programs(request.url.path):
            return told(request, Refused(400, error.message, error.hint))
        return told(request, unavailable(error))

    # The default one repeats what was sent, and fails over numbers that JSON doesn't know.
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if is_for_programs(request.url.path):
            return told(request, _misfit(error.errors()))
        hint = "Please check the link you followed."
        return told(request, Refused(400, "", hint), "This address isn't right")

    for each in (app, *mounted):
        each.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]

    @app.exception_handler(HTTPException)
    async def stopped(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404 and not is_for_programs(request.url.path):
            return told(request, Refused(404, "There is no page at this address."))
        saying = _SAYINGS.get(error.status_code, ("The request couldn't be understood.", ""))
        code = CODES.get(error.status_code, CODES[400])
        answer = told(request, Refused(error.status_code, *saying, error=code))
        # Which methods are allowed, for instance.
        answer.headers.update(error.headers or {})
        return answer


def _misfit(errors: Sequence[Any]) -> Refused:
    """What doesn't fit in a request: the first field, and how it should be."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return Refused(400, "The body isn't JSON.", "Send a JSON object. See /api/docs.")
    # Names may be the sender's own; only those that could be ours are repeated.
    names = [str(part) for part in first["loc"][1:] if _plain_name(part)]
    what = ".".join(names) or "The request"
    reason = "it isn't known here" if first["type"] == "extra_forbidden" else first["msg"]
    return Refused(422, f"{what} can't be used: {reason}.", "See /api/docs.")


def _plain_name(part: object) -> bool:
    return isinstance(part, int) or (
        isinstance(part, str) and part.isascii() and part.isidentifier() and len(part) <= 40
    )
