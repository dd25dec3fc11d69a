"""Step sizes and arithmetic of fine-tuning."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.pooling import pooling_of
from sip_model.backbones.states import TextStates
from sip_model.backbones.trainable import TrainableBackbone
from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.backbone_learner import BackboneLearner, product_dtype
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.whitening import Whitening
from tests.sip_model.backbones.tiny import HIDDEN_SIZE, make_tiny_backbone
from tests.sip_model.identifiers.clusters import make_training_data

DATA = make_training_data()
ROWS = np.arange(32)
TRAINING = TrainingConfig(
    mode="head_then_last_layers",
    learning_rate=1e-2,
    backbone_learning_rate=1e-4,
    weight_decay=0.0,
    last_layers=1,
    max_gradient_norm=1e9,
    token_dropout=0.0,
    feature_dropout=0.0,
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> BackboneCatalog:
    """A tiny encoder."""
    return BackboneCatalog({"tiny": make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")})


def make_learner(catalog: BackboneCatalog, training: TrainingConfig) -> BackboneLearner:
    """Over the last layer of the tiny encoder, with a head that knows nothing."""
    trainable = TrainableBackbone(catalog.load("tiny", device="cpu", dtype="float32"), (3,), 1)
    texts = TextStates(catalog.load("tiny", device="cpu", dtype="float32"), DATA.texts, 64, trainable.start)
    texts.keep()
    loss = LOSSES["bce"]
    head = build_head(HIDDEN_SIZE, (), 4, loss.output_bias(4), torch.Generator())
    torch.nn.init.normal_(head[0].weight, generator=torch.Generator().manual_seed(0))  # type: ignore[arg-type]  # a linear layer's
    features = torch.zeros(len(DATA.texts), 1, HIDDEN_SIZE)
    branch = BackboneBranch(Whitening(torch.zeros(HIDDEN_SIZE), torch.ones(HIDDEN_SIZE)), head, loss, 4)
    return BackboneLearner(
        texts,
        trainable,
        pooling_of("mean"),
        features,
        (0,),
        branch,
        DATA.positives,
        training,
        num_steps=20,
        seed=0,
        products=torch.float32,
    )


def test_the_head_takes_larger_steps_than_the_backbone(catalog: BackboneCatalog) -> None:
    """Adam's first step moves each weight by the step size, whatever its gradient; it is half of the full one
    in a warm-up of two."""
    learner = make_learner(catalog, TRAINING)
    before = {name: value.clone() for name, value in learner.weights().items()}
    learner.step(ROWS)
    moved = {name: float((value - before[name]).abs().max()) for name, value in learner.weights().items()}
    heads = [change for name, change in moved.items() if name.startswith("head.")]
    backbones = [change for name, change in moved.items() if name.startswith("backbone.")]
    assert heads == pytest.approx([0.5e-2] * 2, rel=1e-2)
    assert max(backbones) == pytest.approx(0.5e-4, rel=1e-2)
    assert len(backbones) > 10


def test_only_matrices_decay(catalog: BackboneCatalog) -> None:
    """A decay so strong that it hides the gradient."""
    training = TrainingConfig(
        mode="head_then_last_layers", learning_rate=0.2, weight_decay=10.0, backbone_learning_rate=1e-9
    )
    learner = make_learner(catalog, training)
    before = {name: value.clone() for name, value in learner.weights().items()}
    learner.step(ROWS)
    weights = learner.weights()
    assert weights["head.0.weight"].abs().mean() < 0.3 * before["head.0.weight"].abs().mean()
    assert (weights["head.0.bias"] - before["head.0.bias"]).abs().max() < 0.11


def test_gradients_are_clipped(catalog: BackboneCatalog) -> None:
    """Adam divides the common size of a gradient out, but not against its small constant."""
    clipped = make_learner(catalog, replace(TRAINING, max_gradient_norm=1e-9))
    before = {name: value.clone() for name, value in clipped.weights().items()}
    clipped.step(ROWS)
    moved = max(float((value - before[name]).abs().max()) for name, value in clipped.weights().items())
    assert moved < 1e-3


def test_the_loss_has_no_dropout_and_changes_nothing(catalog: BackboneCatalog) -> None:
    learner = make_learner(catalog, TRAINING)
    assert learner.loss(ROWS) == learner.loss(ROWS)
    first, second = make_learner(catalog, TRAINING), make_learner(catalog, TRAINING)
    second.loss(ROWS)
    assert first.step(ROWS) == second.step(ROWS)
    assert first.step(ROWS) != first.loss(ROWS)


@pytest.mark.parametrize("name", ["dropout", "token_dropout", "feature_dropout"])
def test_what_is_left_out_of_a_step_follows_from_the_seed_and_is_not_left_out_of_the_loss(
    catalog: BackboneCatalog, name: str
) -> None:
    still = replace(TRAINING, dropout=0.0)
    training = TrainingConfig(**{**asdict(still), name: 0.5})
    plain, first, second = (make_learner(catalog, each) for each in (still, training, training))
    assert plain.loss(ROWS) == first.loss(ROWS)
    losses = first.step(ROWS), second.step(ROWS)
    assert losses[0] == losses[1]
    assert losses[0] != plain.step(ROWS)


def test_the_generators_of_the_caller_are_left_alone(catalog: BackboneCatalog) -> None:
    learner = make_learner(catalog, TRAINING)
    before = torch.get_rng_state()
    learner.step(ROWS)
    assert torch.equal(torch.get_rng_state(), before)


def test_products_follow_the_device_and_the_dtype_asked_for() -> None:
    cpu = torch.device("cpu")
    assert product_dtype(cpu, "float32") == torch.float32
    has_tiles = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    assert product_dtype(cpu, "bfloat16") == (torch.bfloat16 if has_tiles else torch.float32)
