from pathlib import Path

import numpy as np
import pytest

from sip_model.corpora.builtin import read_builtin
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.errors import CorpusError
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig


def test_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(CorpusError, match="builtin: expected one of python-docs"):
        read_builtin("novels")


def test_python_docs_has_sixty_sources_of_a_hundred_chunks(tmp_path: Path) -> None:
    summary = write_corpus(read_builtin("python-docs"), tmp_path / "c.parquet")
    names = {source.name for source in summary.sources}
    assert {"scipy.signal", "torch.nn", "sklearn.cluster", "numpy.linalg", "asyncio"} <= names
    assert min(source.num_words for source in summary.sources) >= 3200

    samples = prepare_samples(
        Corpus(tmp_path / "c.parquet"), ChunkConfig(), SourcesConfig(), SplitConfig(deduplicate=False), 0
    )
    per_source = np.bincount(np.concatenate(samples.positives))
    # Up to eight chunks of a source lie in gaps between parts.
    assert (per_source >= 92).sum() >= 60
    assert not any(">>>" in text for text in samples.texts)


def test_a_reading_ends_where_its_check_raises_before_the_first_document() -> None:
    calls = iter(range(3))

    def check() -> None:
        if next(calls) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        next(read_builtin("python-docs", check))
