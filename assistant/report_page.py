"""The report of an evaluation as one HTML page that loads nothing from anywhere.

Owns how the page looks. Every foreign word is escaped. Knows nothing of how a
figure comes about.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from assistant.answers import Answer
from assistant.evaluation import Evaluation, Figures, Trial, figures
from assistant.plots import abstention, bars_by_type, score_distributions
from assistant.reports import NOTES, About, by_type, failures, interval, shown
from assistant.scoring import Ranked

_WORST = 12
_EXCERPT = 420
_SHOWN_HITS = 3

_SCORES = (
    "Score of the first passage found, for questions to be answered and for questions to be "
    "refused. The less the two overlap, the more the score alone says."
)
_ABSTENTION = (
    "Left: in bins of equally many questions by score, how many are to be answered and how many "
    "were. Right: precision and recall of abstaining at every threshold on the score alone; the "
    "point is what the assistant decided, which looks at more than this score."
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6877; --line: #d9dee6; --page: #fff;
  --card: #f6f8fa; --ours: #2f6fde; --dense: #d9822b; --bad: #b3261e; --good: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #38414d;
  --page: #14181e; --card: #1d232b; --bad: #ff8a80; --good: #67d69a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem 1rem 4rem; color: var(--ink);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
.soft { color: var(--soft); } .small { font-size: .86rem; }
.tiles { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(9.6rem, 1fr));
  margin: 1.2rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.2; }
.scroll { overflow-x: auto; }
.tile .soft { display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
tbody tr:last-child.total td { font-weight: 600; border-top: 2px solid var(--soft); }
td .plain { color: var(--soft); font-size: .86rem; font-weight: 400; }
figure { margin: .5rem 0 1.2rem; } figure svg { width: 100%; height: auto; }
figure svg text { font-family: system-ui, sans-serif !important; }
figcaption { color: var(--soft); font-size: .9rem; }
.failure { border: 1px solid var(--line); border-left: .3rem solid var(--bad);
  border-radius: .4rem; padding: .6rem .9rem; margin: .8rem 0; }
.failure h3 { margin: 0 0 .3rem; font-size: 1rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .25rem .8rem; margin: .4rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .3rem; } }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
.filters { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0; }
select, input { font: inherit; color: inherit; background: var(--card); padding: .3rem .5rem;
  border: 1px solid var(--line); border-radius: .3rem; }
summary { cursor: pointer; } details[open] summary { margin-bottom: .4rem; }
td details { max-width: 60rem; }
"""

_SCRIPT = """
const rows = [...document.querySelectorAll("#questions tbody tr")];
const controls = [...document.querySelectorAll(".filters select, .filters input")];
const count = document.getElementById("count");
function filter() {
  const [type, outcome, words] = controls.map(control => control.value.toLowerCase());
  let shown = 0;
  for (const row of rows) {
    row.hidden = (type && row.dataset.type !== type) ||
      (outcome && !row.dataset.outcome.split(" ").includes(outcome)) ||
      (words && !row.textContent.toLowerCase().includes(words));
    shown += !row.hidden;
  }
  count.textContent = shown + " of " + rows.length + " questions";
}
for (const control of controls) control.addEventListener("input", filter);
document.querySelector(".filters").hidden = false;
filter();
"""


def report_html(evaluation: Evaluation, about: About) -> str:
    """The whole page, self-contained."""
    title = f"Evaluation: {about.questions}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="soft">{_about(evaluation, about)}</p>',
            _tiles(evaluation),
            "<h2>By type of question</h2>",
            _by_type(evaluation),
            _figure(
                bars_by_type(evaluation), "Rapporteur beside plain dense, by type of question."
            ),
            "<h2>Whether to answer</h2>",
            _figure(score_distributions(evaluation), _SCORES),
            _figure(abstention(evaluation), _ABSTENTION),
            "<h2>What went wrong</h2>",
            _failures(evaluation),
            "<h2>All questions</h2>",
            _questions(evaluation),
            "<h2>How it is counted</h2>",
            *[f"<p>{escape(note)}</p>" for note in NOTES.values()],
            f"<script>{_SCRIPT}</script></body></html>",
        ]
    )


