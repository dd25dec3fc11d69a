"""Channel selection on gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sip_model.analysis.saliency.channels import (
    conserved,
    modules_matching,
    selected,
    source_statistics,
    strongest,
    upper_half,
    welch_t,
)
from sip_model.identifiers.whitening import Whitening
from tests.sip_model.identifiers.clusters import make_clusters


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 1), scale=st.floats(1e-6, 1e3))
def test_the_variance_is_conserved_and_the_other_channels_are_zero(
    seed: int, share: float, scale: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    gradient = scale * torch.randn(3, 7, 20, generator=generator)
    kept = strongest(torch.randn(20, generator=generator), share)
    assert int(kept.sum()) == max(1, round(share * 20))
    found = conserved(gradient, kept)
    assert not found[..., ~kept].any()
    torch.testing.assert_close(found.var(correction=0), gradient.var(correction=0), rtol=1e-4, atol=0.0)
    ratio = found[..., kept] / gradient[..., kept]
    torch.testing.assert_close(ratio, ratio[0, 0, 0].expand_as(ratio), rtol=1e-4, atol=0.0)


def test_channels_without_any_gradient_give_none() -> None:
    gradient = torch.zeros(4, 2)
    gradient[:, 0] = torch.tensor([1.0, -1.0, 2.0, 0.0])
    assert not conserved(gradient, torch.tensor([False, True])).any()


def test_the_channels_of_a_class_have_the_largest_statistic() -> None:
    generator = torch.Generator().manual_seed(0)
    outside, inside = torch.randn(200, 30, generator=generator), torch.randn(40, 30, generator=generator)
    inside[:, 3] += 2
    inside[:, 17] -= 2
    inside[:, 5] = 1.0
    outside[:, 5] = 1.0  # always the same
    statistic = welch_t(inside, outside)
    assert statistic[5] == 0
    assert strongest(statistic, 2 / 30).nonzero().flatten().tolist() == [3, 17]


def test_the_statistics_of_a_source_are_those_of_its_activations() -> None:
    clusters = make_clusters(5, 60, 12, spread=2.0)
    features = torch.from_numpy(clusters.features) * torch.linspace(0.5, 3, 12)
    whitening = Whitening.fit(features, clusters.positives, 5)
    own = torch.from_numpy(clusters.labels) == 2
    found = source_statistics(whitening, whitening(features[own]).mean(dim=0))
    within = torch.stack(
        [
            features[torch.from_numpy(clusters.labels) == source].var(dim=0, correction=0)
            for source in range(5)
        ]
    ).mean(dim=0)
    shrunk = 0.9 * within + 0.1 * within.mean()
    torch.testing.assert_close(
        found, (features[own].mean(dim=0) - features.mean(dim=0)) / shrunk.sqrt(), rtol=1e-3, atol=1e-4
    )
    scaled = Whitening(whitening.mean, torch.full((12,), 0.5))
    torch.testing.assert_close(source_statistics(scaled, torch.ones(12)), torch.ones(12))


def test_gradients_of_any_model_pass_through_the_kept_channels_alone() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3))
    assert list(modules_matching(model, r"[02]")) == ["0", "2"]
    image = torch.randn(1, 1, 8, 8)
    kept = torch.tensor([True, False, False, False, False, False])
    # a sum of channel 1, which is not kept, and of channel 0, which is
    for channel, expected in ((1, False), (0, True)):
        leaf = image.clone().requires_grad_()
        with selected(model, {"2": kept}, dim=1):
            model(leaf)[0, channel].square().sum().backward()
        assert leaf.grad is not None
        assert bool(leaf.grad.any()) is expected
    assert not model[2]._forward_hooks


@pytest.mark.parametrize(("num_layers", "first"), [(6, 4), (5, 3), (12, 7), (1, 1)])
def test_the_upper_half_begins_above_the_middle(num_layers: int, first: int) -> None:
    assert list(upper_half(num_layers)) == list(range(first, num_layers + 1))
