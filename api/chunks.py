"""Sample chunks of a corpus, to see what an experiment would read."""

import numpy as np

from api.errors import StateConflictError
from api.schemas.datasets import ChunkSample, ChunkSamples
from api.services import Services
from db.datasets import READY
from db.tables import Dataset
from sip_model.corpora.chunking import chunk_spans
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import ChunkConfig


def sample_chunks(
    services: Services, dataset: Dataset, num_words: int, limit: int, seed: int
) -> ChunkSamples:
    """One chunk each of up to `limit` documents, drawn with `seed`.

    Raises `StateConflictError` while the dataset isn't ready.
    """
    if dataset.status != READY:
        raise StateConflictError(f"The dataset is {dataset.status}; it has chunks once it is {READY}.")
    path = services.store.local_path(dataset.storage_key, dataset.storage_sha256, recheck=False)
    corpus, draw = Corpus(path), np.random.default_rng(seed)
    num_documents = corpus.num_documents
    numbers = np.sort(draw.choice(num_documents, min(limit, num_documents), replace=False))
    samples = []
    for _, document in corpus.documents_at(numbers):
        starts, ends = chunk_spans(document.text, ChunkConfig(num_words=num_words))
        chosen = int(draw.integers(len(starts)))
        start, end = int(starts[chosen]), int(ends[chosen])
        samples.append(
            ChunkSample(
                document=document.document,
                sources=list(document.sources),
                start=start,
                end=end,
                text=document.text[start:end],
            )
        )
    return ChunkSamples(data=samples)