def _about(evaluation: Evaluation, about: About) -> str:
    return escape(
        f"{len(evaluation.ours)} questions to the library “{about.library}”: "
        f"{about.documents} documents, {about.passages} passages. "
        f"Rapporteur {about.version}, {about.embedding_model}, index {about.generation}."
    )


def _tiles(evaluation: Evaluation) -> str:
    ours, dense = figures(evaluation.ours), figures(evaluation.dense)
    tiles = [
        ("Recall@1", ours.recall[1], ours.to_find, dense.recall[1]),
        ("Recall@5", ours.recall[5], ours.to_find, dense.recall[5]),
        ("MRR", ours.mrr, 0, dense.mrr),
        ("Answers right", ours.accuracy, ours.to_answer, dense.accuracy),
        ("Abstaining: precision", ours.abstention_precision, ours.abstained,
         dense.abstention_precision),
        ("Abstaining: recall", ours.abstention_recall, ours.to_refuse, dense.abstention_recall),
        ("Quotations exact", ours.exact, ours.quotes, None),
    ]  # fmt: skip
    return '<div class="tiles">' + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(name: str, share: float | None, count: int, dense: float | None) -> str:
    span = interval(share, count)
    margin = f"{span[0]:.2f}–{span[1]:.2f} (95 %)<br>n = {count}" if span else "mean of 1 / rank"
    beside = "of all quotations" if dense is None else f"plain dense {shown(dense)}"
    return (
        f'<div class="tile"><span class="soft">{escape(name)}</span><b>{shown(share)}</b>'
        f'<span class="soft small">{margin}<br>{beside}</span></div>'
    )


def _by_type(evaluation: Evaluation) -> str:
    head = ["type", "n", "R@1", "R@3", "R@5", "R@10", "MRR", "answer", "refused", "exact quotes"]
    rows = []
    for name, ours, dense in by_type(evaluation):
        cells = [_beside(a, b) for a, b in zip(_cells(ours), _cells(dense), strict=True)]
        exact = f"<td>{shown(ours.exact)}</td>"
        rows.append(
            f'<tr class="{"total" if name == "all" else ""}"><td>{escape(name)}</td>'
            f"<td>{ours.questions}</td>{''.join(cells)}{exact}</tr>"
        )
    return (
        '<div class="scroll"><table><thead><tr>'
        + "".join(f"<th>{cell}</th>" for cell in head)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + '<p class="soft small">Small: plain dense on the same passages; red: behind it.</p>'
    )


def _cells(one: Figures) -> list[float | None]:
    return [*one.recall.values(), one.mrr, one.accuracy, one.abstention_recall]


def _beside(ours: float | None, dense: float | None) -> str:
    if ours is None:
        return "<td>–</td>"
    behind = dense is not None and round(ours, 2) < round(dense, 2)
    return (
        f'<td><span class="{"bad" if behind else ""}">{shown(ours)}</span><br>'
        f'<span class="plain">{shown(dense)}</span></td>'
    )


def _figure(svg: str, caption: str) -> str:
    said = escape(caption)
    return (
        f'<figure><div role="img" aria-label="{said}">{svg}</div>'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _failures(evaluation: Evaluation) -> str:
    wrong = failures(evaluation)
    if not wrong:
        return '<p class="good">Nothing: every question was handled as expected.</p>'
    shown_ones = wrong[:_WORST]
    lead = f"{len(wrong)} of {len(evaluation.ours)} questions"
    if len(wrong) > _WORST:
        lead += f", the {_WORST} worst here, the others in the table below"
    return f"<p>{lead}.</p>" + "".join(_failure(trial) for trial in shown_ones)


def _failure(trial: Trial) -> str:
    question = trial.question
    return (
        f'<div class="failure"><h3>{escape(question.question)}</h3>'
        f'<span class="soft small">{escape(question.id)}'
        f"{' · ' + escape(question.note) if question.note else ''}</span>{_detail(trial)}</div>"
    )


def _detail(trial: Trial) -> str:
    """What was expected and what came instead, as a list of terms."""
    question, answer = trial.question, trial.answer
    entries: list[tuple[str, str]] = []
    turns = [f"<b>{turn.role}:</b> {escape(turn.content)}" for turn in question.turns]
    entries.append(("before it", "<br>".join(turns)))
    if answer and answer.standalone_question != question.question:
        entries.append(("understood as", escape(answer.standalone_question)))
    entries.append(("expected", _expected(trial)))
    if trial.missing:
        missing = "; ".join(" or ".join(wordings) for wordings in trial.missing)
        entries.append(("not said", f'<span class="bad">{escape(missing)}</span>'))
    entries.append(("answer", _said(answer)))
    if question.gold:
        found = f"rank {trial.rank}" if trial.rank else '<span class="bad">not within 10</span>'
        entries.append(("gold found", found))
    if trial.unlocated:
        said = "; ".join(trial.unlocated)
        entries.append(("not in library", f'<span class="bad">{escape(said)}</span>'))
    entries.append(("found", _hits(trial.ranked)))
    body = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in entries if text)
    return f"<dl>{body}</dl>"


