"""How much of the test part the training part gives away."""

from pathlib import Path

import numpy as np
import pytest

from sip_model.analysis.leak_rate import leak_rate
from sip_model.corpora.document import Document
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig


def random_text(seed: int, num_words: int) -> str:
    numbers = np.random.default_rng(seed).integers(100_000, size=num_words)
    return " ".join(f"w{number}" for number in numbers)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two sources of one document each, 50 chunks of 8 words, nothing said twice."""
    path = tmp_path / "corpus.parquet"
    write_corpus(
        [Document(document=name, text=random_text(n, 400), sources=(name,)) for n, name in enumerate("ab")],
        path,
    )
    return Corpus(path)


def samples_of(corpus: Corpus, split: SplitConfig) -> Samples:
    return prepare_samples(corpus, ChunkConfig(num_words=8), SourcesConfig(), split, seed=1)


def test_blocks_with_gaps_leak_nothing_and_positions_most(corpus: Corpus) -> None:
    assert leak_rate(samples_of(corpus, SplitConfig())) == 0
    positions = samples_of(corpus, SplitConfig(by="position"))
    train = {
        (positions.documents[row], int(positions.chunks[row])) for row in positions.part("train").tolist()
    }
    beside = [
        (document, number - 1) in train or (document, number + 1) in train
        for document, number in (
            (positions.documents[row], int(positions.chunks[row])) for row in positions.part("test").tolist()
        )
    ]
    assert leak_rate(positions) == pytest.approx(np.mean(beside))
    assert leak_rate(positions) > 0.6


def test_a_near_duplicate_elsewhere_is_a_leak(tmp_path: Path) -> None:
    texts = [random_text(n, 30) for n in range(40)]
    documents = [
        Document(document=f"{source}{n}", text=f"{text} {source}", sources=(source,), split=split)
        for source, split in (("a", "train"), ("b", "test"))
        for n, text in enumerate(texts)
    ]
    path = tmp_path / "corpus.parquet"
    write_corpus(documents, path)
    given = SplitConfig(by="given", deduplicate=False)
    samples = prepare_samples(Corpus(path), ChunkConfig(num_words=64), SourcesConfig(), given, seed=0)
    # validation and calibration are cut out of what was given as train
    learned = {samples.documents[row][1:] for row in samples.part("train").tolist()}
    assert leak_rate(samples) == pytest.approx(len(learned) / len(texts))
    assert 0 < len(learned) < len(texts)
