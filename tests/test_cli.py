"""The `rapporteur` command as its users run it, over a small library with the real model."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.asking import answer_lines, filters_by_name
from assistant.cli import app
from assistant.doctor import examine
from assistant.indexing import difference, own_index
from assistant.settings import Settings, load_settings
from corpus.errors import ExpectedError
from index.generations import Generations

COMMAND = (sys.executable, "-c", "from assistant.cli import main; main()")
BRIDGE = """The care of wooden bridges

Why inspections matter

A wooden bridge is inspected every six years by two carpenters. They look for rot where the
beams meet the stone, because water gathers there.

Salt and frost

Road salt shortens the life of an oak beam by about a third. Frost opens the cracks that summer
leaves behind.
"""
FERRY = """The summer ferry

Timetable

The ferry crosses the lake from May to October, four times a day. It carries bicycles and no
lorries.

The crew

The ferry's crew consists of a captain, a mate and a ticket seller.
"""
QUESTIONS = (
    {
        "id": "one",
        "type": "fact",
        "question": "How often is a wooden bridge inspected?",
        "gold": [{"file": "bridge.txt", "quote": "is inspected every six years"}],
        "must_include": ["six years"],
    },
    {
        "id": "two",
        "type": "offdomain",
        "question": "What is a good recipe for lentil soup?",
        "expect": "abstain",
    },
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library, indexed as the first test of this file leaves it."""
    folder = tmp_path_factory.mktemp("command")
    library = folder / "library"
    library.mkdir()
    (library / "bridge.txt").write_text(BRIDGE, encoding="utf-8")
    (library / "ferry.txt").write_text(FERRY, encoding="utf-8")
    (folder / "questions.jsonl").write_text(
        "\n".join(json.dumps(one) for one in QUESTIONS), encoding="utf-8"
    )
    done = run(folder, "index")
    assert done.exit_code == 0, done.stderr
    return folder


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORTEUR_")}
    return {
        **kept,
        "RAPPORTEUR_LIBRARY": str(folder / "library"),
        "RAPPORTEUR_INDEX": str(folder / "index"),
        "COLUMNS": "100",
    }


