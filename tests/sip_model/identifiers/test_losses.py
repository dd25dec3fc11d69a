"""The losses against those of torch on dense targets."""

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from sip_model.experiments.config import LossName, TrainingConfig
from sip_model.identifiers.fitting import FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.learners import HeadLearner
from sip_model.identifiers.losses import LOSSES, BinaryCode
from sip_model.identifiers.losses.binary_code import bit_signs
from sip_model.identifiers.positives import Positives
from tests.sip_model.identifiers.clusters import dense, make_clusters

NUM_SOURCES = 7
POSITIVES = Positives.from_lists([np.array(row) for row in ([2], [0, 6], [5], [1, 2, 3])])


def outputs(width: int = NUM_SOURCES) -> torch.Tensor:
    return (torch.randn(4, width, generator=torch.Generator().manual_seed(0)) * 5).requires_grad_()


def ours(loss: LossName, logits: torch.Tensor) -> torch.Tensor:
    return LOSSES[loss](logits, POSITIVES.index(np.arange(4), logits.device))


def test_bce_is_torchs_summed_over_sources_and_averaged_over_samples() -> None:
    logits, target = outputs(), dense(POSITIVES, NUM_SOURCES)
    theirs = binary_cross_entropy_with_logits(logits, target, reduction="sum") / 4
    torch.testing.assert_close(ours("bce", logits), theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours("bce", logits), logits), torch.autograd.grad(theirs, logits)
    )


def test_bce_of_a_sample_of_no_source_is_that_of_an_empty_target() -> None:
    nothing, logits = Positives.from_lists([np.zeros(0, np.int64)]), torch.randn(1, NUM_SOURCES)
    loss = LOSSES["bce"](logits, nothing.index(np.array([0]), logits.device))
    theirs = binary_cross_entropy_with_logits(logits, torch.zeros_like(logits), reduction="sum")
    torch.testing.assert_close(loss, theirs)


def test_ce_is_torchs_with_equal_shares_for_several_right_sources() -> None:
    logits, target = outputs(), dense(POSITIVES, NUM_SOURCES)
    theirs = cross_entropy(logits, target / target.sum(dim=1, keepdim=True))
    torch.testing.assert_close(ours("ce", logits), theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours("ce", logits), logits), torch.autograd.grad(theirs, logits)
    )


def test_binary_code_is_torchs_bce_on_the_bits() -> None:
    logits = outputs(3)
    expected = torch.zeros(())
    for row in range(4):
        sources = POSITIVES.pairs(np.array([row]))[1]
        for source in sources.tolist():
            bits = torch.tensor([source >> bit & 1 for bit in range(3)], dtype=torch.float32)
            expected = expected + binary_cross_entropy_with_logits(logits[row], bits, reduction="sum") / len(
                sources
            )
    torch.testing.assert_close(ours("binary_code", logits), expected / 4)


@pytest.mark.parametrize(
    ("num_sources", "num_bits"), [(2, 1), (3, 2), (4, 2), (5, 3), (1000, 10), (1024, 10)]
)
def test_every_source_is_the_first_choice_of_its_own_code(num_sources: int, num_bits: int) -> None:
    loss = BinaryCode()
    assert loss.num_outputs(num_sources) == num_bits
    codes = bit_signs(torch.arange(num_sources), num_bits)
    logits = loss.logits(codes * 4, num_sources)  # (C, C)
    assert torch.equal(logits.argmax(dim=1), torch.arange(num_sources))


def test_the_codes_probabilities_are_those_of_independent_bits() -> None:
    logits = BinaryCode().logits(outputs(3).detach(), 8)
    torch.testing.assert_close(logits.exp().sum(dim=1), torch.ones(4))


@pytest.mark.parametrize(("loss", "probability"), [("bce", 1 / 1000), ("ce", 1 / 1000)])
def test_an_untrained_head_answers_with_the_base_rate(loss: LossName, probability: float) -> None:
    bias = LOSSES[loss].output_bias(1000)
    head = build_head(8, (16,), 1000, bias, torch.Generator().manual_seed(0))
    logits = LOSSES[loss].logits(head(torch.randn(5, 8)), 1000)
    found = torch.sigmoid(logits) if loss == "bce" else logits.softmax(dim=1)
    torch.testing.assert_close(found, torch.full((5, 1000), probability))


def _accuracy_after_one_epoch(output_bias: float) -> float:
    clusters = make_clusters(1000, 8, 48, spread=1.0)
    train, validation = clusters.rows((0, 1, 2), of=4), clusters.rows((3,), of=4)
    features, loss = torch.from_numpy(clusters.features), LOSSES["bce"]
    head = build_head(48, (128,), 1000, output_bias, torch.Generator().manual_seed(0))
    learner = HeadLearner(features, head, loss, clusters.positives, TrainingConfig())
    fit(
        learner,
        train,
        validation,
        epochs=1,
        patience=1,
        batch_size=64,
        seed=0,
        state=FitState(),
        on_epoch=lambda _: None,
    )
    with torch.no_grad():
        best = head(features[torch.from_numpy(validation)]).argmax(dim=1).numpy()
    return float((best == clusters.labels[validation]).mean())


def test_one_pass_of_bce_learns_a_thousand_sources_better_with_the_bias() -> None:
    with_bias = _accuracy_after_one_epoch(LOSSES["bce"].output_bias(1000))
    without = _accuracy_after_one_epoch(0.0)
    assert with_bias > 0.3
    assert with_bias > 1.5 * without
