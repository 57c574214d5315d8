"""How well a sentence answers a question: pairs of texts in, log odds out.

Owns the cross-encoder: the embedding model's own layers, turned to reading a question and a
sentence together by small additions to their weights (low-rank adaptation, Hu et al. 2021),
which are trained by `make reranker` and ship as `reranker.safetensors`. Knows nothing of
passages, of ranking or of what is done with its scores.
"""

import copy
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embeddings import DEFAULT_DIGEST, Embedder, Vectors
from index.errors import ForkedProcess, ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS = Path(__file__).parent / "reranker.safetensors"
SCALE = 2.0
"""What the additions are multiplied by; the training's own."""
MAX_TOKENS = 128
"""Word pieces read of a pair; what is longer loses the end of its sentence."""
HEAD = "head.weight", "head.bias"
_BATCH = 8


class Reranker:
    """A loaded cross-encoder. Threads may share it; forked processes may not."""

    def __init__(self, encoder: "nn.Module", tokenizer: Any, head: "tuple[Tensor, Tensor]") -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer
        self._weight, self._bias = head
        self._has_half = _has_half()
        self._lock = threading.Lock()
        self._process = os.getpid()

    def scores(self, question: str, texts: Sequence[str]) -> Vectors:
        """For each text the log odds (about -6…6) that it answers `question`.

        Takes one thread of the processor. Raises `ForkedProcess` in a forked child.
        """
        import torch

        if os.getpid() != self._process:
            raise ForkedProcess("The reranker")
        scores = np.zeros(len(texts), dtype=np.float32)
        # Those of a batch are filled up to the longest of them, so like goes with like.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        # Half precision moves a score by 0.05 at most, and takes 40 per cent of the time.
        half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._has_half)
        with torch.no_grad(), half:
            for start in range(0, len(texts), _BATCH):
                batch = order[start : start + _BATCH]
                with self._lock:
                    pairs = as_pairs(
                        self._tokenizer, [question] * len(batch), [texts[at] for at in batch]
                    )
                pooled = mean_pooled(self._encoder, pairs).float()
                scores[batch] = ((pooled * self._weight).sum(1) + self._bias).numpy()
        return scores


def _has_half() -> bool:
    """Whether this processor multiplies bfloat16 by itself; where it does not, that is slow."""
    import torch

    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16"))


def as_pairs(tokenizer: Any, questions: list[str], texts: list[str]) -> Any:
    """Questions and texts as the encoder takes them, each two as one row."""
    return tokenizer(
        questions,
        texts,
        truncation="longest_first",
        max_length=MAX_TOKENS,
        padding=True,
        return_tensors="pt",
    )


def mean_pooled(encoder: "nn.Module", pairs: Any) -> "Tensor":
    """The mean of the last layer's vectors over each pair's word pieces: one row a pair."""
    states = encoder(**pairs).last_hidden_state
    mask = pairs["attention_mask"][..., None].to(states.dtype)
    return (states * mask).sum(1) / mask.sum(1)


@lru_cache(maxsize=2)
def load_reranker(embedder: Embedder, weights: Path = WEIGHTS) -> Reranker | None:
    """The reranker on top of `embedder`; None for another model than the default one.

    The weights are additions to that model's alone; the same model gives the same reranker.
    Raises `ModelError` when they are missing or don't fit it.
    """
    if embedder.digest != DEFAULT_DIGEST:
        return None
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    layers, tokenizer = embedder.layers()
    # The vectors of word pieces are half of the model, and stay as they are.
    encoder = copy.deepcopy(layers, {id(layers.embeddings): layers.embeddings})
    try:
        added = {name: tensor.float() for name, tensor in load_file(weights).items()}
        head = (added.pop(HEAD[0]), added.pop(HEAD[1]))
        for name in {name.rpartition(".")[0] for name in added}:
            weight = encoder.get_parameter(f"{name}.weight")
            weight.data += SCALE * (added[f"{name}.b"] @ added[f"{name}.a"])
    except (OSError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The reranker's weights in {weights} can't be read ({type(error).__name__}).",
            "Reinstall Rapporteur, or make them anew with `make reranker`.",
        ) from error
    # A tokeniser keeps the length it cuts at, which is another one for the embedder.
    return Reranker(encoder.eval(), copy.deepcopy(tokenizer), head)
