"""Gradient x input through backbones with random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.analysis.saliency.gradients import TracedText, encode_text
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.extract import extract_features
from sip_model.backbones.load import Backbone
from tests.sip_model.backbones.tiny import FAMILIES, HIDDEN_SIZE, NUM_LAYERS, make_tiny_backbone

TEXT = "The committee has read the report of the dark night."


def tiny(folder: Path, family: str) -> Backbone:
    """A backbone of the family."""
    make_tiny_backbone(folder, family)
    return BackboneCatalog({"tiny": folder}).load("tiny", device="cpu", dtype="float32")


def test_of_a_linear_model_it_is_what_a_hand_computes(tmp_path: Path) -> None:
    """GPT-2's layer 0 is a token's embedding plus its position's: their mean over T tokens is linear."""
    backbone = tiny(tmp_path, "gpt2")
    encoded = encode_text(backbone, TEXT, 64)
    traced = TracedText(backbone, encoded, (0,), "mean")
    w = torch.randn(HIDDEN_SIZE, generator=torch.Generator().manual_seed(0))
    found = traced.gradient_times_input(traced.features[0] @ w)
    embeddings = backbone.model.get_input_embeddings().weight[encoded.ids[0]]  # (T, D)
    np.testing.assert_allclose(found, (embeddings @ w).numpy() / len(embeddings), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_its_sum_is_the_slope_when_all_embeddings_grow(tmp_path: Path, family: str) -> None:
    backbone = tiny(tmp_path, family)
    encoded = encode_text(backbone, TEXT, 64)
    layers = (1, NUM_LAYERS)
    w = torch.randn(len(layers) * HIDDEN_SIZE, generator=torch.Generator().manual_seed(1))
    traced = TracedText(backbone, encoded, layers, "mean")
    read = extract_features(backbone, [TEXT], layers, "mean", 64).features.reshape(-1)
    np.testing.assert_allclose(traced.features[0].detach().numpy(), read, atol=1e-4)
    slope = traced.gradient_times_input(traced.features[0] @ w).sum()

    def value(factor: float) -> float:
        embeddings = backbone.model.get_input_embeddings()
        handle = embeddings.register_forward_hook(lambda _module, _args, output: output * factor)
        try:
            features = extract_features(backbone, [TEXT], layers, "mean", 64).features.reshape(-1)
        finally:
            handle.remove()
        return float(features.astype(np.float64) @ w.double().numpy())

    step = 1e-3
    assert slope == pytest.approx((value(1 + step) - value(1 - step)) / (2 * step), rel=0.02, abs=0.02)


def test_gates_hold_for_one_backward_pass_alone(tmp_path: Path) -> None:
    backbone = tiny(tmp_path, "bert")
    traced = TracedText(backbone, encode_text(backbone, TEXT, 64), (1, 2, 3), "mean")
    value = traced.features[0].square().sum()
    plain = traced.gradient_times_input(value)
    everything = torch.ones(HIDDEN_SIZE, dtype=torch.bool)
    some = torch.arange(HIDDEN_SIZE) < 4
    np.testing.assert_allclose(
        traced.gradient_times_input(value, {2: everything, 3: everything}), plain, rtol=1e-3, atol=1e-5
    )
    gated = traced.gradient_times_input(value, {2: some, 3: some})
    assert np.abs(gated - plain).max() > 0.01 * np.abs(plain).max()
    np.testing.assert_array_equal(traced.gradient_times_input(value), plain)
    assert not backbone.model.get_input_embeddings()._forward_hooks


def test_tokens_have_their_places_and_special_ones_have_none(tmp_path: Path) -> None:
    backbone = tiny(tmp_path, "bert")
    encoded = encode_text(backbone, TEXT, 64)
    assert encoded.is_own.tolist() == [False] + [True] * (len(encoded.is_own) - 2) + [False]
    starts, ends = encoded.offsets[encoded.is_own].T
    assert (ends > starts).all()
    assert (starts[1:] >= starts[:-1]).all()
    assert ends[-1] == len(TEXT)
    assert not encode_text(backbone, "", 64).is_own.any()
