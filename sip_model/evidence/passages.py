"""The training passages themselves, compressed, a block of them at a time."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

BLOCK_PASSAGES = 64

IntArray = npt.NDArray[np.int64]


class Passage(NamedTuple):
    """A training passage and where it stands."""

    document: str
    start: int
    end: int
    """Code points of the document."""
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """n passages in blocks of zlib-compressed JSON."""

    blocks: npt.NDArray[np.uint8]
    """All blocks, one after the other."""
    edges: IntArray
    """(blocks + 1,) where each begins."""

    @classmethod
    def build(cls, passages: Sequence[Passage]) -> Self:
        """Compress passages."""
        blocks = [
            zlib.compress(json.dumps(passages[start : start + BLOCK_PASSAGES]).encode(), 6)
            for start in range(0, len(passages), BLOCK_PASSAGES)
        ]
        edges = np.cumsum([0, *map(len, blocks)]).astype(np.int64)
        return cls(np.frombuffer(b"".join(blocks), np.uint8), edges)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        return cls(arrays["passages.blocks"].astype(np.uint8, copy=False), arrays["passages.edges"])  # type: ignore[arg-type]  # checked by sha256

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {"passages.blocks": self.blocks, "passages.edges": self.edges}

    def read(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """The passages of these numbers; each block they stand in is decompressed once."""
        found: dict[int, Passage] = {}
        for block, wanted in groupby(sorted(set(numbers)), lambda number: number // BLOCK_PASSAGES):
            content = self.blocks[self.edges[block] : self.edges[block + 1]].tobytes()
            rows = json.loads(zlib.decompress(content))
            found |= {number: Passage(*rows[number % BLOCK_PASSAGES]) for number in wanted}
        return found
