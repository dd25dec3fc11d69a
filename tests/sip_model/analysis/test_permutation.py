"""A statistic and its random labelings."""

import numpy as np
import pytest

from sip_model.analysis.permutation import Null


def test_the_observed_labeling_counts_as_one_of_them() -> None:
    null = Null.of(0.5, np.array([0.1, 0.2, 0.5, 0.9]))
    assert null.p == 3 / 5
    assert null.mean == pytest.approx(0.425)
    assert null.z == pytest.approx((0.5 - 0.425) / np.std([0.1, 0.2, 0.5, 0.9], ddof=1))


def test_nothing_is_as_large_as_a_value_beyond_all() -> None:
    assert Null.of(2.0, np.linspace(0, 1, 99)).p == 0.01


def test_without_spread_there_is_no_z() -> None:
    null = Null.of(1.0, np.array([1.0, 1.0]))
    assert (null.sd, null.z, null.p) == (0.0, None, 1.0)
    assert Null.of(1.0, np.array([0.0])).z is None
