"""Answering: a question in, a cited answer out.

`build_assistant` composes the whole thing from settings; it is imported on first
use, so that `import assistant` stays quick and has no effect.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.composition import build_assistant

__all__ = ["build_assistant"]


def __getattr__(name: str) -> Any:
    if name == "build_assistant":
        from assistant.composition import build_assistant

        return build_assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
