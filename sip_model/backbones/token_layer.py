"""Which one layer a token-level identifier reads."""

import re
from collections.abc import Sequence
from typing import Literal

from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.layers import resolve_layers
from sip_model.errors import BackboneError

TOKEN_LAYERS: dict[str, int] = {
    "pythia-70m": 5,
    "pythia-410m": 18,
    "pythia-1b": 12,
    "pythia-1.4b": 20,
    "pythia-2.8b": 26,
    "pythia-6.9b": 26,
    "pythia-12b": 28,
    "llama-2-7b": 26,
    "llama-2-13b": 32,
}
"""Model to the layer it is read at in arXiv 2407.12846, where 70m is read at 4 or 5."""

DEPTH = 0.8


def token_layer(choice: Literal["last", "auto", "all"] | Sequence[int], info: BackboneInfo) -> int:
    """The layer a choice means: `auto` is the published one where the backbone is in `TOKEN_LAYERS`, else
    the one nearest to 80 % of the depth.

    Raises:
        BackboneError: the choice means several layers, or one beyond the backbone.
    """
    if choice == "auto":
        published = _published(info.id)
        if published is not None and published <= info.num_layers:
            return published
        return round(DEPTH * info.num_layers)
    layers = resolve_layers(choice, info.num_layers)
    if len(layers) > 1:
        raise BackboneError(
            ("backbone", "layers"), "one layer for a token-level identifier", f"{len(layers)} layers"
        )
    return layers[0]


def _published(id: str) -> int | None:
    """Of an id such as `EleutherAI/pythia-70m-deduped` or `meta-llama/Llama-2-7b-chat-hf`."""
    name = id.rsplit("/", 1)[-1].lower()
    return next(
        (layer for model, layer in TOKEN_LAYERS.items() if re.fullmatch(rf"{re.escape(model)}(-.*)?", name)),
        None,
    )
