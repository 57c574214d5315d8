"""The report of an evaluation: figures as JSON, as rows of a table, and as files.

Owns which figures stand beside which and the shape of `report.json`. Knows nothing
of how figures come about or of how a page looks.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.evaluation import CUTOFFS, Evaluation, Figures, Trial, figures
from corpus.errors import ExpectedError

_Z = 1.96  # 95 %

NOTES = {
    "recall": "Recall@k: the share of questions whose gold passages are among the first k. With "
    "gold_mode “any” one is enough, with “all” every one is needed. A passage is found if a "
    "returned one contains the quotation or overlaps it by more than half.",
    "mrr": "MRR: the mean of 1 / rank at which the gold is found, 0 beyond rank 10.",
    "right": "Answer: the share of questions to be answered whose answer holds every entry of "
    "must_include. Refused: the share of questions to be refused that were.",
    "dense": "Plain dense: cosine of the question and each passage's bare text, exact, on the same "
    "passages with the same embedding model; follow-ups are given to it already made "
    "self-contained. Its “answer” is its first passage, whole and whatever its score. Its "
    "threshold of abstention is chosen on these very questions, so its figures of abstention are "
    "an upper bound.",
    "exact": "Exact: the share of quotations that stand at their offsets in the stored document "
    "and whose words stand in the file itself.",
}


@dataclass(frozen=True, kw_only=True)
class About:
    """What was evaluated: names and counts, no path of this computer."""

    questions: str
    library: str
    documents: int
    passages: int
    embedding_model: str
    generation: str
    version: str


def interval(share: float | None, count: int) -> tuple[float, float] | None:
    """The 95 % interval of a share of `count` (Wilson, 1927), None without a share."""
    if share is None or not count:
        return None
    centre = share + _Z**2 / (2 * count)
    spread = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def shown(share: float | None) -> str:
    """A share as it is printed: two decimals, a dash for none. Never rounded up to 1."""
    if share is None:
        return "–"
    return "1.00" if share == 1 else f"{min(share, 0.99):.2f}"


def by_type(evaluation: Evaluation) -> list[tuple[str, Figures, Figures]]:
    """Name, our figures and the plain retriever's for each type, and last for all."""
    rows = [
        (
            name,
            figures([trial for trial in evaluation.ours if trial.question.type == name]),
            figures([trial for trial in evaluation.dense if trial.question.type == name]),
        )
        for name in evaluation.types
    ]
    return [*rows, ("all", figures(evaluation.ours), figures(evaluation.dense))]


TABLE = ("type", "n", *(f"R@{k}" for k in CUTOFFS), "MRR", "answer", "refused", "exact")


def table_rows(evaluation: Evaluation) -> list[list[str]]:
    """Rows under `TABLE`: for each type ours, and below it the plain retriever's."""
    rows = []
    for name, ours, dense in by_type(evaluation):
        rows.append([name, str(ours.questions), *_cells(ours), shown(ours.exact)])
        rows.append(["  plain dense", "", *_cells(dense), ""])
    return rows


def _cells(one: Figures) -> list[str]:
    found = [*one.recall.values(), one.mrr, one.accuracy, one.abstention_recall]
    return [shown(share) for share in found]


def abstention_lines(evaluation: Evaluation) -> list[str]:
    """Abstention, quotes and certainty over all questions, in words."""
    ours, dense = figures(evaluation.ours), figures(evaluation.dense)
    return [
        f"Abstention: precision {shown(ours.abstention_precision)}, "
        f"recall {shown(ours.abstention_recall)} "
        f"({ours.abstained} abstained, {ours.to_refuse} to be refused). "
        f"Plain dense at the threshold that is best on these questions: "
        f"precision {shown(dense.abstention_precision)}, recall {shown(dense.abstention_recall)}.",
        f"Quotations: {round((ours.exact or 0) * ours.quotes)} of {ours.quotes} exact. "
        f"Handled as expected: {ours.right} of {ours.questions} questions. "
        f"Answers right without what is set apart in them: {shown(ours.at_once)}.",
        f"Answers that say which quotations answer: {shown(ours.certain)}; "
        f"of those, right without what is set apart: {shown(ours.certain_right)}.",
    ]


