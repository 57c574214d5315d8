"""The layout that the parts keep to: who imports whom, which file owns a library, sizes."""

import ast
import importlib
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("corpus", "index", "assistant")
LONGEST = 330

MAY_IMPORT = {
    "corpus": {"corpus"},
    "index": {"index", "corpus"},
    "assistant": {"assistant", "index", "corpus"},
}

# All others are imported by one file only.
SHARED = {
    "numpy": "arrays are how vectors are passed around",
    "pydantic": "data from outside is checked where it enters",
    "fastapi": "the files of assistant/web speak HTTP",
    "starlette": "the files of assistant/web speak HTTP",
    "torch": "the embedding model and the reranker are one model's layers",
    "langchain_core": "the retriever and the chain are each a runnable",
}

# These belong to the files of one name, `cli.py` and `cli_….py`.
COMMAND_LIBRARIES = {"typer"}

SERVING = {"assistant/cli_serving.py", "assistant/cli_partners.py"}


def files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Whole names of all modules that a file imports, wherever in it."""
    package = name_of(path).removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module
            # `from assistant import web` imports assistant.web.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def outside(path: Path) -> set[str]:
    tops = {module.split(".")[0] for module in imported(path)}
    return tops - set(PACKAGES) - set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    package = name_of(path).split("/")[0]
    ours = {module.split(".")[0] for module in imported(path)} & set(PACKAGES)
    assert ours <= MAY_IMPORT[package]


def test_only_the_serving_commands_import_the_web() -> None:
    importers = {
        name_of(path)
        for path in files()
        if any(f"{module}.".startswith("assistant.web.") for module in imported(path))
        and not name_of(path).startswith("assistant/web/")
    }
    assert "assistant/cli_serving.py" in importers
    assert importers <= SERVING


def test_lower_packages_never_see_the_settings() -> None:
    readers = [
        name_of(path)
        for path in files()
        if "assistant.settings" in set(imported(path)) and path.parts[-2] in ("corpus", "index")
    ]
    assert readers == []


def test_each_library_is_imported_by_one_file() -> None:
    importers: dict[str, list[str]] = defaultdict(list)
    for path in files():
        for library in outside(path) - set(SHARED) - COMMAND_LIBRARIES:
            importers[library].append(name_of(path))
    assert {library: names for library, names in importers.items() if len(names) > 1} == {}


def test_the_libraries_of_the_command_stay_there() -> None:
    spread = [
        name_of(path)
        for path in files()
        if outside(path) & COMMAND_LIBRARIES
        and not re.fullmatch(r"assistant/cli(_\w+)?\.py", name_of(path))
    ]
    assert spread == []


def test_the_libraries_of_the_web_stay_there() -> None:
    spread = [
        name_of(path)
        for path in files()
        if outside(path) & {"fastapi", "starlette", "uvicorn", "gradio"}
        and not name_of(path).startswith("assistant/web/")
    ]
    assert spread == []


def test_every_imported_library_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        for requirement in project["dependencies"]
    }
    providers = packages_distributions()
    undeclared = {
        library
        for path in files()
        for library in outside(path)
        if not {name.lower().replace("_", "-") for name in providers.get(library, [])} & declared
    }
    assert undeclared == set()


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_no_file_outgrows_its_reader(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_every_file_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_load_from_this_checkout(package: str) -> None:
    loaded = importlib.import_module(package)
    assert Path(str(loaded.__file__)).resolve().parent == ROOT / package


def test_the_tests_are_flat() -> None:
    # A folder tests/index/ would take the place of the package of that name.
    assert not [name for name in PACKAGES if (ROOT / "tests" / name).exists()]
