"""The training loop."""

import math

import numpy as np
import pytest
import torch

from sip_model.errors import InvalidInputError
from sip_model.identifiers.fitting import Epoch, FitState, fit
from sip_model.identifiers.learners import State
from sip_model.identifiers.positives import IntArray
from tests.sip_model.identifiers.learning import (
    CLUSTERS,
    EPOCHS,
    MakeLearner,
    make_head_learner,
    make_ngram_learner,
    train,
)

BOTH = pytest.mark.parametrize("make_learner", [make_head_learner, make_ngram_learner])


class ScriptedLearner:
    """Its validation losses are given; its weights are the number of epochs it has seen."""

    def __init__(self, losses: list[float]) -> None:
        self._losses = iter(losses)
        self.epochs = torch.zeros(1)
        self.seen: list[list[int]] = [[]]

    def step(self, rows: IntArray) -> float:
        self.seen[-1] += rows.tolist()
        return 1.0

    def loss(self, rows: IntArray) -> float:
        self.epochs += 1
        self.seen.append([])
        return next(self._losses)

    def weights(self) -> State:
        return {"epochs": self.epochs}

    def state(self) -> State:
        return self.weights()

    def load_state(self, state: State) -> None:
        self.epochs = state["epochs"].clone()


def run(learner: ScriptedLearner, patience: int) -> list[Epoch]:
    epochs: list[Epoch] = []
    fit(
        learner,
        np.arange(10),
        np.arange(10, 12),
        epochs=8,
        patience=patience,
        batch_size=4,
        seed=0,
        state=FitState(),
        on_epoch=epochs.append,
    )
    return epochs


def test_training_stops_when_patience_is_out_and_the_best_weights_come_back() -> None:
    learner = ScriptedLearner([3.0, 2.0, 2.5, 2.0, 2.1, 0.0, 0.0, 0.0])
    assert [epoch.validation_loss for epoch in run(learner, patience=3)] == [3.0, 2.0, 2.5, 2.0, 2.1]
    assert learner.epochs.item() == 2


def test_training_ends_after_all_epochs_however_good_it_goes() -> None:
    learner = ScriptedLearner([8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    assert [(epoch.number, epoch.of) for epoch in run(learner, patience=1)][-1] == (8, 8)
    assert learner.epochs.item() == 8


def test_every_epoch_sees_every_sample_once_in_an_order_of_its_own() -> None:
    learner = ScriptedLearner([3.0, 2.0, 2.5])
    run(learner, patience=1)
    first, second, third, *_ = learner.seen
    assert sorted(first) == sorted(second) == sorted(third) == list(range(10))
    assert len({tuple(first), tuple(second), tuple(third)}) == 3


def test_a_loss_that_is_never_finite_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"training.learning_rate.*2 epochs. Lower it"):
        run(ScriptedLearner([math.nan, math.inf]), patience=2)


@BOTH
def test_both_learners_learn(make_learner: MakeLearner) -> None:
    learner, losses = make_learner(), list[float]()
    validation = CLUSTERS.rows((4,))
    before = learner.loss(validation)
    train(learner, FitState(), lambda epoch: losses.append(epoch.validation_loss))
    assert learner.loss(validation) == pytest.approx(min(losses))
    assert min(losses) < 0.9 * before
    assert len(losses) == EPOCHS


@BOTH
def test_looking_at_the_loss_changes_nothing(make_learner: MakeLearner) -> None:
    learner = make_learner()
    before = {name: value.clone() for name, value in learner.state().items()}
    assert learner.loss(np.arange(7)) == learner.loss(np.arange(7))
    assert all(torch.equal(value, before[name]) for name, value in learner.state().items())
