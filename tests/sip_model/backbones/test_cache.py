import logging
import multiprocessing
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest

from sip_model.backbones import cache as cache_module
from sip_model.backbones.cache import CachedFeatures, Compute, FeatureCache
from sip_model.backbones.extraction import Extraction
from sip_model.backbones.info import BackboneInfo

INFO = BackboneInfo("own", "r1", "bert", False, 4, 8, 64, ("mean", "cls"))
LAYERS = (0, 2, 4)


class Reader:
    """Stands for a backbone: a text's vector follows from its length, its first letter and the layer."""

    def __init__(self, layers: Sequence[int] = LAYERS) -> None:
        self.layers = layers
        self.read: list[str] = []

    def __call__(self, texts: list[str]) -> Extraction:
        self.read += texts
        features = np.zeros((len(texts), len(self.layers), INFO.hidden_size), dtype=np.float32)
        for row, text in enumerate(texts):
            for place, layer in enumerate(self.layers):
                features[row, place] = [layer, len(text), ord(text[0]), 1 / 3, *[hash_of(text)] * 4]
        return Extraction(features, np.full(len(texts), 3), np.zeros(len(texts), dtype=np.bool_))


def hash_of(text: str) -> float:
    return sum(map(ord, text)) / 7


def ask(
    cache: FeatureCache, texts: Sequence[str], compute: Compute, layers: Sequence[int] = LAYERS
) -> CachedFeatures:
    return cache.features(INFO, "float32", texts, layers, "mean", 16, compute)


def unreachable(_texts: list[str]) -> Extraction:
    raise AssertionError("nothing was to be computed")


def test_the_second_time_nothing_is_computed_and_the_bits_are_the_same(tmp_path: Path) -> None:
    texts = [f"{number} texts" for number in range(50)]
    first = ask(FeatureCache(tmp_path), texts, Reader())
    second = ask(FeatureCache(tmp_path), texts, unreachable)
    np.testing.assert_array_equal(first.features, Reader()(texts).features)
    np.testing.assert_array_equal(second.features, first.features)
    assert (first.num_hits, first.num_computed, first.num_tokens_computed) == (0, 50, 150)
    assert (second.num_hits, second.num_computed, second.num_tokens_computed) == (50, 0, 0)


def test_each_distinct_text_is_computed_once(tmp_path: Path) -> None:
    reader = Reader()
    result = ask(FeatureCache(tmp_path), ["b", "a", "b", "b", "a"], reader)
    assert sorted(reader.read) == ["a", "b"]
    assert result.features[:, 0, 2].tolist() == [98, 97, 98, 98, 97]


