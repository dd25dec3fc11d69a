"""Texts that are the same, or nearly: exact ones by their normal form, near ones by MinHash."""

import zlib
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from sip_model.corpora.chunking import IntArray
from sip_model.kept import NOT_KEPT, KeptResults, texts_sha256

THRESHOLD = 0.8
"""Jaccard similarity of the shingles from which two texts count as near-duplicates."""
NUM_BANDS, BAND_WIDTH = 16, 4
"""Two texts meet in a band with probability 1 - (1 - s^4)^16: 0.9998 at similarity 0.8."""

VERSION = 1
"""Raise it when the same texts come to be clustered differently."""

Shingles = frozenset[int]


def normal_form(text: str) -> str:
    """`text` without what doesn't make it another text: case and the kind and amount of white space."""
    return " ".join(text.casefold().split())


def first_of_equals(texts: Sequence[str]) -> IntArray:
    """For each of n texts, the number of the first text with the same normal form, (n,)."""
    firsts: dict[str, int] = {}
    return np.array(
        [firsts.setdefault(normal_form(text), number) for number, text in enumerate(texts)], np.int64
    )


def near_duplicate_clusters(texts: Sequence[str], kept: KeptResults = NOT_KEPT) -> IntArray:
    """A cluster number for each of n texts, (n,): texts linked by near-duplicates share one.

    Candidates come from MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of
    Massive Datasets*, ch. 3); each pair is then held against `THRESHOLD` by its true Jaccard similarity,
    since an estimate from 64 hashes misses pairs near it. Shingles are three words, or four characters in
    texts of fewer than eight words. The hash functions are fixed: the same texts give the same clusters.

    Args:
        texts: n texts.
        kept: where the clusters are found again: experiments on other backbones ask for the same.
    """
    address = [version("datasketch"), VERSION, texts_sha256(texts)]
    return kept.numbers("clusters", address, lambda: _found_clusters(texts))


def _found_clusters(texts: Sequence[str]) -> IntArray:
    # only here, so that corpora can be read where this library is missing
    from datasketch import MinHash, MinHashLSH

    shingles = [_shingles(text) for text in texts]
    num_hashes = NUM_BANDS * BAND_WIDTH
    index = MinHashLSH(num_perm=num_hashes, params=(NUM_BANDS, BAND_WIDTH))
    clusters = _Clusters(len(texts))
    for text, signature in enumerate(MinHash.generator(shingles, num_perm=num_hashes, hashfunc=int)):
        for other in clusters.apart(text, np.array(sorted(index.query(signature)), np.int64)):
            if not clusters.are_joined(text, other) and _alike(shingles[text], shingles[other]):
                clusters.join(text, other)
        index.insert(text, signature, check_duplication=False)
    return clusters.labels


def _shingles(text: str) -> Shingles:
    """32-bit hashes of the distinct shingles of a text."""
    words = normal_form(text).split(" ")
    if len(words) >= 8:
        pieces = {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}
    else:
        letters = " ".join(words)
        pieces = {letters[i : i + 4] for i in range(max(1, len(letters) - 3))}
    return frozenset(zlib.crc32(piece.encode("utf-8", "surrogatepass")) for piece in pieces)


def _alike(mine: Shingles, theirs: Shingles) -> bool:
    common = len(mine & theirs)
    return common >= THRESHOLD * (len(mine) + len(theirs) - common)


class _Clusters:
    """Disjoint sets of texts; an array of labels tells in one step which of many are apart."""

    def __init__(self, size: int) -> None:
        self.labels = np.arange(size)
        self._members: dict[int, list[int]] = {}

    def apart(self, text: int, others: IntArray) -> list[int]:
        """Those of `others` that are not in the text's cluster."""
        apart: list[int] = others[self.labels[others] != self.labels[text]].tolist()
        return apart

    def are_joined(self, text: int, other: int) -> bool:
        """Whether two texts are in one cluster."""
        return bool(self.labels[text] == self.labels[other])

    def join(self, text: int, other: int) -> None:
        """Make one cluster of two."""
        label, absorbed = int(self.labels[text]), int(self.labels[other])
        members = self._members.setdefault(label, [label])
        theirs = self._members.setdefault(absorbed, [absorbed])
        if len(members) < len(theirs):
            label, members, theirs, absorbed = absorbed, theirs, members, label
        members.extend(theirs)
        self.labels[theirs] = label
        del self._members[absorbed]