def run(folder: Path, *words: str, said: str = "") -> Result:
    """Run the command in this process, where the model's libraries are loaded but once."""
    runner = CliRunner(env={**environment(folder), "NO_COLOR": "1"})
    return runner.invoke(app, list(words), input=said)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def settings_of(place: Path) -> Settings:
    return load_settings(library=place / "library", index=place / "index", port=0)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    shown = run(Path(), "--help")
    assert shown.exit_code == 0
    for command in ("index", "ask", "chat", "evaluate", "doctor"):
        assert command in shown.stdout
    program = (
        "import sys; from assistant.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'gradio', 'chromadb', 'transformers', 'matplotlib', 'langchain_core'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_version() -> None:
    assert re.fullmatch(r"rapporteur \d+\.\d+\.\d+\n", run(Path(), "--version").stdout)


@pytest.mark.parametrize(
    "words", [("ask",), ("ask", "a", "--batch", "b"), ("evaluate",), ("nothing",), ("ask", "--no")]
)
def test_wrong_words_are_a_usage_error(words: tuple[str, ...]) -> None:
    assert run(Path(), *words).exit_code == 2


def test_a_missing_library_is_told_without_a_traceback(tmp_path: Path) -> None:
    process = start(tmp_path, "index")
    out, errors = process.communicate()
    assert process.returncode == 1
    assert out == ""
    assert re.fullmatch(r"Error: .*library.*\nWhat to do: .*\n", errors)


def test_a_missing_batch_is_told_before_anything_is_built(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "--batch", "none.jsonl")
    assert isinstance(done.exception, ExpectedError)
    assert "none.jsonl can't be read" in str(done.exception)
    assert not (tmp_path / "index").exists()


def test_a_file_that_cannot_be_read_is_named_and_the_others_indexed(place: Path) -> None:
    broken = place / "library" / "empty.pdf"
    broken.write_bytes(b"")
    done = run(place, "index")
    # It is told again by the doctor, and no reason to index anew before it changes.
    manifest = Generations(place / "index").newest().manifest
    assert not difference(settings_of(place), manifest)
    left_out = [check for check in examine(settings_of(place)) if check.name == "left out"]
    assert [check.state for check in left_out] == ["note"]
    broken.write_bytes(b"%PDF-1.4 changed")
    assert difference(settings_of(place), manifest).added == ("empty.pdf",)
    broken.unlink()
    assert done.exit_code == 3, done.stderr
    assert "empty.pdf" in done.stderr
    assert re.search(r"unchanged.*failed", done.stdout)
    assert re.search(r"\b2\b.*\b1\b", done.stdout.splitlines()[-2])


def test_ask_prints_an_answer_with_its_source(place: Path) -> None:
    done = run(place, "ask", "How often is a wooden bridge inspected?")
    assert done.exit_code == 0, done.stderr
    assert "every six years by two carpenters" in " ".join(done.stdout.split())
    assert "[1]" in done.stdout
    assert "bridge.txt" in done.stdout
    assert "Why inspections matter" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_batch_answers_each_line_and_follows_the_library(place: Path) -> None:
    """One call for much: ids, a follow-up, a refusal, broken lines, a file added meanwhile."""
    (place / "library" / "gauge.txt").write_text(
        "The river gauge\n\nHistory\n\nThe gauge was put up in 1874 by a schoolteacher.\n",
        encoding="utf-8",
    )
    history = [
        {"role": "user", "content": "Who works on the summer ferry?"},
        {"role": "assistant", "content": "A captain, a mate and a ticket seller."},
    ]
    lines = [
        {"id": "a", "question": "In which year was the river gauge put up?", "extra": 1},
        {"id": 2, "question": "When does it cross the lake?", "history": history},
        {"id": "c", "question": "What is a good recipe for lentil soup?"},
        {"id": "d"},
        {"id": "e", "question": " \u200b "},
    ]
    said = "\n".join([*(json.dumps(line) for line in lines), "", "{broken"])
    done = run(place, "ask", "--batch", "-", "--json", said=said)
    assert done.exit_code == 3, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", 2, "c", "d", "e", None]
    assert next(iter(answers[0])) == "id"
    assert "1874" in answers[0]["text"]
    assert answers[0]["citations"][0]["document"]["path"] == "gauge.txt"
    assert "May to October" in answers[1]["text"]
    assert answers[2]["answered"] is False
    assert "question" in answers[3]["error"]["message"]
    assert [answer.get("line") for answer in answers] == [None, None, None, 4, 5, 7]
    assert "1 added" in done.stderr
    (place / "library" / "gauge.txt").unlink()


def test_evaluate_prints_figures_and_writes_both_reports(place: Path) -> None:
    done = run(place, "evaluate", str(place / "questions.jsonl"), "--report", str(place / "out"))
    assert done.exit_code == 0, done.stderr
    for part in ("R@1", "R@10", "MRR", "precision", "plain dense", "offdomain"):
        assert part in done.stdout
    data = json.loads((place / "out" / "report.json").read_text(encoding="utf-8"))
    assert data["figures"]["all"]["ours"]["answer_accuracy"] == 1
    assert data["figures"]["all"]["ours"]["quotes_exact"] == 1
    assert data["figures"]["all"]["ours"]["abstention_recall"] == 1
    assert "<svg" in (place / "out" / "report.html").read_text(encoding="utf-8")


def test_evaluate_refuses_questions_about_another_library(place: Path) -> None:
    (place / "other.jsonl").write_text(
        json.dumps({**QUESTIONS[0], "gold": [{"file": "nowhere.txt", "quote": "x"}]})
    )
    done = run(place, "evaluate", str(place / "other.jsonl"), "--report", str(place / "no"))
    assert isinstance(done.exception, ExpectedError)
    assert "nowhere.txt" in str(done.exception)
    assert not (place / "no").exists()


def test_an_evaluated_library_has_an_index_of_its_own(tmp_path: Path) -> None:
    first = own_index(tmp_path / "a", tmp_path / "index")
    assert first.parent.parent == tmp_path / "index"
    assert first != own_index(tmp_path / "b", tmp_path / "index")


def test_doctor_knows_what_is_there_and_what_to_do(place: Path) -> None:
    run(place, "index")
    settings = settings_of(place)
    states = {check.name: check.state for check in examine(settings)}
    assert set(states.values()) == {"ok"}
    assert states["RAPPORTEUR_PORT"] == "ok"
    (place / "library" / "ferry.txt").write_text(FERRY + "\nNew.\n", encoding="utf-8")
    found = {check.name: check for check in examine(settings)}["index = library"]
    assert found.state == "fix"
    assert "1 changed" in found.found
    assert "rapporteur index" in found.todo
    (place / "library" / "ferry.txt").write_text(FERRY, encoding="utf-8")
    done = run(place, "doctor", "--json", "--index", str(place / "none"))
    assert done.exit_code == 1
    assert any(one["name"] == "index" and one["todo"] for one in json.loads(done.stdout))


def test_the_difference_counts_files_and_model(place: Path) -> None:
    manifest = Generations(place / "index").newest().manifest
    settings = settings_of(place)
    same = difference(settings, manifest)
    assert not same
    assert str(same) == ""
    other = difference(settings.model_copy(update={"embedding_model": "other"}), manifest)
    assert "embedding model" in str(other)
    (place / "library" / "new.txt").write_text("New.\n")
    assert difference(settings, manifest).added == ("new.txt",)
    (place / "library" / "new.txt").unlink()


def test_a_line_that_fails_keeps_its_place() -> None:
    def ask(question: str, turns: object) -> object:
        raise ExpectedError(f"no {question}", "hint")

    lines = [b'\xef\xbb\xbf{"id": "x", "question": "q"}\n', b"\n", b"\xff\n", b"[" * 100_000]
    given = list(answer_lines(lines, ask))  # type: ignore[arg-type]
    assert [used for _, used in given] == [False] * 3
    assert given[0][0] == {"id": "x", "line": 1, "error": {"message": "no q", "hint": "hint"}}
    assert [one["line"] for one, _ in given] == [1, 3, 4]


def test_a_filter_takes_path_title_or_id(place: Path) -> None:
    from index.catalogue import Catalogue
    from index.reader import CATALOGUE_FILE

    catalogue = Catalogue.load(Generations(place / "index").newest().path / CATALOGUE_FILE)
    ids = {
        tuple(filters_by_name(catalogue, [], [name]).documents)
        for name in ("ferry.txt", "the summer ferry", next(iter(catalogue.documents)))
    }
    assert len(ids) == 2
    with pytest.raises(ExpectedError, match="no document"):
        filters_by_name(catalogue, [], ["nowhere.txt"])
    with pytest.raises(ExpectedError, match="kind"):
        filters_by_name(catalogue, ["poem"], [])


@pytest.fixture
def chat(place: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(place, "chat", "--port", "0", "--no-browser")
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


def test_chat_prints_its_address_and_ends_on_ctrl_c(
    chat: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = chat
    with urllib.request.urlopen(f"{address}healthz") as response:
        assert json.load(response)["documents"] >= 2
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate()
    assert process.returncode in (0, 130)
    assert "Traceback" not in errors
    assert out == ""


def test_ctrl_c_while_indexing_is_one_line(place: Path, tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"{FERRY}\nNumber {number}.\n", encoding="utf-8")
    process = start(place, "index", "--library", str(tmp_path), "--index", str(tmp_path / "index"))
    while not (tmp_path / "index").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.rstrip().endswith("Interrupted.")


def test_a_reader_that_leaves_early_is_no_error(place: Path) -> None:
    line = json.dumps({"id": 1, "question": "When does the ferry cross the lake?"})
    process = start(place, "ask", "--batch", "-", "--json")
    assert process.stdin is not None and process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(f"{line}\n{line}\n")
    process.stdin.close()
    errors = process.stderr.read()
    assert process.wait() == 1
    assert "Traceback" not in errors
    assert "Broken pipe" not in errors
