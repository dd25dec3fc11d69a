"""What a feature cache lets go of, and in which order."""

import os
from pathlib import Path

import numpy as np

from sip_model.backbones.eviction import CachedSegment, remove_segment, segments_beyond
from sip_model.backbones.segments import KEY_BYTES, read_vectors, write_segment

NOW = 10_000_000.0
DAY = 86_400.0
EVERYTHING = 1 << 40


def add(folder: Path, number: int, used_at: float) -> Path:
    """Write a segment of one vector that was last read at `used_at`; returns its file of keys."""
    before = set(folder.glob("*"))
    write_segment(folder, [key(number)], np.full((1, 8), number, dtype=np.float32))
    written = set(folder.glob("*")) - before
    for path in written:
        os.utime(path, (used_at, NOW - 100 * DAY))
    return next(path for path in written if path.name.endswith(".keys.npy"))


def key(number: int) -> bytes:
    return bytes([number]) * KEY_BYTES


def is_found(folder: Path, number: int) -> bool:
    out = np.zeros((1, 8), dtype=np.float32)
    found = read_vectors(folder, np.array([key(number)], dtype=f"S{KEY_BYTES}"), out)
    return bool(found[0]) and bool((out == number).all())


def test_what_was_not_read_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    young, old, middle = (
        add(tmp_path / layer, number, NOW - days * DAY)
        for number, (layer, days) in enumerate((("a", 1), ("a", 3), ("b", 2)), start=1)
    )
    each = sum(path.stat().st_size for path in (tmp_path / "b").iterdir())
    assert segments_beyond(tmp_path, 3 * each, NOW) == []
    chosen = segments_beyond(tmp_path, 3 * each - 1, NOW)
    assert keys_of(chosen) == [old]
    assert chosen[0].num_bytes == each
    assert keys_of(segments_beyond(tmp_path, each, NOW)) == [old, middle]
    assert keys_of(segments_beyond(tmp_path, 0, NOW)) == [old, middle, young]


def test_a_removed_segment_is_gone_for_readers_and_others_are_not(tmp_path: Path) -> None:
    for number in (1, 2):
        add(tmp_path / "a", number, NOW - (3 - number) * DAY)
    (oldest, _) = segments_beyond(tmp_path, 0, NOW)
    remove_segment(oldest)
    assert [is_found(tmp_path / "a", number) for number in (1, 2)] == [False, True]
    remove_segment(oldest)  # another process was faster
    for segment in segments_beyond(tmp_path, 0, NOW):
        remove_segment(segment)
    assert list(tmp_path.iterdir()) == []


def test_keys_go_before_their_vectors(tmp_path: Path) -> None:
    add(tmp_path / "a", 1, NOW)
    (segment,) = segments_beyond(tmp_path, 0, NOW)
    assert [path.name.partition(".")[2] for path in segment.files] == ["keys.npy", "vectors.npy"]


def test_unfinished_files_go_after_a_day_and_not_before(tmp_path: Path) -> None:
    layer = tmp_path / "a"
    layer.mkdir()
    for name, age in (
        (".1.keys.npy.tmp", 2 * DAY),
        (".2.vectors.npy.tmp", DAY / 2),
        ("3.vectors.npy", 2 * DAY),
        ("4.vectors.npy", DAY / 2),
    ):
        (layer / name).write_bytes(b"0")
        os.utime(layer / name, (NOW - age, NOW - age))
    chosen = segments_beyond(tmp_path, EVERYTHING, NOW)
    assert {path.name for segment in chosen for path in segment.files} == {".1.keys.npy.tmp", "3.vectors.npy"}


def test_a_cache_that_is_not_there_has_nothing_to_give(tmp_path: Path) -> None:
    assert segments_beyond(tmp_path / "none", 0, NOW) == []


def keys_of(segments: list[CachedSegment]) -> list[Path]:
    return [segment.files[0] for segment in segments]
