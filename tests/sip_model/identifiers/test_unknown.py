"""What is taken for unknown."""

import numpy as np
import pytest
from scipy.special import logsumexp

from sip_model.identifiers.signs import LOGIT_SIGNS, logit_signs
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR, Array, UnknownModel

SIGNS = ("energy", "novelty", "noise")


def drawn(*means: float, seed: int, rows: int = 400) -> Array:
    return np.random.default_rng(seed).normal(means, (1.0, 0.1, 5.0), (rows, 3))


KNOWN = drawn(0.0, 0.2, 7.0, seed=0)
STRANGERS = drawn(1.5, 0.25, 7.0, seed=1)
BACKGROUND = drawn(0.0, 0.9, 7.0, seed=2)
MODEL = UnknownModel.fit(SIGNS, KNOWN, [STRANGERS, BACKGROUND])
LINK = UnknownModel.link(SIGNS, KNOWN)


def test_each_sign_counts_for_what_it_tells() -> None:
    assert MODEL.weights[0] > 0.5
    assert MODEL.weights[1] > 0.5
    assert abs(MODEL.weights[2]) < 0.3


@pytest.mark.parametrize("group", [(1.5, 0.25, 7.0), (0.0, 0.9, 7.0)])
def test_new_texts_of_either_group_are_less_known_than_known_ones(group: tuple[float, float, float]) -> None:
    known, unknown = MODEL.probability(drawn(0.0, 0.2, 7.0, seed=3)), MODEL.probability(drawn(*group, seed=4))
    assert (unknown[:, None] > known).mean() > 0.8


@pytest.mark.parametrize("model", [MODEL, LINK], ids=["fitted", "link"])
def test_the_operating_point_rejects_one_in_twenty_known_texts(model: UnknownModel) -> None:
    rejected = model.probability(drawn(0.0, 0.2, 7.0, seed=5, rows=20_000)) >= model.threshold
    assert rejected.mean() == pytest.approx(0.05, abs=0.03)
    assert (model.probability(KNOWN) >= model.threshold).mean() <= 0.05


def test_too_few_known_texts_for_an_operating_point_reject_none() -> None:
    assert UnknownModel.fit(SIGNS, KNOWN[:10], [STRANGERS]).threshold == 1


def test_moved_to_another_identifier_its_own_normal_counts() -> None:
    moved = MODEL.moved_to(KNOWN * [2, 1, 1] + [100, 0, 0])
    expected = MODEL.log_ratio(STRANGERS)
    np.testing.assert_allclose(moved.log_ratio(STRANGERS * [2, 1, 1] + [100, 0, 0]), expected)
    assert moved.threshold == pytest.approx(MODEL.threshold)


def test_the_more_often_texts_are_unknown_the_likelier_each_is() -> None:
    rare, usual, often = (MODEL.probability(KNOWN, prior) for prior in (0.001, DEFAULT_UNKNOWN_PRIOR, 0.9))
    assert (rare < usual).all()
    assert (usual < often).all()


def test_priors_of_nothing_and_everything_are_taken_at_their_word() -> None:
    for model in (MODEL, LINK):
        assert not model.probability(KNOWN, 0.0).any()
        assert (model.probability(KNOWN, 1.0) == 1).all()


def test_the_link_gives_a_likelihood_ratio_that_averages_one_over_known_texts() -> None:
    assert np.exp(LINK.log_ratio(KNOWN)).mean() == pytest.approx(1)


def test_a_sign_that_never_changes_does_no_harm() -> None:
    constant = np.column_stack([KNOWN, np.ones(len(KNOWN))])
    fitted = UnknownModel.fit((*SIGNS, "constant"), constant, [np.column_stack([STRANGERS, np.ones(400)])])
    assert np.isfinite(fitted.log_ratio(constant)).all()


def test_all_signs_of_logits_rise_as_no_source_stands_out() -> None:
    sure, torn, lost = logit_signs(np.array([[9.0, -3, -3], [9, 8.5, -3], [-4, -4.1, -4]]))
    assert dict(zip(LOGIT_SIGNS, sure.tolist(), strict=True))["energy"] == -logsumexp([9.0, -3, -3])
    assert (lost > sure).all()
    assert (torn >= sure)[2:].all()
