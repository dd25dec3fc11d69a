"""The interval of a paired difference."""

import numpy as np
import pytest

from sip_model.analysis import bootstrap
from sip_model.analysis.bootstrap import paired_bootstrap


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator, covered = np.random.default_rng(0), 0
    documents = np.repeat(np.arange(60).astype(np.str_), 5)
    for seed in range(100):
        effects = np.repeat(generator.normal(0.1, 0.3, size=60), 5)  # chunks of a document go together
        noise = generator.normal(0, 0.1, size=300)
        found = paired_bootstrap(effects + noise, np.zeros(300), documents, resamples=500, seed=seed)
        covered += found.low <= 0.1 <= found.high
    assert 88 <= covered <= 99


def test_the_mean_is_over_samples_however_long_their_documents() -> None:
    found = paired_bootstrap(
        np.array([1.0, 1, 1, 0]), np.zeros(4), np.array(["a", "a", "a", "b"]), resamples=200
    )
    assert found.mean == 0.75
    assert (found.low, found.high) == (0, 1)


def test_equal_identifiers_differ_by_nothing() -> None:
    right = np.array([1.0, 0, 1])
    found = paired_bootstrap(right, right, np.array(["a", "b", "c"]), resamples=50)
    assert (found.mean, found.low, found.high) == (0, 0, 0)


def test_drawing_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random(90), generator.random(90)
    documents = generator.integers(30, size=90).astype(np.str_)
    whole = paired_bootstrap(first, second, documents, resamples=1000, seed=4)
    monkeypatch.setattr(bootstrap, "BLOCK_COUNTS", 7 * 30)
    assert paired_bootstrap(first, second, documents, resamples=1000, seed=4) == whole
