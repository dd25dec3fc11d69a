"""The online code."""

import numpy as np
import pytest
import torch

from sip_model.analysis.description_length import code_lengths, description_length
from sip_model.analysis.linear_probe import fit_linear_probe
from sip_model.analysis.probe_rows import Probe, ProbeRows
from tests.sip_model.analysis.probe_data import make_rows, several


def fit(portion: ProbeRows) -> Probe:
    return fit_linear_probe(portion, portion, (3.0,), max_passes=200)


def test_the_code_is_the_sum_of_its_portions_each_coded_by_a_probe_of_those_before() -> None:
    rows = make_rows(4, 64)
    order = np.random.default_rng(0).permutation(len(rows))
    found = description_length(rows, order, fit)
    assert found.portions == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert found.portion_bits[0] == 2
    assert found.bits == sum(found.portion_bits)
    probe, last = fit(rows.take(order[:128])), rows.take(order[128:])
    expected = code_lengths(probe.probabilities(last.features), last.positives, 128).sum()
    assert found.portion_bits[-1] == pytest.approx(float(expected))
    assert found.uniform_bits == 512


def test_what_can_be_read_off_is_coded_short_and_noise_is_not() -> None:
    clear, vague = make_rows(4, 128, spread=0.2), make_rows(4, 128, spread=3.0)
    noise = ProbeRows(torch.randn(512, 12, generator=torch.Generator().manual_seed(1)), clear.positives, 4)
    order = np.random.default_rng(0).permutation(512)
    compressions = [description_length(rows, order, fit).compression for rows in (clear, vague, noise)]
    assert compressions[0] > compressions[1] > compressions[2]
    assert compressions[0] > 5
    assert 0.7 < compressions[2] < 1.02


def test_a_label_the_probe_never_met_has_a_code() -> None:
    bits = code_lengths(np.array([[1.0, 0.0], [1.0, 0.0]]), several([[1], [0]]), 4)
    np.testing.assert_allclose(bits, -np.log2([0.5 / 5, 4.5 / 5]))


def test_a_sample_of_two_labels_is_coded_as_half_of_each() -> None:
    bits = code_lengths(np.array([[0.75, 0.25]]), several([[0, 1]]), 10**9)
    np.testing.assert_allclose(bits, (-np.log2(0.75) - np.log2(0.25)) / 2, rtol=1e-6)
