"""What each training mode takes."""

from dataclasses import asdict
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sip_model.experiments.config import TrainingConfig
from sip_model.experiments.train import TrainConfig

TRAIN = TypeAdapter(TrainConfig)


def test_the_defaults_of_a_mode_are_written_out() -> None:
    frozen, last, full = (
        TRAIN.validate_python({"training": {"mode": mode}}).training
        for mode in ("frozen", "head_then_last_layers", "full")
    )
    keys = (
        "backbone_learning_rate",
        "backbone_epochs",
        "last_layers",
        "accumulate",
        "max_gradient_norm",
        "token_dropout",
        "feature_dropout",
    )
    assert [getattr(frozen, key) for key in keys] == [None] * 7
    assert [getattr(last, key) for key in keys] == [3e-4, 4, 2, 1, 1.0, 0.5, 0.5]
    assert [getattr(full, key) for key in keys] == [5e-5, 4, None, 1, 1.0, 0.5, 0.5]
    assert last.backbone_learning_rate is not None
    assert last.learning_rate > last.backbone_learning_rate
    for resolved in (frozen, last, full):
        assert TrainingConfig(**asdict(resolved)) == resolved


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"backbone_learning_rate": 1e-5}, "backbone_learning_rate: expected null where mode is frozen"),
        ({"backbone_epochs": 2}, "backbone_epochs: expected null where mode is frozen, found 2"),
        ({"last_layers": 2}, "last_layers: expected null where mode is frozen, found 2"),
        ({"mode": "full", "last_layers": 2}, "last_layers: expected null where mode is full, found 2"),
        ({"gradient_checkpointing": True}, "gradient_checkpointing: expected false"),
        ({"dropout": 0.1}, "dropout: expected null where mode is frozen"),
        ({"token_dropout": 0.1}, "token_dropout: expected null where mode is frozen"),
        ({"mode": "full", "dropout": 1.0}, "dropout: expected 0 or more and below 1"),
        ({"mode": "full", "feature_dropout": -0.1}, "feature_dropout: expected 0 or more and below 1"),
        ({"mode": "full", "backbone_learning_rate": 0}, "backbone_learning_rate: expected above 0"),
        ({"mode": "full", "max_gradient_norm": -1}, "max_gradient_norm: expected above 0"),
        ({"mode": "full", "accumulate": 0}, "accumulate: expected 1 to"),
        ({"mode": "head_then_last_layers", "last_layers": 0}, "last_layers: expected 1 to"),
        ({"mode": "lora"}, "Input should be 'frozen', 'head_then_last_layers' or 'full'"),
    ],
)
def test_what_a_mode_does_not_take_is_refused(training: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TRAIN.validate_python({"training": training})
    assert message in str(caught.value)


def test_an_identifier_without_a_backbone_has_none_to_train() -> None:
    with pytest.raises(ValidationError, match=r"expected frozen where identifier\.features is lexical"):
        TRAIN.validate_python({"identifier": {"features": "lexical"}, "training": {"mode": "full"}})


def test_a_backbone_is_trained_on_the_gpu_queue() -> None:
    config = TRAIN.validate_python({"training": {"mode": "head_then_last_layers"}})
    assert config.queue() == "gpu"