def test_only_texts_that_miss_are_computed(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    ask(cache, ["a", "b"], Reader())
    reader = Reader()
    result = ask(cache, ["b", "c", "a", "c"], reader)
    assert reader.read == ["c"]
    assert (result.num_hits, result.num_computed) == (2, 1)
    assert result.features[:, 0, 2].tolist() == [98, 99, 97, 99]


def test_layers_are_found_one_by_one(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    ask(cache, ["a"], Reader((4, 1)), (4, 1))
    assert ask(cache, ["a"], unreachable, (1,)).features[:, :, 0].tolist() == [[1]]
    assert ask(cache, ["a"], unreachable, (1, 4)).features[:, :, 0].tolist() == [[1, 4]]
    assert ask(cache, ["a"], Reader((1, 2)), (1, 2)).num_computed == 1


def test_whatever_shapes_a_vector_is_part_of_its_address(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    ask(cache, ["a"], Reader())
    other = BackboneInfo("own", "r2", "bert", False, 4, 8, 64, ("mean", "cls"))
    assert cache.features(other, "float32", ["a"], LAYERS, "mean", 16, Reader()).num_computed == 1
    assert cache.features(INFO, "bfloat16", ["a"], LAYERS, "mean", 16, Reader()).num_computed == 1
    assert cache.features(INFO, "float32", ["a"], LAYERS, "cls", 16, Reader()).num_computed == 1
    assert cache.features(INFO, "float32", ["a"], LAYERS, "mean", 17, Reader()).num_computed == 1
    assert cache.features(INFO, "float32", ["a"], LAYERS, "mean", None, Reader()).num_computed == 1
    # None stands for the backbone's default, whatever it is: the same address as naming it.
    assert cache.features(INFO, "float32", ["a"], LAYERS, "mean", 64, unreachable).num_hits == 1


def test_texts_that_differ_in_anything_are_kept_apart(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    ask(cache, ["a b"], Reader())
    reader = Reader()
    ask(cache, ["a b ", "A b", "a\u00a0b", "a \ud800"], reader)
    assert len(reader.read) == 4


def test_no_texts_are_no_work(tmp_path: Path) -> None:
    assert ask(FeatureCache(tmp_path), [], unreachable).features.shape == (0, 3, 8)


def test_what_was_computed_before_a_failure_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "SLICE_TEXTS", 10)
    texts = [f"{number:02}" for number in range(30)]
    reader = Reader()

    def dies_in_the_second_slice(slice_texts: list[str]) -> Extraction:
        if reader.read:
            raise MemoryError
        return reader(slice_texts)

    with pytest.raises(MemoryError):
        ask(FeatureCache(tmp_path), texts, dies_in_the_second_slice)
    assert ask(FeatureCache(tmp_path), texts, Reader()).num_hits == 10


def test_progress_counts_the_texts_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "SLICE_TEXTS", 2)
    seen: list[tuple[int, int]] = []
    cache = FeatureCache(tmp_path)
    ask(cache, ["a"], Reader())
    cache.features(
        INFO,
        "float32",
        ["a", "b", "c", "d"],
        LAYERS,
        "mean",
        16,
        Reader(),
        lambda *progress: seen.append(progress),
    )
    assert seen == [(2, 3), (3, 3)]


@pytest.mark.parametrize("suffix", [".keys.npy", ".vectors.npy"])
@pytest.mark.parametrize("damage", ["emptied", "cut short", "replaced", "gone"])
def test_a_damaged_segment_is_reported_and_computed_again(
    suffix: str, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [f"{number}" for number in range(10)]
    expected = ask(FeatureCache(tmp_path), texts, Reader()).features
    path = next(tmp_path.rglob("*" + suffix))
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"emptied": b"", "cut short": content[:-5], "replaced": b"\x93NUMPY junk"}[damage])
    with caplog.at_level(logging.WARNING):
        result = ask(FeatureCache(tmp_path), texts, Reader())
    np.testing.assert_array_equal(result.features, expected)
    assert result.num_computed == 10
    # A segment without its keys was never there: that is how a writer that died half-way looks.
    assert ("damaged" in caplog.text) == (not (suffix == ".keys.npy" and damage == "gone"))
    assert ask(FeatureCache(tmp_path), texts, unreachable).num_hits == 10


def test_a_single_flipped_bit_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = [f"{number}" for number in range(10)]
    expected = ask(FeatureCache(tmp_path), texts, Reader()).features
    path = next(tmp_path.rglob("*.vectors.npy"))
    content = bytearray(path.read_bytes())
    content[-7] ^= 16
    path.write_bytes(content)
    reader = Reader()
    with caplog.at_level(logging.WARNING):
        result = ask(FeatureCache(tmp_path), texts, reader)
    assert len(reader.read) == 1
    assert "1 vectors" in caplog.text
    np.testing.assert_array_equal(result.features, expected)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        ask(FeatureCache(tmp_path), ["a"], Reader())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def write_many(folder: Path, number: int, start: Barrier) -> None:
    start.wait(30)
    for step in range(10):
        texts = [f"{number if text % 2 else 'shared'} {step} {text}" for text in range(20)]
        result = ask(FeatureCache(folder), texts, Reader())
        np.testing.assert_array_equal(result.features, Reader()(texts).features)


def test_processes_that_write_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=write_many, args=(tmp_path, number, start)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    texts = [
        f"{number if text % 2 else 'shared'} {step} {text}"
        for number in range(3)
        for step in range(10)
        for text in range(20)
    ]
    result = ask(FeatureCache(tmp_path), texts, unreachable)
    np.testing.assert_array_equal(result.features, Reader()(texts).features)
    assert not list(tmp_path.rglob("*.tmp"))
