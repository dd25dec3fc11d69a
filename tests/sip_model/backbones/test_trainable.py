"""Backbones of every family in training."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.load import Backbone
from sip_model.backbones.pooling import pooling_of
from sip_model.backbones.states import TextStates
from sip_model.backbones.trainable import TrainableBackbone, with_weights
from sip_model.errors import ArtifactError, BackboneError
from tests.sip_model.backbones.tiny import ENCODERS, FAMILIES, NUM_LAYERS, make_tiny_backbone

TEXTS = ["It was a dark night.", "The committee has read the report and will answer.", "A list", "of " * 30]
ROWS = np.arange(len(TEXTS))
LAYERS = (1, 2, NUM_LAYERS)

Load = Callable[[str], Backbone]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Loads the tiny backbone of a family anew, in float32."""
    folder = tmp_path_factory.mktemp("backbones")
    local = {family: make_tiny_backbone(folder / family, family) for family in FAMILIES}
    catalog = BackboneCatalog(local)
    return lambda family: catalog.load(family, device="cpu", dtype="float32")


def pooled(backbone: Backbone, trainable: TrainableBackbone, pooling: str, **options: int) -> torch.Tensor:
    """The tuned layers of all texts, in one pass."""
    states = TextStates(backbone, TEXTS, 64, trainable.start, **options)
    states.keep()
    batch = states.batch(ROWS)
    return trainable.pooled(batch.ids, batch.mask, batch.states, pooling_of(pooling))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("last_layers", [1, 2, None])
def test_passes_in_training_give_the_layers_of_the_whole_model(
    load: Load, family: str, last_layers: int | None
) -> None:
    backbone = load(family)
    trainable = TrainableBackbone(load(family), LAYERS, last_layers)
    trainable.eval()
    pooling = "cls" if family in ENCODERS else "last"
    states = TextStates(backbone, TEXTS, 64, 0).batch(ROWS)
    expected = backbone.reader.pooled_layers(states.ids, states.mask, LAYERS, pooling_of(pooling))
    tuned = [LAYERS.index(layer) for layer in trainable.tuned_layers]
    for options in ({}, {"max_bytes": 0}):
        found = pooled(backbone, trainable, pooling, **options)
        torch.testing.assert_close(found.detach(), expected[:, tuned], rtol=1e-4, atol=1e-4)
    if last_layers is not None and family != "albert":
        assert trainable.start == NUM_LAYERS - last_layers
        assert trainable.tuned_layers == tuple(layer for layer in LAYERS if layer > trainable.start)


@pytest.mark.parametrize(
    ("family", "gradient_checkpointing"),
    [
        *((family, False) for family in FAMILIES),
        *((family, True) for family in FAMILIES if family != "albert"),
    ],
)
def test_gradients_reach_the_chosen_weights_and_no_others(
    load: Load, family: str, gradient_checkpointing: bool
) -> None:
    trainable = TrainableBackbone(load(family), (NUM_LAYERS,), 1)
    trainable.train()
    if gradient_checkpointing:
        trainable.compute_activations_twice()
    torch.autograd.backward(pooled(load(family), trainable, "mean").square().sum())
    model = trainable.backbone.model
    with_gradient = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert with_gradient == set(trainable.parameters)
    blocks = {name for name in trainable.parameters if f".{NUM_LAYERS - 1}." in name}
    others = set(trainable.parameters) - blocks
    if family == "albert":
        assert all("albert_layers" in name for name in others)
    else:
        assert blocks
        assert all("norm" in name or "ln_f" in name for name in others)
    assert not any("embed" in name for name in trainable.parameters)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_the_whole_models(load: Load, family: str) -> None:
    """Also with activations computed again in the backward pass."""
    gradients = []
    whole = load(family)
    whole.model.requires_grad_(True)
    batch = TextStates(whole, TEXTS, 64, 0).batch(ROWS)
    mean = pooling_of("mean")
    states = whole.reader.pooled_from(0, batch.ids, batch.mask, (NUM_LAYERS,), mean)
    torch.autograd.backward(states.square().sum())
    expected = {name: weight.grad for name, weight in whole.model.named_parameters()}
    for gradient_checkpointing in (False, family != "albert"):
        trainable = TrainableBackbone(load(family), (NUM_LAYERS,), 2)
        trainable.set_dropout(0.0)
        trainable.train()
        if gradient_checkpointing:
            trainable.compute_activations_twice()
        torch.autograd.backward(pooled(load(family), trainable, "mean").square().sum())
        gradients.append({name: weight.grad for name, weight in trainable.parameters.items()})
    for found in gradients:
        for name, gradient in found.items():
            assert gradient is not None
            torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-3)


def test_everything_up_to_the_deepest_layer_read_is_trained_in_full(load: Load) -> None:
    trainable = TrainableBackbone(load("gpt2"), (0, 2), None)
    names = set(trainable.parameters)
    assert {"wte.weight", "wpe.weight"} <= names
    assert not any(name.startswith(("h.2.", "ln_f")) for name in names)
    assert (trainable.start, trainable.tuned_layers) == (0, (0, 2))


def test_a_family_that_cannot_compute_activations_twice_is_named(load: Load) -> None:
    trainable = TrainableBackbone(load("albert"), (NUM_LAYERS,), 1)
    with pytest.raises(BackboneError, match=r"training.gradient_checkpointing: expected false for 'albert'"):
        trainable.compute_activations_twice()


def test_blocks_to_train_must_be_there(load: Load) -> None:
    with pytest.raises(BackboneError, match=r"backbone.layers: expected a layer from 3.*found 2"):
        TrainableBackbone(load("bert"), (0, 2), 3)


def test_weights_of_another_backbone_are_refused(load: Load) -> None:
    with pytest.raises(ArtifactError, match="weights of 'bert'"):
        with_weights(load("bert"), {"wte.weight": torch.zeros(2)})
