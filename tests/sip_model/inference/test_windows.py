"""Long texts in windows, and put together again."""

from pathlib import Path

import numpy as np
import pytest

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.load import Backbone
from sip_model.inference.windows import MAX_WINDOWS, cut, pooled
from tests.sip_model.backbones.tiny import make_tiny_backbone

MAX_TOKENS = 32


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """A tiny encoder."""
    folder: Path = make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")
    return BackboneCatalog({"tiny": folder}).load("tiny", device="cpu", dtype="float32")


def parts(text: str, max_words: int | None, backbone: Backbone | None = None) -> list[str]:
    found = cut([text], max_words, backbone, None if backbone is None else MAX_TOKENS)
    assert not found.truncated.any()
    assert [piece.text for piece in found.pieces] == [0] * len(found.pieces)
    return [text[piece.start : piece.end] for piece in found.pieces]


def prose(num_words: int) -> str:
    return " ".join(f"word{number}" for number in range(num_words))


def test_a_text_of_ordinary_length_is_read_at_once() -> None:
    assert parts(prose(20), 10) == [prose(20)]
    assert parts(prose(500), None) == [prose(500)]


@pytest.mark.parametrize("num_words", [21, 37, 1000])
def test_a_longer_one_is_cut_between_words_into_equal_windows(num_words: int) -> None:
    text = prose(num_words)
    windows = parts(text, 10)
    assert "".join(windows) == text
    sizes = [len(window.split()) for window in windows]
    assert max(sizes) - min(sizes) <= 1
    assert 8 <= np.mean(sizes) <= 12
    assert not any(window[0].isspace() for window in windows)


def test_what_the_backbone_cannot_read_at_once_is_cut_by_tokens(backbone: Backbone) -> None:
    text = prose(200)
    windows = parts(text, None, backbone)
    assert "".join(windows) == text
    counts = [len(backbone.tokenizer.encode(window).ids) for window in windows]
    assert max(counts) <= MAX_TOKENS
    assert np.mean(counts) > MAX_TOKENS / 2


def test_a_word_that_fills_windows_is_cut_within(backbone: Backbone) -> None:
    text = "x" * 500
    windows = parts(text, 10, backbone)
    assert "".join(windows) == text
    assert max(len(backbone.tokenizer.encode(window).ids) for window in windows) <= MAX_TOKENS


def test_of_a_text_of_very_many_windows_they_grow(backbone: Backbone) -> None:
    words_alone = cut([prose(4000)], 4, None, None)
    assert len(words_alone.pieces) == MAX_WINDOWS
    assert not words_alone.truncated.any()
    grown = cut([prose(600)], 2, backbone, MAX_TOKENS)
    assert len(grown.pieces) < 200
    assert not grown.truncated.any()


def test_what_comes_after_the_last_window_is_not_read(backbone: Backbone) -> None:
    texts = ["short", prose(20_000)]
    found = cut(texts, 10, backbone, MAX_TOKENS)
    assert found.truncated.tolist() == [False, True]
    assert len(found.pieces) == 1 + MAX_WINDOWS
    assert found.owners.tolist() == [0] + [1] * MAX_WINDOWS


def test_log_odds_are_weighted_by_tokens_and_single_pieces_stay_as_they_are() -> None:
    logits = np.array([[0.1, -0.3], [1.0, 0.0], [3.0, -2.0]])
    found = pooled(logits, np.array([0, 1, 1]), np.array([7, 1, 3]))
    np.testing.assert_array_equal(found[0], logits[0])
    np.testing.assert_allclose(found[1], [2.5, -1.5])
