"""The benchmark of explanations: its numbers on made-up areas, and what it draws."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.saliency_cells import BLOCK_TEXTS, Curves, blocks_of
from benchmarks.saliency_table import choices, compared, page
from sip_model.corpora.document import Document
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig

RANKINGS = ("random", "gradient", "channels", "answer")


def curves(seed: int) -> Curves:
    """60 texts of 12 documents: each ranking is better than the one before by 1 nat, half on either side."""
    generator = np.random.default_rng(seed)
    areas = generator.normal(0, 0.1, (60, 4, 2, 2))
    better = np.arange(4)[None, :, None]
    areas[..., 0] -= better / 2
    areas[..., 1] += better / 2
    return Curves(np.array(RANKINGS), np.array([f"d{number % 12}" for number in range(60)]), areas)


def test_faithfulness_is_insertion_minus_deletion_with_a_paired_interval() -> None:
    found = compared([curves(0), curves(1)])
    assert (found["texts"], found["documents"]) == (120, 12)
    for target in ("head", "answer"):
        areas = found[target]["areas"]["answer"]
        assert areas["insertion"] - areas["deletion"] == pytest.approx(3, abs=0.1)
        for name, expected in (("channels - gradient", 1), ("channels - random", 2), ("answer - random", 3)):
            mean, low, high = found[target]["differences"][name]
            assert low < mean < high
            assert mean == pytest.approx(expected, abs=0.1)
            assert low > expected - 0.3


def test_the_page_names_every_ranking_and_every_difference() -> None:
    results = {"books": {"choices": choices([curves(0)]), "compared": compared([curves(1)])}}
    lines = page(results).splitlines()
    assert sum(line.startswith("| books | head |") for line in lines) == 4 + 5 + 1
    (difference,) = [line for line in lines if line.startswith("| books | answer | channels - gradient | ")]
    assert re.search(r"\| \+(0\.9|1\.0)\d+ \[", difference)


def test_what_is_kept_of_blocks_is_what_was_there(tmp_path: Path) -> None:
    blocks = [curves(0), curves(1)]
    for number, block in enumerate(blocks):
        block.save(tmp_path / f"{number}.npz")
    joined = Curves.joined([Curves.load(tmp_path / f"{number}.npz") for number in range(2)])
    assert len(joined.documents) == 120
    np.testing.assert_array_equal(joined.areas[60:], blocks[1].areas)


def test_more_texts_begin_with_the_same_ones(tmp_path: Path) -> None:
    texts = (
        Document(f"book {number}", " ".join(f"w{number}x{word}" for word in range(4000)), (f"book {number}",))
        for number in range(3)
    )
    write_corpus(texts, tmp_path / "corpus.parquet")
    corpus = Corpus(tmp_path / "corpus.parquet")
    samples = prepare_samples(corpus, ChunkConfig(num_words=8), SourcesConfig(), SplitConfig(), 0)
    few, many = (blocks_of(samples, "test", count, 3) for count in (BLOCK_TEXTS, 2 * BLOCK_TEXTS))
    np.testing.assert_array_equal(few[0], many[0])
    drawn = np.concatenate(many).tolist()
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(samples.part("test").tolist())
