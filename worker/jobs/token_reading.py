"""How a job's texts become token states: by one backbone at one layer, through the cache on disk."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_cache import TokenCache
from sip_model.backbones.token_layer import token_layer
from sip_model.backbones.token_states import TokenStates, extract_token_states
from worker.jobs.reading import BackboneReader


@dataclass
class TokenReader(BackboneReader):
    """One backbone of a token-level experiment; its `reading` has one layer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        layer = token_layer(self.config.layers, self._info)
        self.reading = replace(self.reading, layers=(layer,))

    def states(self, texts: Sequence[str]) -> StateStore:
        """The states of the texts' own tokens, on disk; reports what they cost as `system/*`."""
        reading, started = self.reading, time.perf_counter()
        cached = TokenCache(self.context.settings.features_dir).states(
            self._info,
            reading.dtype,
            texts,
            reading.layers[0],
            reading.max_tokens,
            self._compute_states,
            lambda done, total: self.context.progress("features", done, total, "texts"),
        )
        seconds = time.perf_counter() - started
        self.context.metric("system/features_cached", cached.num_hits, backbone=reading.id)
        self.context.metric("system/features_computed", cached.num_computed, backbone=reading.id)
        if cached.num_computed:
            self.context.metric(
                "system/tokens_per_second", cached.num_tokens_computed / seconds, backbone=reading.id
            )
        return cached.store

    def _compute_states(self, texts: list[str]) -> TokenStates:
        return extract_token_states(self._backbone(), texts, self.reading.layers[0], self.reading.max_tokens)
