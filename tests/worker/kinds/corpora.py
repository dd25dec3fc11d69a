"""Small corpora whose sources have words of their own."""

import numpy as np

from sip_model.corpora.document import Document

CHUNK_WORDS = 8
CHUNKS = 40


def make_document(source: str, num_chunks: int, seed: int) -> Document:
    """A text of which about every third word is one of its source's five favourites."""
    generator = np.random.default_rng([seed, *source.encode()])
    favourites, common = (
        generator.integers(200, size=5),
        generator.integers(200, size=num_chunks * CHUNK_WORDS),
    )
    words = [
        f"w{generator.choice(favourites) if generator.random() < 0.35 else number}z"
        for number in common.tolist()
    ]
    return Document(document=f"{source}-{seed}", text=" ".join(words), sources=(source,))


def make_documents(sources: tuple[str, ...], seed: int = 0) -> list[Document]:
    """One document of `CHUNKS` chunks per source."""
    return [make_document(source, CHUNKS, seed) for source in sources]
