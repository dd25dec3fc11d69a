"""Examples of text of another kind than a corpus."""

import numpy as np

from sip_model.corpora.background import NUM_MODULES, NUM_TEXTS, background_texts
from sip_model.corpora.python_docs import read_some_docs

NOVEL = [" ".join(f"w{number}" for number in range(start, start + 5 + start % 3)) for start in range(60)]


def test_they_are_as_long_as_the_samples_and_always_the_same() -> None:
    found = background_texts(NOVEL, seed=0)
    assert len(found) == NUM_TEXTS
    assert {len(text.split()) for text in found} == {5, 6, 7}
    assert found == background_texts(NOVEL, seed=0)
    assert len(set(found)) > 0.9 * NUM_TEXTS


def test_a_corpus_of_the_same_documentation_has_none() -> None:
    documents = list(read_some_docs(NUM_MODULES))[::5]
    words = " ".join(documents).split()
    cut = np.array_split(words, len(words) // 32)
    assert background_texts([" ".join(part.tolist()) for part in cut], seed=0) == []
