"""Telling texts of no known source."""

import math

import numpy as np
import pytest

from sip_model.analysis.open_set import score_decisions, score_detection, score_selection

YES, NO = True, False


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    unknown = np.array([0.1, 0.6, 0.4, 0.9])
    assert score_detection(unknown, np.array([NO, NO, YES, YES]))["auroc_unknown"] == 0.75


def test_the_false_positive_rate_is_taken_where_nineteen_of_twenty_are_found() -> None:
    unknown = np.concatenate([np.linspace(0.3, 1, 20), [0.0, 0.1, 0.32, 0.9]])
    found = score_detection(unknown, np.repeat([YES, NO], [20, 4]))
    assert found["fpr95_unknown"] == 0.25  # one may be missed, the threshold is at 0.337
    perfect = score_detection(np.array([0.1, 0.9]), np.array([NO, YES]))
    assert perfect == {"auroc_unknown": 1, "aupr_unknown": 1, "fpr95_unknown": 0}


def test_decisions_are_counted() -> None:
    right = np.array([YES, YES, NO, YES, NO, NO])
    is_unknown = np.array([NO, NO, NO, NO, YES, YES])
    known = np.array([YES, YES, YES, NO, YES, NO])
    found = score_decisions(right, is_unknown, known)
    assert found["false_rejections"] == 0.25
    assert found["false_acceptances"] == 0.5
    assert found["c_at_1"] == pytest.approx((2 + 2 * 2 / 6) / 6)
    assert found["f05u"] == pytest.approx(2.5 / (2.5 + 0.25 + 2))


def test_where_all_texts_are_known_nothing_is_said_of_unknown_ones() -> None:
    found = score_decisions(np.array([YES, NO]), np.array([NO, NO]), np.array([YES, YES]))
    assert math.isnan(found["false_acceptances"])
    assert (found["false_rejections"], found["c_at_1"]) == (0, 0.5)


def test_risk_is_averaged_over_how_many_texts_are_answered() -> None:
    found = score_selection(np.array([0.9, 0.2, 0.5, 0.7]), np.array([YES, NO, NO, YES]))
    assert found["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert found["augrc"] == pytest.approx((0 + 0 + 1 + 2) / 16)
    worst = score_selection(np.array([0.2, 0.9, 0.7, 0.5]), np.array([YES, NO, NO, YES]))
    assert worst["aurc"] > found["aurc"]
    assert worst["augrc"] > found["augrc"]
