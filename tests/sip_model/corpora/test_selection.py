from pathlib import Path

import numpy as np
import pytest

from sip_model.corpora.inventory import Inventory, take_inventory
from sip_model.corpora.selection import LeftOut, choose_chunks, choose_sources
from sip_model.errors import InvalidInputError
from sip_model.experiments.config import ChunkConfig, SourcesConfig
from tests.sip_model.corpora.corpus_files import document, make_corpus, words

CHUNK = ChunkConfig(num_words=4, min_per_source=1)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    documents = [
        document("1", words("a", 40), "big"),
        document("2", words("b", 8), "small"),
        document("3", words("c", 80), "big", "shared"),
        document("4", words("d", 4), "tiny"),
    ]
    return take_inventory(make_corpus(tmp_path / "c.parquet", documents), CHUNK, None)


def chosen(inventory: Inventory, sources: SourcesConfig, seed: int = 0) -> list[str]:
    return [inventory.sources[n] for n in choose_sources(inventory, sources, 1, seed)[0].tolist()]


def test_a_document_of_several_sources_counts_for_each(inventory: Inventory) -> None:
    totals = dict(zip(inventory.sources, inventory.num_source_chunks().tolist(), strict=True))
    assert totals == {"big": 30, "small": 2, "shared": 20, "tiny": 1}


def test_sources_with_too_few_chunks_are_left_out_and_listed(inventory: Inventory) -> None:
    numbers, left_out = choose_sources(inventory, SourcesConfig(), 2, 0)
    assert numbers.tolist() == [0, 1, 2]
    assert left_out == (LeftOut("tiny", 1),)


def test_fewer_than_two_sources_are_refused(inventory: Inventory) -> None:
    with pytest.raises(
        InvalidInputError, match=r"chunk.min_per_source: .* found 1 of 4. Lower min_per_source"
    ):
        choose_sources(inventory, SourcesConfig(), 25, 0)


def test_the_largest_or_the_first_sources_are_taken_in_the_order_of_the_corpus(inventory: Inventory) -> None:
    assert chosen(inventory, SourcesConfig(limit=2)) == ["big", "shared"]
    assert chosen(inventory, SourcesConfig(limit=2, select="first")) == ["big", "small"]


def test_random_sources_are_drawn_with_the_seed(inventory: Inventory) -> None:
    draws = [tuple(chosen(inventory, SourcesConfig(limit=2, select="random"), seed)) for seed in range(20)]
    assert draws == [
        tuple(chosen(inventory, SourcesConfig(limit=2, select="random"), seed)) for seed in range(20)
    ]
    assert len(set(draws)) > 2


def test_kept_chunks_are_evenly_spaced_over_all_documents_of_a_source(inventory: Inventory) -> None:
    kept = choose_chunks(inventory, np.array([0]), 6)
    places = np.where(kept.documents == 0, 0, 10) + kept.chunks
    assert places.tolist() == [2, 7, 12, 17, 22, 27]


def test_all_chunks_are_kept_where_there_are_few(inventory: Inventory) -> None:
    kept = choose_chunks(inventory, np.array([0, 1]), 100)
    assert np.bincount(kept.documents).tolist() == [10, 2, 20]
    assert kept.chunks[:10].tolist() == list(range(10))


def test_a_document_is_dealt_by_the_rarest_of_its_sources(inventory: Inventory) -> None:
    kept = choose_chunks(inventory, np.array([0, 1, 2, 3]), 100)
    strata = dict(zip(kept.documents.tolist(), kept.strata.tolist(), strict=True))
    assert strata == {0: 0, 1: 1, 2: 2, 3: 3}
