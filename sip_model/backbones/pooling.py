"""How the token states of a text become one vector."""

from collections.abc import Callable

import torch

from sip_model.errors import BackboneError

Pool = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def mean_pooling(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over a text's tokens, special tokens included, summed in float32.

    Args:
        hidden: token states, (B, T, D).
        mask: 1 for a text's own tokens, 0 for padding, (B, T).

    Returns:
        float32, (B, D).
    """
    weights = mask.float().unsqueeze(-1)  # (B, T, 1)
    # Padding is zeroed rather than multiplied: a fully masked position may hold NaN.
    states = hidden.float().masked_fill(weights == 0, 0.0)  # (B, T, D)
    return states.sum(1) / weights.sum(1)  # (B, D)


def last_pooling(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """State of a text's last own token, which has read all the others in a causal backbone.

    Args:
        hidden: token states, (B, T, D).
        mask: 1 for a text's own tokens, 0 for padding on the right, (B, T).

    Returns:
        float32, (B, D).
    """
    last = mask.sum(1).long() - 1  # (B,)
    return hidden[torch.arange(len(hidden), device=hidden.device), last].float()  # (B, D)


def cls_pooling(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    """State of the first token, the [CLS] of an encoder.

    Args:
        hidden: token states, (B, T, D).
        mask: not looked at.

    Returns:
        float32, (B, D).
    """
    return hidden[:, 0].float()  # (B, D)


POOLINGS: dict[str, Pool] = {"mean": mean_pooling, "last": last_pooling, "cls": cls_pooling}


def pooling_of(name: str) -> Pool:
    """The pooling registered as `name`.

    Raises:
        BackboneError: no such pooling.
    """
    if name not in POOLINGS:
        raise BackboneError(("backbone", "pooling"), f"one of {', '.join(POOLINGS)}", repr(name[:40]))
    return POOLINGS[name]
