"""The retriever as LangChain takes it.

Owns the translation of hits into LangChain's documents. Knows nothing of how they are found.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from index.reader import OpenIndex
from index.retrieval import Filters, Hit, Retriever


class PassageRetriever(BaseRetriever):
    """The same retrieval as LangChain's `BaseRetriever`.

    Each document's `page_content` is a passage; its metadata names the passage, its
    document, heading path, offsets, score and rank.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    lease: Callable[[], AbstractContextManager[OpenIndex]]
    embedder: Any
    limit: int = 6
    filters: Any = Filters()

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        with self.lease() as index:
            retriever = Retriever(index, self.embedder)
            hits = retriever.retrieve(retriever.query(query), self.filters, self.limit)
            return [self._document(index, hit) for hit in hits]

    def _document(self, index: OpenIndex, hit: Hit) -> LangChainDocument:
        document = index.catalogue.documents[hit.passage.document_id]
        return LangChainDocument(
            id=hit.passage.id,
            page_content=hit.passage.text,
            metadata={
                "passage_id": hit.passage.id,
                "document_id": document.id,
                "title": document.title,
                "kind": document.kind,
                "path": document.path,
                "heading": list(hit.passage.heading),
                "start": hit.passage.start,
                "end": hit.passage.end,
                "score": hit.score,
                "rank": hit.rank,
            },
        )
