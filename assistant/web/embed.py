"""The widget's routes: its files, its page, its token, and the questions asked in it.

Owns what the page is told at its start, and which sites may show it. The page's own files
are in `static`; questions go the way of the API's.
"""

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, StringConstraints
from starlette.concurrency import run_in_threadpool

from assistant.suggestions import starters
from assistant.web.admission import RENEWABLE, bearer, modes_of
from assistant.web.api import Service
from assistant.web.api_schema import AskRequest, FeedbackRequest
from assistant.web.embed_files import EmbedFiles
from assistant.web.errors import Refused
from assistant.web.pages import Pages
from assistant.web.partners import Language, Partner
from assistant.web.strings import direction, own_name, strings
from assistant.web.tokens import LIFETIME, Tokens
from corpus.errors import ExpectedError
from index.catalogue import Catalogue
from index.retrieval import Filters

if TYPE_CHECKING:
    from assistant.chain import Assistant

Theme = Literal["auto", "light", "dark"]

# `frame-ancestors` is added for each partner; that is what browsers go by.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
    "frame-ancestors "
)
_FRAME_HEADERS = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-store",
}

_Text = Annotated[str, StringConstraints(max_length=500)]


class _Asked(BaseModel):
    """What the address of the frame says; the rest is the partner's to say.

    `o` is the origin of the page around; `mode` tells whether there is something to close.
    """

    site: _Text = ""
    lang: _Text = ""
    theme: _Text = ""
    o: _Text = ""
    mode: _Text = ""


class _Json(str):
    """JSON that may stand in a script element as it is."""

    def __html__(self) -> str:
        return str(self)


def routes(service: Service, tokens: Tokens, files: EmbedFiles, pages: Pages) -> APIRouter:
    """The routes of the widget. They are no part of the API's description."""
    router = APIRouter(prefix="/embed/v1", include_in_schema=False)
    # By the names with digests, so that a page never meets the script of another version.
    own_files = {"css": files.lasting("frame.css"), "js": files.lasting("frame.js")}
    _add_frame(router, service, tokens, pages, own_files)
    _add_service(router, service, tokens)

    @router.get("/{name}")
    def file(name: str, request: Request) -> Response:
        found = files.response(name, request.headers)
        if found is None:
            raise Refused(404, "There is no such file.")
        return found

    return router


def _add_frame(
    router: APIRouter, service: Service, tokens: Tokens, pages: Pages, own_files: Mapping[str, str]
) -> None:
    @router.get("/frame")
    async def frame(request: Request, asked: Annotated[_Asked, Query()]) -> Response:
        try:
            partner = service.admission.partner(asked.site, "")
        except Refused as refused:
            return _no_frame(pages, refused)
        host = _host_origin(partner, asked.o, request.headers.get("referer", ""))
        lang = _language(partner, asked.lang)
        modes = modes_of(partner, service.assistant.modes)
        config = {
            **_session(tokens, partner.id, host, ""),
            "lang": lang,
            "dir": direction(lang),
            "strings": strings(lang),
            "accent": partner.accent,
            "accentDark": partner.accent_dark,
            "starters": await run_in_threadpool(_starters_of, service.assistant, partner),
            "modes": modes,
            # A page that names itself falsely hears nothing.
            "hostOrigin": asked.o if asked.o and partner.allows(asked.o) else "",
            "feedback": service.feedback is not None,
        }
        page = pages.frame(
            config=_script_json(config),
            words=config["strings"],
            lang=lang,
            dir=config["dir"],
            theme=asked.theme if asked.theme in get_args(Theme) else "auto",
            title=partner.title,
            greeting=partner.greeting,
            others=[
                (f"?{urlencode({**asked.model_dump(), 'lang': other})}", other, own_name(other))
                for other in partner.languages
                if other != lang
            ],
            close="" if asked.mode == "bubble" else "hidden",
            choice="" if len(modes) > 1 else "hidden",
            checked="checked" if modes[0] == "quotation" else "",
            **own_files,
        )
        policy = _POLICY + " ".join(partner.origins)
        return HTMLResponse(page, headers={**_FRAME_HEADERS, "Content-Security-Policy": policy})


def _add_service(router: APIRouter, service: Service, tokens: Tokens) -> None:
    admission = service.admission

    @router.post("/session")
    async def session(request: Request) -> Response:
        """A new token for one that is valid, or was not long ago."""
        if "origin" not in request.headers:
            raise Refused(403, "Only the widget's own page can renew its token.")
        given = bearer(request.headers)
        if given is None:
            raise Refused(401, "There is no token to renew.", "Reload the page.")
        claims = admission.claims(given, expired_by=RENEWABLE)
        partner = admission.partner(claims.site, claims.origin)
        return JSONResponse(_session(tokens, partner.id, claims.origin, claims.conversation))

    @router.post("/ask")
    async def ask(sent: AskRequest, request: Request) -> Response:
        return await service.stream(sent, await admission.admit(request, token="required"))

    @router.get("/passages/{passage_id}")
    async def passage(passage_id: str, request: Request) -> Response:
        admitted = await admission.admit(request, token="required", cost="nothing")
        return await service.passage(passage_id, admitted)

    @router.post("/feedback")
    async def feedback(sent: FeedbackRequest, request: Request) -> Response:
        admitted = await admission.admit(request, token="required", cost="rating")
        return await service.rate(sent, admitted)


def _no_frame(pages: Pages, refused: Refused) -> Response:
    page = pages.message("This assistant can't be shown", str(refused))
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"
    return HTMLResponse(
        page, status_code=404, headers={**_FRAME_HEADERS, "Content-Security-Policy": policy}
    )


def _host_origin(partner: Partner, named: str, referrer: str) -> str:
    """The origin of the page around, as it says itself or as the browser says; empty: unknown."""
    try:
        parts = urlsplit(referrer)
        came_from = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        came_from = ""
    return next((origin for origin in (named, came_from) if partner.allows(origin)), "")


def _session(tokens: Tokens, site: str, origin: str, conversation: str) -> dict[str, Any]:
    named = conversation or secrets.token_urlsafe(12)
    return {
        "token": tokens.issue(site, origin, named),
        "conversation": named,
        "expiresIn": LIFETIME,
    }


def _language(partner: Partner, asked: str) -> Language:
    """The language that is asked for where the partner has it, else the partner's first."""
    short = asked.partition("-")[0].lower()
    return next((each for each in partner.languages if each == short), partner.languages[0])


def _starters_of(assistant: "Assistant", partner: Partner) -> tuple[str, ...]:
    """The partner's starter questions, else some that its share of the library answers."""
    if partner.starters:
        return partner.starters
    try:
        catalogue = assistant.catalogue()
        return _tried(assistant, catalogue, partner.filters(catalogue))
    except ExpectedError:
        # Without an index the page still stands; the first question tells what is missing.
        return ()


@lru_cache(maxsize=32)
def _tried(assistant: "Assistant", catalogue: Catalogue, filters: Filters) -> tuple[str, ...]:
    # Each one is tried out on the library: too slow to do again for every page that opens.
    share = Catalogue(entry for entry in catalogue.entries() if filters.allows(entry[0]))
    return starters(share, lambda text: assistant.ask(text, filters=filters).answer().answered)


def _script_json(value: object) -> str:
    """JSON that no text in it can end the script element of, or begin another within."""
    text = json.dumps(value, ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _Json(text)
