"""Texts that are the same, or nearly: exact ones by their normal form, near ones by MinHash."""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray

THRESHOLD = 0.8
"""Jaccard similarity of the shingles from which two texts count as near-duplicates."""
NUM_BANDS, BAND_WIDTH = 16, 4
"""Two texts meet in a band with probability 1 - (1 - s^4)^16: 0.9998 at similarity 0.8."""
_ESTIMATE_MARGIN = 0.2
"""Four standard errors of a similarity estimated from 64 hashes, at 0.8."""
_SHINGLES_AT_ONCE = 2**20

UInt32Array = npt.NDArray[np.uint32]


def normal_form(text: str) -> str:
    """`text` without what doesn't make it another text: case and the kind and amount of white space."""
    return " ".join(text.casefold().split())


def first_of_equals(texts: Sequence[str]) -> IntArray:
    """For each of n texts, the number of the first text with the same normal form, (n,)."""
    firsts: dict[str, int] = {}
    return np.array(
        [firsts.setdefault(normal_form(text), number) for number, text in enumerate(texts)], np.int64
    )


def near_duplicate_clusters(texts: Sequence[str]) -> IntArray:
    """A cluster number for each of n texts, (n,): texts linked by near-duplicates share one.

    Candidates come from MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of
    Massive Datasets*, ch. 3); each pair is then held against `THRESHOLD` by its true Jaccard similarity.
    Shingles are three words, or four characters in texts of fewer than eight words. The hash functions are
    fixed: the same texts give the same clusters.
    """
    shingles = [_shingles(text) for text in texts]
    signatures = _signatures(shingles)  # (n, 64)
    clusters = _Clusters(shingles, signatures)
    for band in range(NUM_BANDS):
        columns = signatures[:, band * BAND_WIDTH : (band + 1) * BAND_WIDTH]
        for members in _equal_rows(columns):
            clusters.link(members)
    return clusters.labels


def _shingles(text: str) -> UInt32Array:
    """Hashes of the distinct shingles of a text, sorted."""
    words = normal_form(text).split(" ")
    if len(words) >= 8:
        pieces = {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}
    else:
        letters = " ".join(words)
        pieces = {letters[i : i + 4] for i in range(max(1, len(letters) - 3))}
    hashes = {zlib.crc32(piece.encode("utf-8", "surrogatepass")) for piece in pieces}
    return np.array(sorted(hashes), np.uint32)


def _signatures(shingles: Sequence[UInt32Array]) -> UInt32Array:
    """MinHash signatures, (n, 64), by 64 multiply-shift hash functions."""
    num_hashes = NUM_BANDS * BAND_WIDTH
    generator = np.random.default_rng(0)
    factors = generator.integers(2**63, size=num_hashes, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = generator.integers(2**63, size=num_hashes, dtype=np.uint64)
    signatures = np.empty((len(shingles), num_hashes), np.uint32)
    sizes = np.array([len(hashes) for hashes in shingles], np.int64)
    ends = np.cumsum(sizes)
    start = 0
    while start < len(shingles):
        reach = (ends[start - 1] if start else 0) + _SHINGLES_AT_ONCE
        end = max(start + 1, int(np.searchsorted(ends, reach, side="right")))
        flat = np.concatenate(shingles[start:end]).astype(np.uint64)  # (shingles,)
        firsts = ends[start:end] - sizes[start:end] - (ends[start] - sizes[start])
        for column, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            hashes = (flat * factor + shift) >> np.uint64(32)
            signatures[start:end, column] = np.minimum.reduceat(hashes, firsts)
        start = end
    return signatures


def _equal_rows(columns: UInt32Array) -> list[IntArray]:
    """The numbers of equal rows, for every row value that occurs twice or more."""
    rows = np.ascontiguousarray(columns).view(f"V{columns.itemsize * columns.shape[1]}").ravel()
    _, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    groups = np.split(order, np.cumsum(counts)[:-1])
    return [group for group, count in zip(groups, counts.tolist(), strict=True) if count > 1]


class _Clusters:
    """Union-find whose every link is a verified pair of near-duplicates."""

    def __init__(self, shingles: Sequence[UInt32Array], signatures: UInt32Array) -> None:
        self.labels = np.arange(len(shingles))
        self._members: dict[int, list[int]] = {}
        self._shingles = shingles
        self._signatures = signatures
        self._unlike: set[tuple[int, int]] = set()

    def link(self, candidates: IntArray) -> None:
        """Join the near-duplicates among texts that met in a band; `candidates` ascend."""
        for place, text in enumerate(candidates[:-1].tolist()):
            others = candidates[place + 1 :]
            others = others[self.labels[others] != self.labels[text]]
            estimates = np.mean(self._signatures[others] == self._signatures[text], axis=1)
            for other in others[estimates >= THRESHOLD - _ESTIMATE_MARGIN].tolist():
                if self.labels[other] != self.labels[text] and self._alike(text, other):
                    self._join(int(self.labels[text]), int(self.labels[other]))

    def _alike(self, text: int, other: int) -> bool:
        if (text, other) in self._unlike:
            return False
        mine, theirs = self._shingles[text], self._shingles[other]
        common = len(np.intersect1d(mine, theirs, assume_unique=True))
        if common >= THRESHOLD * (len(mine) + len(theirs) - common):
            return True
        self._unlike.add((text, other))
        return False

    def _join(self, label: int, other: int) -> None:
        members = self._members.setdefault(label, [label])
        theirs = self._members.setdefault(other, [other])
        if len(members) < len(theirs):
            label, members, theirs, other = other, theirs, members, label
        members.extend(theirs)
        self.labels[theirs] = label
        del self._members[other]
