"""The networks over backbone features."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from sip_model.experiments.config import HeadName
from sip_model.identifiers.heads import build_head, head_widths


@pytest.mark.parametrize(
    ("head", "widths"),
    [
        ("linear", ()),
        ("tiny", (128,)),
        ("small", (256, 128)),
        ("medium", (512, 256, 128)),
        ("large", (1024, 512, 256, 128)),
        ((7, 5), (7, 5)),
    ],
)
def test_a_head_has_the_sizes_of_the_paper(head: HeadName | tuple[int, ...], widths: tuple[int, ...]) -> None:
    network = build_head(10, head_widths(head), 3, 0.0, torch.Generator())
    shapes = [layer.weight.shape for layer in network if isinstance(layer, nn.Linear)]
    edges = (10, *widths, 3)
    assert shapes == [torch.Size([after, before]) for before, after in pairwise(edges)]
    assert sum(isinstance(layer, nn.ReLU) for layer in network) == len(widths)
    assert network(torch.randn(4, 10)).shape == (4, 3)


def test_hidden_layers_start_orthogonal_with_gain_root_two() -> None:
    first = build_head(20, (12,), 3, 0.0, torch.Generator().manual_seed(0))[0]
    assert isinstance(first, nn.Linear)
    torch.testing.assert_close(first.weight @ first.weight.T, 2 * torch.eye(12), atol=1e-5, rtol=0)
    assert not first.bias.any()


def test_the_generator_alone_draws_the_weights() -> None:
    first = build_head(20, (12,), 3, -1.0, torch.Generator().manual_seed(5))
    torch.manual_seed(99)
    second = build_head(20, (12,), 3, -1.0, torch.Generator().manual_seed(5))
    for mine, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(mine, other)
