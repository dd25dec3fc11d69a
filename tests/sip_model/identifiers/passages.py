"""Made-up passages of token states, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.backbones.state_store import StateSegment, StateStore
from sip_model.corpora.selection import Kept
from sip_model.corpora.split import PARTS, deal_parts
from sip_model.experiments.config import SplitConfig
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.token_rows import TokenRows, deal_positions
from sip_model.identifiers.token_train import TokenData
from tests.sip_model.identifiers.clusters import one_each

FloatArray = npt.NDArray[np.float32]
SHARES = (0.6, 0.1, 0.1, 0.2)


def make_store(states: FloatArray, lengths: Sequence[int]) -> StateStore:
    """A store of states (tokens, D) of passages of these lengths, in two segments."""
    bits = torch.from_numpy(states).bfloat16().view(torch.int16).numpy()
    half = len(lengths) // 2
    num_tokens = sum(lengths[:half])
    segments = [
        StateSegment(np.array(lengths[:half], np.int64), bits[:num_tokens], None),
        StateSegment(np.array(lengths[half:], np.int64), bits[num_tokens:], None),
    ]
    return StateStore(segments, states.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """Passages of C sources, one source each."""

    store: StateStore
    labels: IntArray
    """(P,)"""
    places: IntArray
    """(P,) number of the passage within its document, a document per source."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Names."""
        return tuple(f"source {number}" for number in range(int(self.labels.max()) + 1))

    @property
    def positives(self) -> Positives:
        """Of the passages."""
        return one_each(self.labels)

    def rows(self, ngram: int) -> tuple[TokenRows, IntArray]:
        """All rows of n tokens."""
        rows = TokenRows(self.store, ngram)
        return rows, rows.of(np.arange(len(self.labels)))

    def dealt(self, ngram: int, by: str) -> tuple[TokenData, IntArray]:
        """The rows dealt by `block` or `position` as a job deals them, and those of the test part."""
        rows, numbers = self.rows(ngram)
        if by == "position":
            parts = deal_positions(numbers, SHARES, seed=0)
        else:
            kept = Kept(self.labels, self.places, self.labels)
            parts = deal_parts(kept, SplitConfig(), seed=0)[rows.passages(numbers)]
        train, validation, calibration, test = (numbers[parts == part] for part in range(len(PARTS)))
        return TokenData(rows, self.positives, self.sources, train, validation, calibration), test


def make_passages(
    num_sources: int, per_source: int, tokens: int, num_features: int, *, spread: float = 1.0, seed: int = 0
) -> Passages:
    """Each source's tokens scatter around a centre of its own."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(num_sources, num_features))
    labels = np.repeat(np.arange(num_sources), per_source)
    noise = generator.normal(size=(len(labels) * tokens, num_features))
    states = centres[np.repeat(labels, tokens)] + spread * noise
    places = np.tile(np.arange(per_source), num_sources)
    return Passages(make_store(states.astype(np.float32), [tokens] * len(labels)), labels, places)


def make_wandering_passages(
    num_sources: int, per_source: int, tokens: int, num_features: int, *, memory: float, seed: int = 0
) -> Passages:
    """Every source's document is the same first-order autoregressive process, cut into passages: a state
    keeps the share `memory` of the one before, and nothing tells one source from another."""
    generator = np.random.default_rng(seed)
    states = np.empty((num_sources, per_source * tokens, num_features))
    state = generator.normal(size=(num_sources, num_features))
    for token in range(states.shape[1]):
        state = memory * state + np.sqrt(1 - memory**2) * generator.normal(size=state.shape)
        states[:, token] = state
    labels = np.repeat(np.arange(num_sources), per_source)
    flat = states.reshape(-1, num_features).astype(np.float32)
    places = np.tile(np.arange(per_source), num_sources)
    return Passages(make_store(flat, [tokens] * len(labels)), labels, places)
