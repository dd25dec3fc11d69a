"""Learners of both kinds on the same made-up samples, and ways to run and interrupt their training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy import sparse

from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch, FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.learners import HeadLearner, Learner, NgramLearner
from sip_model.identifiers.losses import LOSSES
from tests.sip_model.identifiers.clusters import make_clusters

CLUSTERS = make_clusters(5, 40, 12, spread=2.0)
EPOCHS = 6

MakeLearner = Callable[[], Learner]


class InterruptedRunError(Exception):
    """Stands for the death of the process."""


def make_head_learner() -> Learner:
    """A head with a hidden layer, so that there are weights to draw."""
    loss = LOSSES["bce"]
    head = build_head(12, (16,), 5, loss.output_bias(5), torch.Generator().manual_seed(3))
    return HeadLearner(
        torch.from_numpy(CLUSTERS.features),
        head,
        loss,
        CLUSTERS.positives,
        TrainingConfig(learning_rate=0.01),
    )


def make_ngram_learner() -> Learner:
    """A linear map over rows that are mostly zero."""
    rows = np.where(CLUSTERS.features > 1, CLUSTERS.features, 0).astype(np.float32)
    loss = LOSSES["bce"]
    return NgramLearner(sparse.csr_matrix(rows), 5, loss.output_bias(5), loss, CLUSTERS.positives)


def train(
    learner: Learner,
    state: FitState,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    *,
    epochs: int = EPOCHS,
    patience: int = EPOCHS,
) -> None:
    """Fit on four fifths of the samples."""
    fit(
        learner,
        CLUSTERS.rows((0, 1, 2, 3)),
        CLUSTERS.rows((4,)),
        epochs=epochs,
        patience=patience,
        batch_size=32,
        seed=11,
        state=state,
        on_epoch=on_epoch,
    )


def checkpoint(path: Path, run: str = "run") -> Checkpoint:
    """One that is written whenever it may be."""
    return Checkpoint(path, run, 0.0, lambda _: None)
