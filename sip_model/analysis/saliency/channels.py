"""Gradients through the channels that matter: the others are zeroed, the variance is kept.

Many small signals drown few strong ones: summed over all channels of a layer, the gradients of those that
have nothing to do with a source may outweigh those of the few that do. So in the upper half of the layers
only channels whose activations differ by source let the gradient through.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from sip_model.identifiers.whitening import Whitening


def upper_half(num_layers: int) -> range:
    """Layers above the middle of a model of L blocks, the last included: those a selection applies to."""
    return range(num_layers // 2 + 1, num_layers + 1)


def welch_t(inside: torch.Tensor, outside: torch.Tensor) -> torch.Tensor:
    """Welch's t statistic of every channel between the activations of a class and all others, (D,).

    Args:
        inside: (n, D) activations of samples of the class, n at least 2.
        outside: (m, D) of all other samples, m at least 2.
    """
    difference = inside.mean(dim=0) - outside.mean(dim=0)
    squares = inside.var(dim=0) / len(inside) + outside.var(dim=0) / len(outside)
    # a channel that never changes tells nothing apart
    return torch.where(squares > 0, difference / squares.clamp_min(1e-30).sqrt(), torch.zeros_like(squares))


def source_statistics(whitening: Whitening, centroid: torch.Tensor) -> torch.Tensor:
    """How far a source's mean activation stands from that of all samples, in standard deviations within
    sources, channel by channel, (D,): a t statistic with pooled variance but for the root of the number of
    samples, which is the same for all channels.

    Args:
        whitening: fitted on the training samples; holds the covariance within sources.
        centroid: (D,) of the source's whitened features.
    """
    if whitening.transform.dim() == 1:
        return centroid
    identity = torch.eye(len(centroid), dtype=centroid.dtype, device=centroid.device)
    back = torch.linalg.solve_triangular(whitening.transform, identity, upper=True)  # A⁻¹, Σ_w = A⁻ᵀ A⁻¹
    statistic: torch.Tensor = (centroid @ back) / back.square().sum(dim=0).sqrt()
    return statistic


def strongest(statistic: torch.Tensor, share: float) -> torch.Tensor:
    """Which channels have the largest statistic either way, (D,) bool; at least one.

    Args:
        statistic: (D,) of a test of every channel.
        share: of the channels that are kept, above 0 to 1.
    """
    count = max(1, round(share * len(statistic)))
    kept = torch.zeros(len(statistic), dtype=torch.bool, device=statistic.device)
    kept[statistic.abs().topk(count).indices] = True
    return kept


def conserved(gradient: torch.Tensor, kept: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """A gradient with the other channels zeroed, scaled so that its variance over all entries stays the same.

    Args:
        gradient: of any shape with D entries along `dim`.
        kept: (D,) bool.
        dim: where the channels are.

    Returns:
        A tensor of the same shape; all zeros where the kept channels carry no gradient.
    """
    shape = [1] * gradient.dim()
    shape[dim] = len(kept)
    zeroed = gradient.float() * kept.view(shape)
    remaining = zeroed.var(correction=0)
    scale = (gradient.float().var(correction=0) / remaining.clamp_min(1e-38)).sqrt()
    return torch.where(remaining > 0, zeroed * scale, zeroed).to(gradient.dtype)


def modules_matching(model: nn.Module, pattern: str) -> dict[str, nn.Module]:
    """The modules whose whole dotted name fits a regular expression, in the model's order.

    Example:
        >>> list(modules_matching(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), r"0|1"))
        ['0', '1']
    """
    return {name: module for name, module in model.named_modules() if re.fullmatch(pattern, name)}


@contextmanager
def selected(model: nn.Module, kept: Mapping[str, torch.Tensor], dim: int = -1) -> Iterator[None]:
    """While it lasts, gradients flow back through the kept channels of some modules' outputs alone.

    Args:
        model: any model.
        kept: by name of the module, (D,) bool; see :func:`modules_matching`.
        dim: of the channels in the outputs: -1 in transformers, 1 in convolutions.
    """

    with ExitStack() as stack:
        for name, mask in kept.items():
            stack.enter_context(model.get_submodule(name).register_forward_hook(_gate(mask, dim)))
        yield


def _gate(mask: torch.Tensor, dim: int) -> Callable[[nn.Module, object, object], None]:
    """A forward hook that sets a gate on the gradient of a module's output."""

    def set_gate(_module: nn.Module, _args: object, output: object) -> None:
        states = output[0] if isinstance(output, tuple) else output
        if isinstance(states, torch.Tensor) and states.requires_grad:
            states.register_hook(lambda gradient: conserved(gradient, mask, dim))  # type: ignore[no-untyped-call]  # torch's

    return set_gate