def failures(evaluation: Evaluation) -> list[Trial]:
    """What went wrong, worst first.

    An answer where there is none to give is worst, then an answer whose gold was never
    found, then one refused, then one that says too little.
    """

    def gravity(trial: Trial) -> tuple[int, int]:
        if trial.question.expect == "abstain":
            return 0, 0
        if not trial.rank:
            return 1, 0
        return (2 if not trial.answered else 3), -trial.rank

    wrong = [trial for trial in evaluation.ours if not trial.right]
    return sorted(wrong, key=gravity)


def report_json(evaluation: Evaluation, about: About) -> dict[str, Any]:
    """The whole report as plain data."""
    return {
        "about": vars(about),
        "notes": NOTES,
        "plain_dense_threshold": round(evaluation.threshold, 4),
        "figures": {
            name: {"ours": _figures_json(ours), "plain_dense": _figures_json(dense)}
            for name, ours, dense in by_type(evaluation)
        },
        "questions": [
            _trial_json(ours, dense)
            for ours, dense in zip(evaluation.ours, evaluation.dense, strict=True)
        ],
    }


def write_report(data: Mapping[str, Any], page: str, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into a folder, made if need be; their paths.

    Raises `ExpectedError` when it can't be written.
    """
    files = folder / "report.json", folder / "report.html"
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files[0].write_text(text, encoding="utf-8", errors="backslashreplace")
        files[1].write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise ExpectedError(
            f"The report can't be written to {folder}: {error.strerror}.",
            "Name another folder with --report.",
        ) from error
    return files


def _figures_json(f: Figures) -> dict[str, Any]:
    return {
        "questions": f.questions,
        "to_find": f.to_find,
        "recall": {str(k): _rounded(share) for k, share in f.recall.items()},
        "recall_95": {str(k): _interval(share, f.to_find) for k, share in f.recall.items()},
        "mrr": _rounded(f.mrr),
        "to_answer": f.to_answer,
        "answer_accuracy": _rounded(f.accuracy),
        "answer_accuracy_95": _interval(f.accuracy, f.to_answer),
        "answer_accuracy_at_once": _rounded(f.at_once),
        "certain": _rounded(f.certain),
        "certain_right": _rounded(f.certain_right),
        "to_refuse": f.to_refuse,
        "abstained": f.abstained,
        "abstention_precision": _rounded(f.abstention_precision),
        "abstention_recall": _rounded(f.abstention_recall),
        "quotes": f.quotes,
        "quotes_exact": _rounded(f.exact),
        "handled_as_expected": f.right,
    }


def _trial_json(ours: Trial, dense: Trial) -> dict[str, Any]:
    question = ours.question
    return {
        "id": question.id,
        "type": question.type,
        "note": question.note,
        "expect": question.expect,
        "right": ours.right,
        "at_once": ours.at_once,
        "certain": ours.certain,
        "answered": ours.answered,
        "missing": [list(wordings) for wordings in ours.missing],
        "rank": ours.rank,
        "score": round(ours.score, 4),
        "unlocated_gold": list(ours.unlocated),
        "quotes_exact": list(ours.exact),
        "returned": _returned(ours),
        "plain_dense": {
            "rank": dense.rank,
            "score": round(dense.score, 4),
            "right": dense.right,
            "returned": _returned(dense),
        },
        "answer": ours.answer.as_json() if ours.answer else None,
    }


def _returned(trial: Trial) -> Sequence[Mapping[str, Any]]:
    return [{"passage_id": one.passage.id, "score": round(one.score, 4)} for one in trial.ranked]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _interval(share: float | None, count: int) -> list[float] | None:
    found = interval(share, count)
    return None if found is None else [round(end, 4) for end in found]
