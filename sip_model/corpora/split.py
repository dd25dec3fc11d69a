"""Dealing chunks to the parts train, validation, calibration and test."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray
from sip_model.corpora.selection import Kept
from sip_model.experiments.config import SplitConfig

PARTS = ("train", "validation", "calibration", "test")
TRAIN, VALIDATION, CALIBRATION, TEST = range(4)
LEFT_OUT = 255
"""In place of a part: the chunk lies in the gap between two parts."""
MIN_CHUNKS_FOR_BLOCKS = 10
"""Documents with fewer kept chunks are dealt whole."""
_GOLDEN = 0.6180339887498949
"""Multiples of it fill the unit interval evenly, so few seeds already rotate to all sides."""

PartArray = npt.NDArray[np.uint8]
Shares = Sequence[float]
"""Of the four parts, summing to 1; a part with share 0 gets nothing."""


def deal_parts(kept: Kept, split: SplitConfig, seed: int, given: PartArray | None = None) -> PartArray:
    """The part of every kept chunk, (n,): an index into `PARTS`, or `LEFT_OUT`.

    Args:
        kept: n chunks.
        split: the rule and the shares.
        seed: rotates the blocks, orders what is dealt at random.
        given: (n,) the corpus' own parts, needed by the rule `given`.
    """
    shares = (split.train, split.validation, split.calibration, split.test)
    match split.by:
        case "block":
            return _deal_blocks(kept, shares, seed)
        case "document":
            firsts = _first_of_each(kept.documents)
            parts = _deal_whole(kept.strata[firsts], shares, seed, in_train=np.zeros(0, np.int64))
            return parts[_ranks(kept.documents)]
        case "position":
            return _deal_whole(kept.strata, shares, seed, in_train=np.zeros(0, np.int64))
        case "given":
            if given is None:
                raise ValueError("given: expected the corpus' own parts with the rule `given`")
            return _fill_missing(kept, given, shares, seed)


def _first_of_each(documents: IntArray) -> IntArray:
    return np.unique(documents, return_index=True)[1]


def _ranks(documents: IntArray) -> IntArray:
    return np.unique(documents, return_inverse=True)[1]


def _deal_blocks(kept: Kept, shares: Shares, seed: int) -> PartArray:
    """Contiguous stretches of each long document; short documents whole."""
    parts = np.empty(len(kept.documents), np.uint8)
    firsts = _first_of_each(kept.documents)
    ends = np.append(firsts[1:], len(parts))
    is_long = ends - firsts >= MIN_CHUNKS_FOR_BLOCKS
    for start, end in zip(firsts[is_long].tolist(), ends[is_long].tolist(), strict=True):
        parts[start:end] = _blocks(kept.chunks[start:end], shares, seed)
    in_train = np.unique(kept.strata[firsts[is_long]])
    whole = _deal_whole(kept.strata[firsts[~is_long]], shares, seed, in_train)
    parts[np.repeat(~is_long, ends - firsts)] = np.repeat(whole, (ends - firsts)[~is_long])
    return parts


def _blocks(chunks: IntArray, shares: Shares, seed: int) -> PartArray:
    """Parts of the kept chunks of one document: arcs of a circle, turned by the seed, with gaps."""
    num_chunks = len(chunks)
    sizes = _block_sizes(num_chunks, shares)
    offset = int(num_chunks * (seed * _GOLDEN % 1.0))
    parts = _circle(sizes)[(np.arange(num_chunks) + offset) % num_chunks]
    is_held_out = parts >= CALIBRATION
    needs_gap = (np.diff(parts) != 0) & ~(is_held_out[:-1] & is_held_out[1:]) & (np.diff(chunks) == 1)
    for left in np.flatnonzero(needs_gap).tolist():
        _open_gap(parts, left, sizes)
    return parts


def _circle(sizes: IntArray) -> PartArray:
    """The part of every chunk from train on: train, validation, then test and calibration by turns.

    Calibration text stands as far from text that is learned from as test text does on average, from whichever
    end it is measured: accuracy falls with that distance, and what calibration text says must hold for test
    text. Between the two there are no gaps: nothing that reads a chunk's words is learned from either.
    """
    outer, first = (sizes[TEST] + 2) // 4, sizes[CALIBRATION] // 2
    parts = (TRAIN, VALIDATION, TEST, CALIBRATION, TEST, CALIBRATION, TEST)
    middle, second = sizes[TEST] - 2 * outer, sizes[CALIBRATION] - first
    lengths = (sizes[TRAIN], sizes[VALIDATION], outer, first, middle, second, outer)
    return np.repeat(np.array(parts, np.uint8), lengths)


def _open_gap(parts: PartArray, left: int, sizes: IntArray) -> None:
    """Leave out the neighbour that belongs to the larger of two parts, but never the last chunk of one."""
    if LEFT_OUT in (parts[left], parts[left + 1]):
        return
    drop = left if sizes[parts[left]] >= sizes[parts[left + 1]] else left + 1
    if sizes[parts[drop]] > 1:
        sizes[parts[drop]] -= 1
        parts[drop] = LEFT_OUT


def _block_sizes(num_chunks: int, shares: Shares) -> IntArray:
    """Chunks of each part, (4,), at least one where the share isn't 0."""
    cuts = np.rint(np.cumsum([0.0, *shares]) * num_chunks).astype(np.int64)
    sizes = np.diff(cuts)
    for part in np.flatnonzero((np.array(shares) > 0) & (sizes == 0)).tolist():
        sizes[np.argmax(sizes)] -= 1
        sizes[part] = 1
    return np.asarray(sizes)


def _deal_whole(strata: IntArray, shares: Shares, seed: int, in_train: IntArray) -> PartArray:
    """Parts of units (documents or chunks) that are dealt whole, (units,), evenly within each source.

    A source's k units in random order take the places (p + U) / k of the unit interval, which the shares
    divide: their parts follow the shares as closely as k allows, and exactly on average.

    Args:
        strata: (units,) source of each.
        shares: of the four parts.
        seed: with the source's number, seeds that source's order.
        in_train: sources that are in the train part already; any other has its first unit there.
    """
    parts = np.empty(len(strata), np.uint8)
    order = np.argsort(strata, kind="stable")
    sources, starts = np.unique(strata[order], return_index=True)
    ends = np.append(starts[1:], len(strata))
    cuts = np.cumsum(shares)[:3]
    has_train = np.isin(sources, in_train).tolist()
    for number, source in enumerate(sources.tolist()):
        units = order[starts[number] : ends[number]]
        generator = np.random.default_rng([seed, source])
        units = generator.permutation(units)
        places = (np.arange(len(units)) + generator.random(len(units))) / len(units)
        dealt = np.searchsorted(cuts, places, side="right")
        if not has_train[number]:
            dealt[0] = TRAIN
        parts[units] = dealt
    return parts


def _fill_missing(kept: Kept, given: PartArray, shares: Shares, seed: int) -> PartArray:
    """The given parts; validation and calibration, where the corpus has none, are cut out of train."""
    missing = [part for part in (VALIDATION, CALIBRATION) if not np.any(given == part)]
    parts = given.copy()
    in_train = given == TRAIN
    if not missing or not in_train.any():
        return parts
    wanted = [share if part == TRAIN or part in missing else 0.0 for part, share in enumerate(shares)]
    train = Kept(kept.documents[in_train], kept.chunks[in_train], kept.strata[in_train])
    parts[in_train] = _deal_blocks(train, [share / sum(wanted) for share in wanted], seed)
    return parts
