"""Background text: what is of another kind than a corpus, as examples of what stands in none of its sources.

The text is the documentation inside installed packages, which every machine that runs this package has.
"""

from collections.abc import Sequence

import numpy as np

from sip_model.corpora.python_docs import read_some_docs

NUM_MODULES = 160
NUM_TEXTS = 300
SHARED_WORDS = 8
"""Words in a row that two texts share by chance next to never."""
MAX_SHARING = 2
"""Background texts that may share as many with the corpus, licences for example."""


def background_texts(texts: Sequence[str], seed: int) -> list[str]:
    """Up to `NUM_TEXTS` background texts, as long as a corpus' own; none for a corpus of documentation.

    Args:
        texts: of the corpus' samples.
        seed: draws their lengths.

    Raises:
        CorpusError: a package the text is taken from isn't installed.
    """
    lengths = np.random.default_rng(seed).permutation([len(text.split()) for text in texts])
    documents = [text.split() for text in read_some_docs(NUM_MODULES)]
    found = _cut(documents, lengths.tolist())
    runs = {run for text in texts for run in _runs(text.split())}
    num_sharing = sum(not runs.isdisjoint(_runs(text.split())) for text in found)
    return [] if num_sharing > MAX_SHARING else found


def _cut(documents: list[list[str]], lengths: list[int]) -> list[str]:
    """Texts of these lengths in words, taken from the documents in turn; a length may be used again."""
    found: list[str] = []
    starts = [0] * len(documents)
    while len(found) < NUM_TEXTS:
        num_before = len(found)
        for number, words in enumerate(documents):
            length = lengths[len(found) % len(lengths)]
            start = starts[number]
            if start + length <= len(words) and len(found) < NUM_TEXTS:
                found.append(" ".join(words[start : start + length]))
                starts[number] = start + length
        if len(found) == num_before:
            break
    return found


def _runs(words: list[str]) -> set[str]:
    return {" ".join(words[i : i + SHARED_WORDS]) for i in range(len(words) - SHARED_WORDS + 1)}
