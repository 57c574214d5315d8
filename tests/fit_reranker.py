"""Train the reranker on the library's questions, and write its weights.

Run by `make reranker` (an hour on two cores); not a test. It learns from the anticipated
questions, whose sections and sentences are known, and from `training.jsonl`: questions that
a sentence answers, and near misses that none does. The questions that answers are scored on
(`questions.jsonl`) are not among them.
"""

import copy
import json
import math
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from assistant.reranking import in_place
from assistant.settings import load_settings
from index.catalogue import Catalogue
from index.embeddings import Embedder, load_embedder
from index.reader import IndexReader
from index.reranking import SCALE, WEIGHTS, as_pairs, mean_pooled

RANK = 16
RATE = 6e-4
EPOCHS = 2
BATCH = 8
TOGETHER = 6
"""Sentences set against each other for a question, those that answer among them."""
ANTICIPATED_SHARE = 0.5
"""The share of the anticipated questions taken in an epoch: there are many, and alike."""
CHUNKS = 3
"""A batch is read in so many, by length: half as much again a second as in one."""
WITHHELD = 0.15
"""How often the sentences that answer are left out, and none of the others is right."""
SAME = 0.85
"""A cosine to a right sentence from which another one is taken to say the same, not wrong."""


@dataclass(frozen=True)
class Task:
    """A question, the sentences that answer it (by number), near ones that don't, and more."""

    question: str
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    others: tuple[int, ...]


class Added(nn.Module):
    """A layer with a low-rank addition to its weights, which alone is trained."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.a = nn.Parameter(torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features))
        self.b = nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, values: Tensor) -> Tensor:
        return self.layer(values) + SCALE * (values @ self.a.T) @ self.b.T


class Scorer(nn.Module):
    """The reranker while it is trained."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(layers)
        for parameter in self.encoder.parameters():
            parameter.requires_grad = False
        for name, module in list(self.encoder.named_modules()):
            if name.startswith("encoder"):
                for child, layer in list(module.named_children()):
                    if isinstance(layer, nn.Linear):
                        setattr(module, child, Added(layer))
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(layers.config.hidden_size, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, -1.0)

    def forward(self, pairs: dict[str, Tensor]) -> Tensor:
        return self.head(self.drop(mean_pooled(self.encoder, pairs))).squeeze(-1)

    def weights(self) -> dict[str, Tensor]:
        """What is written: the additions and the head, in half precision."""
        kept = {
            name.removeprefix("encoder."): tensor
            for name, tensor in self.state_dict().items()
            if name.endswith((".a", ".b")) or name.startswith("head.")
        }
        return {name: tensor.detach().half().contiguous() for name, tensor in kept.items()}


def sentences_of(catalogue: Catalogue) -> tuple[list[str], list[str], dict[tuple[str, int], int]]:
    """Every sentence's words, as the reranker reads them, and its number by place."""
    plain, placed, number = [], [], {}
    for passage in catalogue.passages.values():
        title = catalogue.documents[passage.document_id].title
        for at, sentence in enumerate(passage.sentences):
            number[passage.id, at] = len(plain)
            plain.append(passage.sentence_text(sentence))
            placed.append(in_place(passage, sentence, title))
    return plain, placed, number


def tasks(
    catalogue: Catalogue, training: Path, embedder: Embedder
) -> tuple[list[str], list[Task], list[Task]]:
    """The sentences, the tasks of the training questions, and the anticipated ones'."""
    plain, placed, number = sentences_of(catalogue)
    letters_of: dict[str, dict[int, str]] = {}
    for (passage_id, _), at in number.items():
        path = catalogue.documents[catalogue.passages[passage_id].document_id].path
        letters_of.setdefault(path.removesuffix(".md"), {})[at] = letters(plain[at])
    vectors = embedder.encode(plain)
    anticipated, given = [], []
    for passage in catalogue.passages.values():
        every = tuple(number[passage.id, at] for at in range(len(passage.sentences)))
        for question in passage.asks:
            anticipated.append((question, every, every))
        for question, at in passage.pointed:
            anticipated.append((question, (number[passage.id, at],), every))
    for line in training.read_text("utf-8").splitlines():
        row = json.loads(line)
        own = letters_of[row["document"]]
        wrong = tuple(at for words in row["wrong"] for at in beginning(words, own))
        right = tuple(at for words in row["right"] for at in beginning(words, own))
        if right or not row["right"]:  # what a notice answers is not searched
            given.append((row["question"], right, wrong))

    def made(rows: Sequence[tuple[str, tuple[int, ...], tuple[int, ...]]]) -> Iterator[Task]:
        near = embedder.encode([row[0] for row in rows]) @ vectors.T
        for (question, right, wrong), similar in zip(rows, near, strict=True):
            first = sorted(right, key=lambda at: -similar[at])
            near_ones = np.argsort(-similar)[:20]
            alike = vectors[near_ones] @ vectors[np.array(first[:3], dtype=int)].T
            best = [int(at) for at in near_ones[alike.max(axis=1, initial=0.0) < SAME]]
            yield Task(
                question,
                tuple(first[:3]),
                tuple(at for at in wrong if at not in right),
                tuple(at for at in best if at not in right and at not in wrong),
            )

    return placed, list(made(given)), list(made(anticipated))


