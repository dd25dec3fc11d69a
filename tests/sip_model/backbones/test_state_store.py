"""States mapped from a file, and the memory that they take."""

import mmap

import numpy as np
import pytest
import torch

from sip_model.backbones import state_store
from sip_model.backbones.state_store import StateSegment, StateStore

NUM_TOKENS, HIDDEN_SIZE = 4096, 8


class CountedMapping(mmap.mmap):
    """Counts how often its pages were let go."""

    num_releases = 0

    def madvise(self, option: int, start: int = 0, length: int | None = None) -> None:
        assert option == mmap.MADV_DONTNEED
        assert (start, length) == (0, None)
        self.num_releases += 1


@pytest.mark.parametrize(("max_bytes", "num_releases"), [(NUM_TOKENS * HIDDEN_SIZE * 2, 0), (1, 2)])
def test_pages_of_large_stores_alone_go_after_each_use(
    monkeypatch: pytest.MonkeyPatch, max_bytes: int, num_releases: int
) -> None:
    monkeypatch.setattr(state_store, "MAX_MAPPED_BYTES", max_bytes)
    mapping = CountedMapping(-1, NUM_TOKENS * HIDDEN_SIZE * 2)
    states = np.frombuffer(mapping, np.int16).reshape(NUM_TOKENS, HIDDEN_SIZE)
    states[:] = np.arange(NUM_TOKENS)[:, None]
    store = StateStore([StateSegment(np.array([NUM_TOKENS]), states, mapping)], HIDDEN_SIZE)
    for first in (0, 3000):
        tokens = np.arange(first, first + 1000)
        found = store.read(tokens[:, None]).view(torch.int16)  # (1000, D)
        assert (found.numpy() == tokens[:, None]).all()
    assert mapping.num_releases == num_releases
