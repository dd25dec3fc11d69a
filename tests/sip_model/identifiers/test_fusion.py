"""How branches add up."""

import math

import numpy as np
import torch
from torch.nn.functional import softplus

from sip_model.identifiers.fusion import Fusion
from tests.sip_model.identifiers.clusters import dense, one_each

NUM_SAMPLES, NUM_SOURCES = 300, 8
LABELS = np.random.default_rng(0).integers(NUM_SOURCES, size=NUM_SAMPLES)
POSITIVES = one_each(LABELS)


def branch(signal: float, scale: float = 1.0, seed: int = 1) -> torch.Tensor:
    """Noise with a bonus for the right source, (n, C) float32."""
    logits = np.random.default_rng(seed).normal(size=(NUM_SAMPLES, NUM_SOURCES))
    logits[np.arange(NUM_SAMPLES), LABELS] += signal
    return torch.from_numpy((scale * logits).astype(np.float32))


def accuracy(logits: torch.Tensor) -> float:
    return float((logits.argmax(dim=1).numpy() == LABELS).mean())


def test_the_better_branch_weighs_more_and_noise_next_to_nothing() -> None:
    good, weak, noise = branch(3), branch(1, seed=2), branch(0, seed=3)
    fusion = Fusion.fit(torch.stack([good, weak, noise]), POSITIVES)
    assert fusion.weights[0] > fusion.weights[1] > 0
    assert abs(fusion.weights[2]) < 0.15 * fusion.weights[0]
    assert accuracy(fusion(torch.stack([good, weak, noise]))) >= accuracy(good)


def test_the_scale_of_a_branch_makes_no_difference() -> None:
    plain = torch.stack([branch(2), branch(1, seed=2)])
    scaled = torch.stack([branch(2, scale=1e4), branch(1, scale=1e-2, seed=2)])
    mine, theirs = Fusion.fit(plain, POSITIVES)(plain), Fusion.fit(scaled, POSITIVES)(scaled)
    torch.testing.assert_close(mine, theirs, atol=0.02, rtol=0.01)


def test_the_sigmoids_are_the_best_that_scale_and_bias_can_do() -> None:
    branches = torch.stack([branch(2), branch(1, seed=2)])
    fused = Fusion.fit(branches, POSITIVES)(branches)
    target = dense(POSITIVES, NUM_SOURCES)

    def loss(logits: torch.Tensor) -> float:
        return float((softplus(logits) - target * logits).sum() / NUM_SAMPLES)

    least = loss(fused)
    for slope, shift in ((1.05, 0.0), (0.95, 0.0), (1.0, 0.05), (1.0, -0.05)):
        assert loss(slope * fused + shift) > least


def test_a_branch_that_says_the_same_of_all_sources_changes_nothing() -> None:
    good, constant = branch(2), torch.full((NUM_SAMPLES, NUM_SOURCES), -math.log(NUM_SOURCES - 1))
    alone = Fusion.fit(good[None], POSITIVES)
    both = Fusion.fit(torch.stack([constant, good]), POSITIVES)
    assert max(map(abs, (*both.weights, both.bias))) < 100
    torch.testing.assert_close(both(torch.stack([constant, good])), alone(good[None]), atol=0.01, rtol=0.01)


def test_perfectly_separated_sources_keep_the_weights_finite() -> None:
    perfect = 2 * dense(POSITIVES, NUM_SOURCES) - 1
    fusion = Fusion.fit(torch.stack([perfect, branch(1)]), POSITIVES)
    assert max(map(abs, (*fusion.weights, fusion.bias))) < 1000
    assert accuracy(fusion(torch.stack([perfect, branch(1)]))) == 1
