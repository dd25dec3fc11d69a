"""The small networks over backbone features."""

import math

import torch
from torch import nn

from sip_model.experiments.config import HeadName

HEAD_SIZES: dict[HeadName, tuple[int, ...]] = {
    "linear": (),
    "tiny": (128,),
    "small": (256, 128),
    "medium": (512, 256, 128),
    "large": (1024, 512, 256, 128),
}


def head_widths(head: HeadName | tuple[int, ...]) -> tuple[int, ...]:
    """Hidden layer widths of a head named or spelled out."""
    return head if isinstance(head, tuple) else HEAD_SIZES[head]


def build_head(
    num_features: int,
    widths: tuple[int, ...],
    num_outputs: int,
    output_bias: float,
    generator: torch.Generator,
) -> nn.Sequential:
    """A multilayer perceptron (B, D) -> (B, K) with ReLU between its layers.

    Hidden layers start orthogonal with gain √2 (arXiv 2407.12846); the output layer starts at zero weights
    and the given bias, so that an untrained head answers with the base rate.

    Args:
        num_features: D.
        widths: of the hidden layers; none for a linear head.
        num_outputs: K.
        output_bias: see :meth:`sip_model.identifiers.losses.base.Loss.output_bias`.
        generator: draws the hidden weights.
    """
    layers: list[nn.Module] = []
    width = num_features
    for hidden in widths:
        linear = nn.Linear(width, hidden)
        nn.init.orthogonal_(linear.weight, gain=math.sqrt(2), generator=generator)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
        width = hidden
    output = nn.Linear(width, num_outputs)
    nn.init.zeros_(output.weight)
    nn.init.constant_(output.bias, output_bias)
    return nn.Sequential(*layers, output)
