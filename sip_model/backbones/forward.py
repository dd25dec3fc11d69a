"""One forward pass that pools the states of several layers as they are made."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.pooling import Pool


class _DeepEnough(Exception):  # noqa: N818 - leaves the model early, no error
    """The deepest layer asked for has been read."""


@dataclass(slots=True, eq=False)
class _Pass:
    """What one forward pass reads."""

    wanted: frozenset[int]
    """Layers to pool from the blocks; the last layer is the model's own output, made after the blocks."""
    deepest: int
    mask: torch.Tensor
    pool: Pool
    start: int = 0
    """The layer that the first block to run reads."""
    layer: int = 0
    """The layer the last states seen belong to."""
    pooled: dict[int, torch.Tensor] = field(default_factory=dict)
    states: torch.Tensor | None = None
    """The last states seen, (B, T, D)."""

    def read(self, hidden: torch.Tensor) -> None:
        if self.layer in self.wanted:
            self.pooled[self.layer] = self.pool(hidden, self.mask)  # (B, D)
            if self.layer == self.deepest:
                raise _DeepEnough
        self.states = hidden


class LayerReader:
    """Reads layers of a model through hooks on its blocks.

    Hooks rather than `output_hidden_states`: that keeps the states of every layer until the end, and runs the
    layers above the deepest one asked for. Several threads may read at once; between reads the hooks do
    nothing.

    Args:
        model: an encoder or decoder without a task head, in evaluation mode.
        blocks: the modules that make layers 1, 2, ... when the model runs; in ALBERT one makes several.
        info: what is known of the model.
    """

    def __init__(self, model: nn.Module, blocks: Sequence[nn.Module], info: BackboneInfo) -> None:
        self._model = model
        self._info = info
        self._current = threading.local()
        for block in blocks:
            block.register_forward_pre_hook(self._before)
            block.register_forward_hook(self._after)

    def _before(self, _block: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        reading: _Pass | None = getattr(self._current, "reading", None)
        if reading is not None and reading.layer == reading.start:
            reading.read(args[0])

    def _after(
        self, _block: nn.Module, _args: object, output: torch.Tensor | tuple[torch.Tensor, ...]
    ) -> None:
        reading: _Pass | None = getattr(self._current, "reading", None)
        if reading is not None:
            reading.layer += 1
            reading.read(output[0] if isinstance(output, tuple) else output)

    @torch.inference_mode()
    def pooled_layers(
        self, ids: torch.Tensor, mask: torch.Tensor, layers: Sequence[int], pool: Pool
    ) -> torch.Tensor:
        """Pooled token states of several layers, for use without gradients.

        Args:
            ids: token ids, padded on the right, int64, (B, T).
            mask: 1 for a text's own tokens, 0 for padding, (B, T); an encoder's texts all have padding,
                or none has.
            layers: K layer numbers.
            pool: how token states become one vector.

        Returns:
            float32, (B, K, D).
        """
        return self.pooled_from(0, ids, mask, layers, pool)

    def pooled_from(
        self, start: int, ids: torch.Tensor, mask: torch.Tensor, layers: Sequence[int], pool: Pool
    ) -> torch.Tensor:
        """The same with gradients where they are asked for, in a model whose first blocks are skipped.

        Args:
            start: the layer that the first block to run reads; the blocks below it aren't the reader's.
            ids: as for :meth:`pooled_layers`, and so are `mask`, `layers` and `pool`.
        """
        info = self._info
        # A causal model's tokens never look at the padding, which comes after them.
        needs_mask = not info.is_causal and not bool(mask.all())
        arguments = {"use_cache": False} if info.is_causal else {}
        wanted = frozenset(layers) - {info.num_layers}
        reading = _Pass(wanted, max(layers), mask, pool, start, start)
        self._current.reading = reading
        try:
            output = self._model(input_ids=ids, attention_mask=mask if needs_mask else None, **arguments)
        except _DeepEnough:
            pass
        else:
            last = output.last_hidden_state  # (B, T, D)
            if last.shape[-1] != info.hidden_size and reading.states is not None:
                # Some OPT models project their output down to the width of their embeddings.
                last = reading.states
            reading.pooled[info.num_layers] = pool(last, mask)
        finally:
            self._current.reading = None
        return torch.stack([reading.pooled[layer] for layer in layers], dim=1)  # (B, K, D)
