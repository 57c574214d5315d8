"""The plots of an evaluation, as SVG to stand inside a page.

The only file that imports matplotlib. Knows what is drawn, not where it is shown.
"""

import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assistant.evaluation import Evaluation, Trial, figures

OURS = "#2f6fde"
DENSE = "#d9822b"
REFUSE = "#b3456b"
_INK = "#010203"  # stands for the page's own text colour, put in afterwards
_STYLE = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
}
_BINS = 8


def bars_by_type(evaluation: Evaluation) -> str:
    """Recall@5 and the share of answers that are right, for each type: ours beside the plain."""

    def draw(figure: Figure) -> None:
        finding = [
            name
            for name in evaluation.types
            if any(trial.question.gold for trial in _of_type(evaluation.ours, name))
        ]
        widths = [len(finding) or 1, len(evaluation.types)]
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=widths)
        _pairs(
            left,
            finding,
            [figures(_of_type(evaluation.ours, name)).recall[5] or 0.0 for name in finding],
            [figures(_of_type(evaluation.dense, name)).recall[5] or 0.0 for name in finding],
        )
        left.set_title("Gold found within 5 passages")
        left.set_ylabel("share of questions")
        names = evaluation.types
        _pairs(
            right,
            names,
            [_right(_of_type(evaluation.ours, name)) for name in names],
            [_right(_of_type(evaluation.dense, name)) for name in names],
        )
        right.set_title("Handled as expected")
        right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=2)

    return _svg(draw, "bars", 10.5, 4.2)


def score_distributions(evaluation: Evaluation) -> str:
    """The score of the first passage, for questions to be answered and for those to be refused."""

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, trials, title in (
            (panels[0], evaluation.ours, "Rapporteur"),
            (panels[1], evaluation.dense, "Plain dense"),
        ):
            _distribution(axes, trials)
            axes.set_title(title)
        panels[1].axvline(evaluation.threshold, color=_INK, linestyle=":", linewidth=1)
        panels[1].annotate(
            "best threshold",
            (evaluation.threshold, 1.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize=9,
        )
        panels[0].set_ylabel("questions")
        panels[0].legend(loc="upper left")

    return _svg(draw, "scores", 10.5, 3.6)


def abstention(evaluation: Evaluation) -> str:
    """How the score of the first passage bears on whether to answer.

    On the left the share of questions that are to be answered, and that were, by score; on
    the right precision and recall of abstention at every threshold on the score alone, and
    the point where the assistant, which looks at more than this score, actually stands.
    """

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        _calibration(left, evaluation.ours)
        for trials, colour, name in (
            (evaluation.dense, DENSE, "plain dense, any threshold"),
            (evaluation.ours, OURS, "our score, any threshold"),
        ):
            recall, precision = _sweep(trials)
            right.plot(recall, precision, color=colour, label=name, drawstyle="steps-post")
        ours = figures(evaluation.ours)
        if ours.abstention_precision is not None and ours.abstention_recall is not None:
            right.plot(
                ours.abstention_recall,
                ours.abstention_precision,
                "o",
                color=OURS,
                markersize=9,
                label="the assistant's decisions",
            )
        right.set_xlim(0, 1.03)
        right.set_ylim(0, 1.05)
        right.set_xlabel("recall of abstention")
        right.set_ylabel("precision of abstention")
        right.set_title("Abstention")
        right.legend(loc="lower left")

    return _svg(draw, "abstention", 10.5, 3.9)


def _of_type(trials: Sequence[Trial], name: str) -> list[Trial]:
    return [trial for trial in trials if trial.question.type == name]


def _right(trials: Sequence[Trial]) -> float:
    return sum(trial.right for trial in trials) / len(trials)


def _pairs(axes: Axes, names: Sequence[str], ours: Sequence[float], dense: Sequence[float]) -> None:
    places = np.arange(len(names))
    for offset, values, colour, label in (
        (-0.2, ours, OURS, "Rapporteur"),
        (0.2, dense, DENSE, "plain dense"),
    ):
        drawn = axes.bar(places + offset, values, 0.38, color=colour, label=label)
        axes.bar_label(drawn, [f"{value:.2f}" for value in values], fontsize=6.5, padding=1)
    axes.set_xticks(places, names, rotation=30, ha="right")
    axes.set_ylim(0, 1.08)


def _distribution(axes: Axes, trials: Sequence[Trial]) -> None:
    groups = [
        [trial.score for trial in trials if trial.question.expect == expect]
        for expect in ("answer", "abstain")
    ]
    axes.hist(
        groups,
        bins=list(np.linspace(0, 1, 26)),
        stacked=True,
        color=[OURS, REFUSE],
        label=["to be answered", "to be refused"],
    )
    axes.set_xlim(0, 1)
    axes.set_xlabel("score of the first passage")


def _calibration(axes: Axes, trials: Sequence[Trial]) -> None:
    """Bins of equal counts, so that no point rests on one or two questions."""
    ordered = sorted(trials, key=lambda trial: trial.score)
    bins = [part for part in np.array_split(np.arange(len(ordered)), _BINS) if len(part)]
    middles, expected, answered = [], [], []
    for part in bins:
        held = [ordered[i] for i in part]
        middles.append(float(np.mean([trial.score for trial in held])))
        expected.append(float(np.mean([trial.question.expect == "answer" for trial in held])))
        answered.append(float(np.mean([trial.answered for trial in held])))
    axes.plot(middles, expected, "o-", color=_INK, label="are to be answered")
    axes.plot(middles, answered, "s--", color=OURS, label="were answered")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("score of the first passage (mean of a bin)")
    axes.set_ylabel("share of questions")
    axes.set_title("Calibration of the score")
    axes.legend(loc="lower right")


def _sweep(trials: Sequence[Trial]) -> tuple[list[float], list[float]]:
    """Recall and precision of abstaining below every score that occurs."""
    refuse = sum(trial.question.expect == "abstain" for trial in trials)
    recall, precision = [], []
    for threshold in sorted({math.nextafter(trial.score, 2.0) for trial in trials}):
        below = [trial for trial in trials if trial.score < threshold]
        caught = sum(trial.question.expect == "abstain" for trial in below)
        if refuse:
            recall.append(caught / refuse)
            precision.append(caught / len(below))
    return recall, precision


def _svg(draw: Callable[[Figure], None], name: str, width: float, height: float) -> str:
    """Draw into a figure of so many inches; the SVG without its file header."""
    style: Any = {**_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        stream = io.StringIO()
        figure.savefig(
            stream,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    drawn = stream.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
    # Sized by the page; ids of several plots must not meet in one document.
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawn, count=1)
    drawn = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1)
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawn)
