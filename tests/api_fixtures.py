"""The API and the widget as they are served, with a file of partners beside them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from api_material import KEY, PARTNERS
from web_fixtures import Served, serving

from assistant.chain import Assistant
from assistant.settings import Settings

Serve = Callable[..., str]


@pytest.fixture(scope="session")
def api_settings(web_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with partners and a key."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "partners.toml").write_text(PARTNERS, encoding="utf-8")
    return web_settings.model_copy(
        update={
            "partners": folder / "partners.toml",
            "feedback": f"sqlite:///{folder / 'feedback.db'}",
            "token_keys": Settings(token_keys=(KEY,)).token_keys,
        }
    )


@pytest.fixture(scope="session")
def api_address(assistant: Assistant, api_settings: Settings) -> Iterator[str]:
    """Address of the running server."""
    with serving(assistant, api_settings) as address:
        yield address


@pytest.fixture
def api(api_address: str) -> Iterator[httpx.Client]:
    """A client of the running server."""
    with httpx.Client(base_url=api_address, timeout=60) as client:
        yield client


@pytest.fixture
def serve_with(assistant: Assistant, api_settings: Settings, served: Served) -> Serve:
    """Serves with other settings; gives the address."""

    def serve(**changed: Any) -> str:
        return served(assistant, api_settings.model_copy(update=changed))

    return serve