def _expected(trial: Trial) -> str:
    question = trial.question
    if question.expect == "abstain":
        return "to be refused: the library does not answer it"
    joined = " and " if question.gold_mode == "all" else " or "
    quotes = f"<br>{joined}<br>".join(
        f"“{escape(gold.quote)}” <span class='soft small'>{escape(gold.file)}</span>"
        for gold in question.gold
    )
    return quotes or escape("; ".join(" or ".join(words) for words in question.must_include))


def _said(answer: Answer | None) -> str:
    if answer is None:
        return ""
    kind = f" ({answer.abstention.value})" if answer.abstention else ""
    state = "" if answer.answered else f'<span class="soft">not answered{kind}:</span> '
    return state + escape(answer.text).replace("\n", "<br>")


def _hits(ranked: Sequence[Ranked]) -> str:
    said = []
    for number, one in enumerate(ranked[:_SHOWN_HITS], 1):
        text = " ".join(one.passage.text.split())
        cut = text if len(text) <= _EXCERPT else text[:_EXCERPT].rsplit(" ", 1)[0] + " …"
        heading = " › ".join(one.passage.heading) or "(no heading)"
        said.append(
            f"<b>{number}.</b> {escape(heading)} "
            f'<span class="soft small">{one.score:.2f} {escape(one.passage.document_id)}</span>'
            "<br>"
            f'<span class="small">{escape(cut)}</span>'
        )
    return "<br>".join(said) or "nothing"


def _questions(evaluation: Evaluation) -> str:
    head = "".join(
        f'<th class="{"text" if name in ("question", "outcome") else ""}">{name}</th>'
        for name in ("id", "question", "outcome", "rank", "dense", "score")
    )
    pairs = zip(evaluation.ours, evaluation.dense, strict=True)
    rows = "".join(_question_row(ours, dense) for ours, dense in pairs)
    return (
        f'<div class="filters" hidden>{_choice("type", evaluation.types)}'
        f"{_choice('outcome', ('right', 'wrong', 'answered', 'refused', 'behind'))}"
        '<label>words <input type="search"></label><output id="count" class="soft"></output></div>'
        '<p class="soft small">Open a question for its answer and what was found. '
        "“behind”: plain dense found the gold earlier.</p>"
        f'<div class="scroll"><table id="questions"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _choice(name: str, values: Iterable[str]) -> str:
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    return f'<label>{name} <select><option value="">all</option>{options}</select></label>'


def _question_row(ours: Trial, dense: Trial) -> str:
    question = ours.question
    did = "answered" if ours.answered else "refused"
    outcome = f"{'right' if ours.right else 'wrong'} {did}"
    behind = bool(dense.rank) and (not ours.rank or ours.rank > (dense.rank or 0))
    kind = re.sub(r"\s+", " ", question.type.lower())
    return (
        f'<tr data-type="{escape(kind)}" data-outcome="{outcome}{" behind" if behind else ""}">'
        f"<td>{escape(question.id)}</td>"
        f'<td class="text"><details><summary>{escape(question.question)}</summary>'
        f"{_detail(ours)}</details></td>"
        f'<td class="text {"good" if ours.right else "bad"}">{outcome}</td>'
        f"<td>{ours.rank or '–'}</td><td>{dense.rank or '–'}</td><td>{ours.score:.2f}</td></tr>"
    )
