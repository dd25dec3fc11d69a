"""Keeps the feature cache from growing for ever: what was not read for the longest time goes first."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sip_model.backbones.segments import KEYS_SUFFIX, VECTORS_SUFFIX
from sip_model.kept import KEPT_SUFFIX

_ABANDONED_SECONDS = 24 * 3600.0


class CachedSegment(NamedTuple):
    """A segment of the feature cache, a kept result in it, or what a process that died left of one."""

    files: tuple[Path, ...]
    """In the order in which they are removed: without its keys a segment doesn't exist."""
    num_bytes: int
    used_at: float
    """Seconds since 1970: when it was last read, as far as the file system keeps that, or else written."""


def segments_beyond(folder: Path, keep_bytes: int, now: float) -> list[CachedSegment]:
    """What has to go so that a feature cache is no larger than `keep_bytes`, least recently used first.

    Unfinished files nobody has written to for a day come with it, whatever the size.

    Args:
        folder: of the cache; it needn't be there.
        now: seconds since 1970.
    """
    segments = sorted(_segments(folder), key=lambda segment: segment.used_at)
    whole = [segment for segment in segments if _is_whole(segment)]
    chosen = [s for s in segments if not _is_whole(s) and s.used_at < now - _ABANDONED_SECONDS]
    num_bytes = sum(segment.num_bytes for segment in whole)
    for segment in whole:
        if num_bytes <= keep_bytes:
            break
        num_bytes -= segment.num_bytes
        chosen.append(segment)
    return chosen


def remove_segment(segment: CachedSegment) -> None:
    """Remove a segment; whoever reads it meanwhile computes its vectors again."""
    for path in segment.files:
        path.unlink(missing_ok=True)
    with suppress(OSError):  # other segments are left in it
        segment.files[0].parent.rmdir()


def _segments(folder: Path) -> Iterator[CachedSegment]:
    for layer in sorted(folder.glob("*")):
        names = {path.name for path in layer.glob("*")} | {path.name for path in layer.glob(".*")}
        while names:
            name = min(names)
            stem = name.removesuffix(KEYS_SUFFIX).removesuffix(VECTORS_SUFFIX)
            parts = [part for part in (stem + KEYS_SUFFIX, stem + VECTORS_SUFFIX) if part in names] or [name]
            names -= set(parts)
            paths = tuple(layer / part for part in parts)
            with suppress(FileNotFoundError):
                found = [path.stat() for path in paths]
                used_at = max(max(status.st_atime, status.st_mtime) for status in found)
                yield CachedSegment(paths, sum(status.st_size for status in found), used_at)


def _is_whole(segment: CachedSegment) -> bool:
    return segment.files[0].name.endswith((KEYS_SUFFIX, KEPT_SUFFIX))
