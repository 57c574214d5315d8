"""The description of the API: OpenAPI as JSON, and its page, served from here.

The only file that imports swagger_ui_bundle. Owns the form that the page can read.
Knows nothing of what the routes do.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response

from assistant.web.errors import Refused

_ABOUT = (
    "Questions to a library of documents, answered in exact, cited quotations. Offsets count "
    "characters (code points). Permalinks are paths on this server. Requests carry no cookies; "
    "those that come from pages of other sites are refused. A widget's token, sent as "
    "`Authorization: Bearer …`, narrows what is searched to its partner's share of the library."
)

_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rapporteur {version}: the API</title>
<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<noscript><p>This page needs JavaScript. The description is <a href="/api/openapi.json">JSON</a>.
</p></noscript>
<main id="api"></main>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""

# Without the validator, which is another company's server.
_START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#api",
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def routes(app: FastAPI) -> APIRouter:
    """The routes of the description; they describe what `app` has when they are first asked."""
    router = APIRouter(prefix="/api", include_in_schema=False)
    described: dict[str, Any] = {}

    @router.get("/openapi.json")
    def openapi() -> Response:
        if not described:
            described.update(description(app))
        return JSONResponse(described)

    @router.get("/docs")
    def page() -> Response:
        return HTMLResponse(
            _PAGE.format(version=version("rapporteur")),
            headers={"Content-Security-Policy": _POLICY},
        )

    @router.get("/docs/{name}")
    def file(name: str) -> Response:
        headers = {"Cache-Control": "public, max-age=3600"}
        if name == "start.js":
            return Response(_START, media_type="text/javascript", headers=headers)
        if name not in _FILES:
            raise Refused(404, "There is no such file.")
        return Response(_file(name), media_type=_FILES[name], headers=headers)

    return router


@cache
def _file(name: str) -> bytes:
    from swagger_ui_bundle import swagger_ui_path

    return bytes((swagger_ui_path / name).read_bytes())


def description(app: FastAPI) -> dict[str, Any]:
    """The routes of `app` that want to be described, as OpenAPI 3.0, which the page can read."""
    made = get_openapi(
        title="Rapporteur",
        version=version("rapporteur"),
        description=_ABOUT,
        routes=app.routes,
    )
    made["openapi"] = "3.0.3"
    return dict(_as_3_0(made))


def _as_3_0(node: Any) -> Any:
    """A schema of OpenAPI 3.1 in the words of 3.0: a null beside others, a constant."""
    if isinstance(node, list):
        return [_as_3_0(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    made = {key: _as_3_0(value) for key, value in node.items()}
    options = made.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        del made["anyOf"]
        made["nullable"] = True
        made.update(rest[0] if len(rest) == 1 and "$ref" not in rest[0] else {"anyOf": rest})
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made
