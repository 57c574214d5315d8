"""Search by words: BM25 over the stems of every passage.

Owns what counts as a term, the index of terms and its form on disk; the only file
that imports bm25s and PyStemmer. Knows nothing of vectors or of how its scores
are weighed against theirs.
"""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS

from index.errors import IndexDamaged

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\uff07`\u00b4", "'"))
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_STOP_WORDS = frozenset(STOPWORDS_EN_PLUS) | {"cannot", "could", "may", "might", "must", "would"}
_IDS = "passage_ids.txt"


class Lexical:
    """An index of terms. `passage_ids` gives the order of every array of scores."""

    def __init__(self, passage_ids: tuple[str, ...], ranking: bm25s.BM25) -> None:
        self.passage_ids = passage_ids
        self._ranking = ranking
        columns = np.diff(ranking.scores["indptr"])
        self._frequency = {
            term: int(columns[column]) for term, column in ranking.vocab_dict.items() if term
        }

    @classmethod
    def build(cls, texts: Iterable[tuple[str, str]]) -> "Lexical":
        """Index pairs of a passage's id and the words to find it by (title, headings, text)."""
        pairs = list(texts)
        # Lucene's variant and bm25s's k1 and b; Lù 2024, "BM25S".
        ranking = bm25s.BM25(method="lucene", backend="numpy")
        # bm25s needs at least one term; an empty one matches no question.
        tokens = [terms(text) or [""] for _, text in pairs]
        ranking.index(tokens, show_progress=False)
        return cls(tuple(passage_id for passage_id, _ in pairs), ranking)

    def scores(self, text: str) -> npt.NDArray[np.float32]:
        """BM25 of each passage for `text`, in the order of `passage_ids`; 0 shares no term."""
        columns = self._ranking.get_tokens_ids(self.terms(text))
        if not columns:
            return np.zeros(len(self.passage_ids), dtype=np.float32)
        return np.asarray(self._ranking.get_scores_from_ids(columns), dtype=np.float32)

    def terms(self, text: str) -> list[str]:
        """The terms of `text`, as `terms` gives them."""
        return terms(text)

    def frequency(self, term: str) -> int:
        """How many passages hold a term (a stem, as `terms` gives it)."""
        return self._frequency.get(term, 0)

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ranking.save(folder, show_progress=False)
        (folder / _IDS).write_text("\n".join(self.passage_ids) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Lexical":
        """Read what `save` wrote. Raises `IndexDamaged` when it isn't whole."""
        try:
            ids = tuple((folder / _IDS).read_text(encoding="utf-8").split("\n")[:-1])
            ranking = bm25s.BM25.load(folder, load_corpus=False, mmap=False)
            if ranking.scores["num_docs"] != len(ids):
                raise ValueError("as many ids as rows are needed")
            return cls(ids, ranking)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"The index of words in {folder.name} can't be read.") from error


def terms(text: str) -> list[str]:
    """The stems of the words of `text`, in order, without stop words.

    Lower-case, accents dropped, compatibility forms and apostrophes made equal;
    numbers stay, single letters go. A stop word in capitals stands for a name (WHO,
    IT, US) and stays, unless everything is in capitals.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = plain.translate(_APOSTROPHES)
    shouted = plain.isupper()
    words = []
    for match in _WORD.finditer(plain):
        word = match.group()
        lower = word.lower()
        is_name = word.isupper() and len(word) > 1 and not shouted
        if (lower in _STOP_WORDS and not is_name) or (len(lower) == 1 and not lower.isdigit()):
            continue
        words.append(lower)
    # A stemmer keeps state while it works, so threads can't share one; making it costs 1 µs.
    return list(Stemmer.Stemmer("english").stemWords(words))
