"""Prepared text is found again, and only where it is the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sip_model.backbones.eviction import remove_segment, segments_beyond
from sip_model.backbones.pretraining.prepared import PreparedText, PreparedTexts
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig
from sip_model.experiments.pretrain import PretrainBlock, PretrainConfig
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents

CONFIG = PretrainConfig(
    chunk=ChunkConfig(num_words=CHUNK_WORDS), pretrain=PretrainBlock(size="nano", vocab_size=512)
)


class Preparing:
    """Prepares a corpus, and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.times = 0
        self._corpus = Corpus(folder / "corpus.parquet")
        write_corpus(make_documents(("ash", "birch", "cedar")), self._corpus.path)

    def __call__(self) -> PreparedText:
        self.times += 1
        text = PretrainingText.of([self._corpus], CONFIG.chunk, CONFIG.sources, CONFIG.split, 0)
        return PreparedText.of(text, CONFIG.pretrain.vocab_size)


@pytest.fixture
def prepare(tmp_path: Path) -> Preparing:
    """Of three sources."""
    return Preparing(tmp_path)


def test_a_text_is_prepared_once_for_all_sizes_and_for_each_seed_and_vocabulary(
    prepare: Preparing, tmp_path: Path
) -> None:
    texts = PreparedTexts(tmp_path / "cache")
    first = texts.get(CONFIG, 0, ["a"], prepare)
    small = replace(CONFIG, pretrain=replace(CONFIG.pretrain, size="small", max_tokens=5000))
    again = texts.get(small, 0, ["a"], prepare)
    assert prepare.times == 1
    assert np.array_equal(again.train, first.train)
    assert np.array_equal(again.validation, first.validation)
    assert again.tokenizer.to_str() == first.tokenizer.to_str()
    assert (again.num_words, again.num_words_cut) == (first.num_words, first.num_words_cut)
    texts.get(CONFIG, 1, ["a"], prepare)
    texts.get(CONFIG, 0, ["b"], prepare)
    texts.get(replace(CONFIG, pretrain=replace(CONFIG.pretrain, vocab_size=600)), 0, ["a"], prepare)
    texts.get(replace(CONFIG, chunk=ChunkConfig(num_words=9)), 0, ["a"], prepare)
    assert prepare.times == 5


@pytest.mark.parametrize("damage", ["cut short", "changed"])
def test_a_damaged_file_is_prepared_again(damage: str, prepare: Preparing, tmp_path: Path) -> None:
    texts = PreparedTexts(tmp_path / "cache")
    first = texts.get(CONFIG, 0, ["a"], prepare)
    (path,) = (tmp_path / "cache").glob("*/*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content[: len(content) // 2] if damage == "cut short" else content)
    again = texts.get(CONFIG, 0, ["a"], prepare)
    assert np.array_equal(again.train, first.train)
    texts.get(CONFIG, 0, ["a"], prepare)
    assert prepare.times == 2


def test_it_goes_with_the_feature_cache(prepare: Preparing, tmp_path: Path) -> None:
    texts = PreparedTexts(tmp_path / "cache")
    texts.get(CONFIG, 0, ["a"], prepare)
    (path,) = (tmp_path / "cache").glob("*/*")
    used_at = path.stat().st_mtime
    assert segments_beyond(tmp_path / "cache", 1 << 30, used_at + 10 * 24 * 3600) == []
    (segment,) = segments_beyond(tmp_path / "cache", 0, used_at)
    remove_segment(segment)
    assert not list((tmp_path / "cache").iterdir())
