"""The nonlinear probe: a perceptron with one hidden layer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sip_model.analysis.probe_rows import Array, ProbeRows
from sip_model.experiments.config import TrainingConfig
from sip_model.experiments.probe import ProbeOptions
from sip_model.identifiers.fitting import FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.learners import HeadLearner
from sip_model.identifiers.losses.ce import CrossEntropy
from sip_model.identifiers.positives import Positives


@dataclass(frozen=True, slots=True, eq=False)
class NonlinearProbe:
    """``softmax(W₂ relu(W₁ x + b₁) + b₂)``."""

    network: nn.Sequential
    epochs: int
    """Trained for, those after the best one included."""

    @torch.no_grad()
    def probabilities(self, features: torch.Tensor) -> Array:
        """(n, D) -> (n, C)."""
        z: torch.Tensor = self.network(features)  # (n, C)
        found: Array = z.double().softmax(1).cpu().numpy()
        return found


def fit_nonlinear_probe(
    train: ProbeRows, validation: ProbeRows, options: ProbeOptions, seed: int
) -> NonlinearProbe:
    """Train with Adam and cross-entropy until the validation loss stops falling; keep the best epoch.

    Early stopping is all that regularises it, as its penalty does the linear probe.

    Args:
        train: standardised samples to learn from.
        validation: samples that decide when to stop.
        options: width and budget.
        seed: draws the hidden weights and orders the samples.

    Raises:
        InvalidInputError: the validation loss was never finite.
    """
    num_train, device = len(train), train.features.device
    head = build_head(
        train.features.shape[1],
        (options.hidden,),
        train.num_labels,
        0.0,
        torch.Generator().manual_seed(seed),
    ).to(device)
    training = TrainingConfig(
        epochs=options.max_passes,
        patience=options.patience,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        weight_decay=0.0,
    )
    learner = HeadLearner(
        torch.cat([train.features, validation.features]),
        head,
        CrossEntropy(),
        Positives.joined([train.positives, validation.positives]),
        training,
    )
    state = FitState()
    fit(
        learner,
        np.arange(num_train),
        np.arange(num_train, num_train + len(validation)),
        epochs=training.max_epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        seed=seed,
        state=state,
        on_epoch=lambda _: None,
    )
    return NonlinearProbe(head, state.epoch)
