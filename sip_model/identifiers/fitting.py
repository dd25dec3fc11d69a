"""The training loop: seeded, with early stopping, resumable after every epoch or every batch."""

import math
from collections.abc import Callable
from contextlib import nullcontext
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
    batch: int = 0
    """Batches done of the epoch under way."""
    loss_sum: float = 0.0
    """Of the training losses of those batches."""
    best_loss: float = math.inf
    """On the validation part."""
    stale_epochs: int = 0
    """Epochs since `best_loss`."""
    best_epoch: int = 0
    """Epochs done when `best_loss` was found."""
    done: bool = False
    best: State = field(default_factory=dict)
    """Weights of the best epoch."""
    latest: State = field(default_factory=dict)
    """Weights and optimiser after `epoch` epochs and `batch` batches; empty once it is done, since `best` is
    all that counts."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch's losses, means over samples."""

    number: int
    """1 for the first."""
    of: int
    """Epochs at most."""
    train_loss: float
    validation_loss: float
    """NaN where there is no validation part."""


def fit(
    learner: Learner,
    train: IntArray,
    validation: IntArray | None,
    *,
    epochs: int,
    patience: int,
    batch_size: int,
    seed: int,
    state: FitState,
    on_epoch: Callable[[Epoch], None],
    is_wanted: Callable[[], bool] = lambda: False,
    on_batch: Callable[[], None] = lambda: None,
    read_ahead: Callable[[IntArray, IntArray], None] = lambda _rows, _after: None,
    uses_all_cores: bool = False,
) -> None:
    """Train a branch until its validation loss stops falling, then put back its best weights.

    Without a validation part all epochs are run and the last weights stay.

    Args:
        learner: the branch.
        train: row numbers to learn from.
        validation: row numbers that decide when to stop; None: nothing does.
        epochs: passes over `train` at most.
        patience: epochs without a better validation loss before training stops.
        batch_size: samples per step; the last batch of an epoch may be smaller.
        seed: orders the samples.
        state: a new one, or one of an interrupted run; brought up to date before each `on_epoch`.
        on_epoch: called after every epoch.
        is_wanted: asked after every batch but an epoch's last, for a learner whose epochs take long: whether
            to bring `state` up to date and call `on_batch`.
        on_batch: see `is_wanted`.
        read_ahead: called before steps with the row numbers of these, about `ROWS_AHEAD`, and with those of
            the steps after them, none at an epoch's end.
        uses_all_cores: for a learner whose operators are large.

    Raises:
        InvalidInputError: the validation loss, or without it the training loss, was never finite.
    """
    if state.latest:
        learner.load_state(state.latest)

    def after_batch() -> None:
        if is_wanted():
            state.latest = learner.state()
            on_batch()

    with nullcontext() if uses_all_cores else one_thread():
        while not state.done and state.epoch < epochs:
            train_loss = _run_epoch(learner, train, batch_size, seed, state, after_batch, read_ahead)
            validation_loss = _end_epoch(learner, train_loss, validation, epochs, patience, state)
            on_epoch(Epoch(state.epoch, epochs, train_loss, validation_loss))
    if not state.best:
        raise InvalidInputError(
            ("training", "learning_rate"),
            "a step size at which the loss stays finite",
            f"no finite loss in {state.epoch} epochs",
            "Lower it",
        )
    learner.load_state(state.best)


def _run_epoch(
    learner: Learner,
    train: IntArray,
    batch_size: int,
    seed: int,
    state: FitState,
    after_batch: Callable[[], None],
    read_ahead: Callable[[IntArray, IntArray], None],
) -> float:
    """The batches of an epoch that aren't done yet; mean training loss over all of them."""
    order = np.random.default_rng([seed, state.epoch]).permutation(train)
    num_batches, batches_ahead = math.ceil(len(order) / batch_size), max(1, ROWS_AHEAD // batch_size)
    num_ahead = batches_ahead * batch_size
    begun_at = state.batch
    while state.batch < num_batches:
        first = state.batch * batch_size
        if (state.batch - begun_at) % batches_ahead == 0:
            read_ahead(order[first : first + num_ahead], order[first + num_ahead : first + 2 * num_ahead])
        state.loss_sum += learner.step(order[first : first + batch_size])
        state.batch += 1
        if state.batch < num_batches:
            after_batch()
    return state.loss_sum / num_batches


def _end_epoch(
    learner: Learner,
    train_loss: float,
    validation: IntArray | None,
    epochs: int,
    patience: int,
    state: FitState,
) -> float:
    """Look at the validation part, remember the best weights; validation loss."""
    state.epoch, state.batch, state.loss_sum = state.epoch + 1, 0, 0.0
    if validation is None:  # every epoch counts as better than the one before
        validation_loss = math.nan
        is_better = math.isfinite(train_loss)
    else:
        validation_loss = learner.loss(validation)
        is_better = validation_loss < state.best_loss
    if is_better:
        state.best_loss, state.stale_epochs, state.best_epoch = validation_loss, 0, state.epoch
        state.best = {name: value.clone() for name, value in learner.weights().items()}
    else:
        state.stale_epochs += 1
    state.done = state.stale_epochs >= patience or state.epoch == epochs
    state.latest = {} if state.done else learner.state()
    return validation_loss
