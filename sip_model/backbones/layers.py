"""Which layers of a backbone are read."""

from collections.abc import Sequence
from typing import Literal

from sip_model.errors import BackboneError

NUM_AUTO_LAYERS = 4


def resolve_layers(
    choice: Literal["last", "auto", "all"] | Sequence[int], num_layers: int
) -> tuple[int, ...]:
    """Layer numbers for a choice of layers; 0 is the embeddings, `num_layers` the model's own output.

    Args:
        choice: ``last``; ``auto`` (four evenly spaced ones, embeddings and last included); ``all``;
            or layer numbers, kept in their order.
        num_layers: transformer blocks of the backbone (L).

    Raises:
        BackboneError: a number beyond the model, or one given twice.

    Example:
        >>> resolve_layers("auto", 6)
        (0, 2, 4, 6)
    """
    if choice == "last":
        return (num_layers,)
    if choice == "all":
        return tuple(range(num_layers + 1))
    if choice == "auto":
        steps = NUM_AUTO_LAYERS - 1
        # Halves are rounded up, so that the answer doesn't hang on the parity of the number before them.
        return tuple(
            sorted({(2 * step * num_layers + steps) // (2 * steps) for step in range(NUM_AUTO_LAYERS)})
        )
    layers: list[int] = []
    for position, layer in enumerate(choice):
        if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer <= num_layers:
            raise BackboneError(
                ("backbone", "layers", position),
                f"a layer from 0 (embeddings) to {num_layers} (last)",
                repr(layer),
            )
        if layer in layers:
            raise BackboneError(("backbone", "layers", position), "each layer once", f"{layer} again")
        layers.append(layer)
    if not layers:
        raise BackboneError(("backbone", "layers"), "at least one layer", "none")
    return tuple(layers)
