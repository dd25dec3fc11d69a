"""Token states on disk: computed once, found again, read in pieces."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.backbones import token_cache
from sip_model.backbones.eviction import remove_segment, segments_beyond
from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.token_cache import CachedStates, TokenCache, text_slices
from sip_model.backbones.token_states import TokenStates

INFO = BackboneInfo("b", "r", "bert", False, 3, 4, 64, ("mean",))
TEXTS = ["five words", "", "x", "a longer text", "y" * 30, "z"]


class Reader:
    """Stands where a backbone does: a state per character, its number in all components."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []

    def __call__(self, texts: list[str]) -> TokenStates:
        self.read.append(texts)
        characters = np.array([ord(c) for text in texts for c in text], dtype=np.int16)
        lengths = np.array([len(text) for text in texts])
        states = np.repeat(characters[:, None], INFO.hidden_size, axis=1)
        offsets = np.zeros((len(characters), 2), np.int64)
        return TokenStates(states, lengths, offsets, len(characters), np.zeros(len(texts), np.bool_))


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "SLICE_TEXTS", 2)


def states(folder: Path, reader: Reader, texts: list[str] | None = None, layer: int = 1) -> CachedStates:
    return TokenCache(folder).states(INFO, "float32", TEXTS if texts is None else texts, layer, 64, reader)


def test_what_was_read_is_found_again_token_by_token(tmp_path: Path) -> None:
    reader = Reader()
    first = states(tmp_path, reader)
    assert (first.num_hits, first.num_computed, first.num_tokens_computed) == (0, 6, 55)
    second = states(tmp_path, reader)
    assert (second.num_hits, second.num_computed, second.num_tokens_computed) == (6, 0, 0)
    assert len(reader.read) == 3
    expected = [ord(c) for text in TEXTS for c in text]
    for cached in (first, second):
        store = cached.store
        assert store.starts.tolist() == [0, 10, 10, 11, 24, 54, 55]
        found = store.read(np.arange(55)[:, None]).view(torch.int16)
        assert found[:, 0].tolist() == found[:, 3].tolist() == expected
        some = np.array([0, 9, 10, 10, 23, 24, 54])
        assert store.read(some[:, None]).view(torch.int16)[:, 1].tolist() == [
            expected[i] for i in some.tolist()
        ]


@pytest.mark.parametrize("layer", [1, 2])
def test_other_texts_or_another_layer_are_read_anew(tmp_path: Path, layer: int) -> None:
    reader = Reader()
    states(tmp_path, reader)
    assert states(tmp_path, reader, ["five words", "y", *TEXTS[2:]], layer).num_computed == (
        2 if layer == 1 else 6
    )


@pytest.mark.parametrize("suffix", [".keys.npy", ".vectors.npy"])
def test_a_damaged_slice_is_read_anew(tmp_path: Path, suffix: str) -> None:
    reader = Reader()
    states(tmp_path, reader)
    path = sorted(tmp_path.rglob("*" + suffix))[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    again = states(tmp_path, reader)
    assert again.num_computed == 2
    assert again.store.read(np.arange(55)[:, None]).view(torch.int16)[:, 0].tolist() == [
        ord(c) for t in TEXTS for c in t
    ]
    path.write_bytes(content[:40])
    assert states(tmp_path, reader).num_computed == 2
    assert states(tmp_path, reader).num_computed == 0


def test_slices_are_bounded_by_texts_and_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "SLICE_CHARACTERS", 12)
    assert list(text_slices(TEXTS)) == [["five words", ""], ["x"], ["a longer text"], ["y" * 30], ["z"]]
    assert list(text_slices([])) == []


def test_housekeeping_lets_slices_go_and_a_store_that_reads_them_goes_on(tmp_path: Path) -> None:
    reader = Reader()
    store = states(tmp_path, reader).store
    for segment in segments_beyond(tmp_path, 0, 1e12):
        remove_segment(segment)
    assert not list(tmp_path.iterdir())
    assert store.read(np.array([[54]])).view(torch.int16)[0, 0] == ord("z")
    assert states(tmp_path, reader).num_computed == 6
