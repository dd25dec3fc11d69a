"""Gradient x input of the tokens of one text, through a backbone as deep as it is read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sip_model.analysis.saliency.channels import conserved
from sip_model.backbones.load import Backbone
from sip_model.backbones.pooling import Pool, pooling_of

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class EncodedText(NamedTuple):
    """A text as a backbone reads it."""

    ids: torch.Tensor
    """(1, T) int64, special tokens included."""
    is_own: npt.NDArray[np.bool_]
    """(T,) whether a token stands for characters of the text."""
    offsets: IntArray
    """(T, 2) start and end of each token in code points of the text."""


def encode_text(backbone: Backbone, text: str, max_tokens: int) -> EncodedText:
    """One text with the places of its tokens; longer ones lose the tokens at their end."""
    encoding = backbone.tokenizer_for(max_tokens).encode(text)
    ids = encoding.ids or [backbone.end_token]
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    is_own = (np.array(encoding.special_tokens_mask) == 0) & (offsets[:, 1] > offsets[:, 0])
    if not encoding.ids:
        offsets, is_own = np.zeros((1, 2), dtype=np.int64), np.zeros(1, dtype=np.bool_)
    return EncodedText(torch.tensor([ids], device=backbone.device), is_own, offsets)


class TracedText:
    """The features of one text, with what it takes to differentiate them by its token embeddings.

    A forward pass is made once; each call of :meth:`gradient_times_input` is one backward pass. Nobody else
    may use the backbone while the object is made.

    Args:
        backbone: its weights get no gradients.
        text: encoded.
        layers: K layer numbers.
        pooling: how token states become one vector.
    """

    def __init__(self, backbone: Backbone, text: EncodedText, layers: Sequence[int], pooling: str) -> None:
        self._gates: dict[int, torch.Tensor] = {}
        mask = torch.ones_like(text.ids)
        with torch.enable_grad(), _leaf(backbone.model.get_input_embeddings()) as leaves:
            pooled = backbone.reader.pooled_from(
                0, text.ids, mask, layers, self._gated(pooling_of(pooling), sorted(layers))
            )
        self.features = pooled.flatten(1)
        """(1, K · D), the layers side by side."""
        self._inputs = leaves[0]  # (1, T, E)

    def gradient_times_input(
        self, value: torch.Tensor, kept: Mapping[int, torch.Tensor] | None = None
    ) -> Array:
        """``Σ_d x_td ∂value/∂x_td`` of every token, (T,).

        Args:
            value: a scalar made from `features`.
            kept: by layer read, which of its channels let the gradient through, (D,) bool; see
                :func:`sip_model.analysis.saliency.channels.conserved`.
        """
        self._gates = dict(kept or {})
        try:
            (gradient,) = torch.autograd.grad(value, self._inputs, retain_graph=True)
        finally:
            self._gates = {}
        products = (gradient.double() * self._inputs.detach().double()).sum(dim=-1)  # (1, T)
        return products[0].cpu().numpy()

    def _gated(self, pool: Pool, layers: Sequence[int]) -> Pool:
        """The pooling, which meets the states of the layers read from the lowest up: it sets their gates."""
        rising = iter(layers)

        def pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            layer = next(rising)

            def gate(gradient: torch.Tensor) -> torch.Tensor:
                kept = self._gates.get(layer)
                return gradient if kept is None else conserved(gradient, kept)

            hidden.register_hook(gate)  # type: ignore[no-untyped-call]  # torch's
            return pool(hidden, mask)

        return pooled


@contextmanager
def _leaf(embeddings: nn.Module) -> Iterator[list[torch.Tensor]]:
    """While it lasts, what the embeddings give is where gradients end; the list holds it."""
    leaves: list[torch.Tensor] = []

    def cut(_module: nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor:
        leaves.append(output.detach().requires_grad_())
        return leaves[-1]

    handle = embeddings.register_forward_hook(cut)
    try:
        yield leaves
    finally:
        handle.remove()
