"""The training loop: seeded, with early stopping, resumable after every epoch."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sip_model.errors import InvalidInputError
from sip_model.identifiers.learners import Learner, State
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.threads import one_thread

# Samples read from disk together, in the order in which they lie there, for the steps that come next.
ROWS_AHEAD = 4096


@dataclass(slots=True)
class FitState:
    """How far the training of one branch is. With it a resumed run ends with the same numbers.

    The order of the samples is drawn from seed and epoch, so no generator's state is kept.
    """

    epoch: int = 0
    """Epochs done."""
    best_loss: float = math.inf
    """On the validation part."""
    stale_epochs: int = 0
    """Epochs since `best_loss`."""
    done: bool = False
    best: State = field(default_factory=dict)
    """Weights of the best epoch."""
    latest: State = field(default_factory=dict)
    """Weights and optimiser after `epoch` epochs; empty once it is done, since `best` is all that counts."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch's losses, means over samples."""

    number: int
    """1 for the first."""
    of: int
    """Epochs at most."""
    train_loss: float
    validation_loss: float


def fit(
    learner: Learner,
    train: IntArray,
    validation: IntArray,
    *,
    epochs: int,
    patience: int,
    batch_size: int,
    seed: int,
    state: FitState,
    on_epoch: Callable[[Epoch], None],
    read_ahead: Callable[[IntArray], None] | None = None,
) -> None:
    """Train a branch until its validation loss stops falling, then put back its best weights.

    Args:
        learner: the branch.
        train: row numbers to learn from.
        validation: row numbers that decide when to stop.
        epochs: passes over `train` at most.
        patience: epochs without a better validation loss before training stops.
        batch_size: samples per step; the last batch of an epoch may be smaller.
        seed: orders the samples.
        state: a new one, or one of an interrupted run; brought up to date before each `on_epoch`.
        on_epoch: called after every epoch.
        read_ahead: called with the row numbers of the next steps, about `ROWS_AHEAD`, before these steps.

    Raises:
        InvalidInputError: the validation loss was never finite.
    """
    if state.latest:
        learner.load_state(state.latest)
    with one_thread():
        _run_epochs(
            learner, train, validation, epochs, patience, batch_size, seed, state, on_epoch, read_ahead
        )
    if not state.best:
        raise InvalidInputError(
            ("training", "learning_rate"),
            "a step size at which the loss stays finite",
            f"no finite validation loss in {state.epoch} epochs",
            "Lower it",
        )
    learner.load_state(state.best)


def _run_epochs(
    learner: Learner,
    train: IntArray,
    validation: IntArray,
    epochs: int,
    patience: int,
    batch_size: int,
    seed: int,
    state: FitState,
    on_epoch: Callable[[Epoch], None],
    read_ahead: Callable[[IntArray], None] | None,
) -> None:
    steps_ahead = max(1, ROWS_AHEAD // batch_size)
    while not state.done and state.epoch < epochs:
        order = np.random.default_rng([seed, state.epoch]).permutation(train)
        losses = []
        for step, start in enumerate(range(0, len(order), batch_size)):
            if read_ahead is not None and step % steps_ahead == 0:
                read_ahead(order[start : start + steps_ahead * batch_size])
            losses.append(learner.step(order[start : start + batch_size]))
        state.epoch += 1
        validation_loss = learner.loss(validation)
        if validation_loss < state.best_loss:
            state.best_loss, state.stale_epochs = validation_loss, 0
            state.best = {name: value.clone() for name, value in learner.weights().items()}
        else:
            state.stale_epochs += 1
        state.done = state.stale_epochs >= patience or state.epoch == epochs
        state.latest = {} if state.done else learner.state()
        on_epoch(Epoch(state.epoch, epochs, float(np.mean(losses)), validation_loss))