def beginning(words: str, of_document: Mapping[int, str]) -> tuple[int, ...]:
    """The numbers of the sentences that begin with `words`, whatever their punctuation."""
    start = letters(words)
    return tuple(at for at, text in of_document.items() if text.startswith(start))


def letters(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return "".join(sign for sign in text.lower() if sign.isalnum())


def drawn(task: Task) -> tuple[list[int], list[int]]:
    """The right and the wrong sentences of a task for one step."""
    right = list(task.right)
    if right and random.random() < WITHHELD:
        right = []
    wrong = random.sample(task.wrong, min(3, len(task.wrong)))
    room = TOGETHER - len(right) - len(wrong)
    return right, wrong + random.sample(task.others, min(room, len(task.others)))


def loss_of(scores: Tensor, rights: int) -> Tensor:
    """How unlikely the right sentences are, or that there is none, whose log odds are 0."""
    every = torch.logsumexp(torch.cat([scores, scores.new_zeros(1)]), 0)
    return every - torch.logsumexp(scores[:rights], 0) if rights else every


def scored(scorer: Scorer, tokenizer, asked: Sequence[str], texts: Sequence[str]) -> Tensor:
    """A score for each text and its question; those of a like length are read together."""
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    size = math.ceil(len(order) / CHUNKS)
    scores = torch.zeros(len(texts))
    for start in range(0, len(order), size):
        some = order[start : start + size]
        pairs = as_pairs(tokenizer, [asked[at] for at in some], [texts[at] for at in some])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = scores.index_copy(0, torch.tensor(some), scorer(pairs).float())
    return scores


def train(scorer: Scorer, tokenizer, placed, given: list[Task], anticipated: list[Task]) -> None:
    """Train `scorer` in place."""
    share = int(ANTICIPATED_SHARE * len(anticipated))
    steps = EPOCHS * (len(given) + share) // BATCH
    trained = [parameter for parameter in scorer.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 60) * max(0.02, 1 - step / steps)
    )
    left: list[Task] = []
    told, started = 0.0, time.monotonic()
    scorer.train()
    for step in range(1, steps + 1):
        if len(left) < BATCH:
            left = given + random.sample(anticipated, share)
            random.shuffle(left)
        batch = [left.pop() for _ in range(BATCH)]
        sets = [drawn(task) for task in batch]
        asked = [t.question for t, (r, w) in zip(batch, sets, strict=True) for _ in r + w]
        texts = [placed[at] for right, wrong in sets for at in right + wrong]
        scores = scored(scorer, tokenizer, asked, texts)
        of_sets = scores.split([len(right) + len(wrong) for right, wrong in sets])
        losses = [loss_of(s, len(right)) for s, (right, _) in zip(of_sets, sets, strict=True)]
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        told += loss.item()
        if step % 50 == 0:
            print(f"{step} of {steps}: loss {told / 50:.3f}, {time.monotonic() - started:.0f} s")
            told = 0.0


def main(training: Path, out: Path) -> None:
    """Train on the questions of `training` and of the index in use; write to `out`."""
    random.seed(0)
    torch.manual_seed(0)
    embedder = load_embedder()
    torch.set_num_threads(2)
    with IndexReader(load_settings().index, model_digest=embedder.digest).lease() as index:
        placed, given, anticipated = tasks(index.catalogue, training, embedder)
    print(f"{len(given)} training questions, {len(anticipated)} anticipated ones")
    layers, tokenizer = embedder.layers()
    scorer = Scorer(layers)
    train(scorer, tokenizer, placed, given, anticipated)
    save_file(scorer.weights(), out)
    print(f"Written: {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else WEIGHTS)
