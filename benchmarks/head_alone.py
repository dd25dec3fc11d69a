"""A head over frozen features that learns as fine-tuning lets it learn, while the backbone is left alone."""

import numpy as np
import torch
from torch import nn

from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.backbone_learner import loss_at_best_scale
from sip_model.identifiers.fitting import FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.learners import HeadLearner
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.whitening import Whitening


class HeadAlone(HeadLearner):
    """A linear head that sees some of the features at each step and is judged at its best scale.

    Args:
        data: n samples and their features.
        training: step size and weight decay.
        feature_dropout: share of features dropped, drawn from torch's own generator.
        seed: of that generator.
    """

    def __init__(
        self, data: TrainingData, training: TrainingConfig, feature_dropout: float, seed: int
    ) -> None:
        assert data.features is not None
        torch.manual_seed(seed)
        loss, num_sources = LOSSES["bce"], len(data.sources)
        features = torch.from_numpy(data.features)  # (n, D)
        train = torch.from_numpy(data.train)
        whitening = Whitening.fit(features[train], data.positives.take(data.train), num_sources)
        linear = build_head(
            features.shape[1], (), num_sources, loss.output_bias(num_sources), torch.Generator()
        )
        head = nn.Sequential(nn.Dropout(feature_dropout), *linear)
        super().__init__(whitening(features), head, loss, data.positives, training)
        self._num_sources = num_sources

    def step(self, rows: IntArray) -> float:
        """One step of Adam."""
        self._head.train()
        return super().step(rows)

    @torch.no_grad()
    def outputs(self, rows: IntArray) -> torch.Tensor:
        """Of all features, (B, C)."""
        self._head.eval()
        outputs: torch.Tensor = self._head(self._features[torch.from_numpy(rows)])
        return outputs

    def loss(self, rows: IntArray) -> float:
        """Mean loss at the best scale."""
        positives = self._positives.index(rows, torch.device("cpu"))
        return loss_at_best_scale(self.outputs(rows), positives, self._loss, self._num_sources)


def train_head_alone(
    data: TrainingData, training: TrainingConfig, feature_dropout: float, seed: int
) -> HeadAlone:
    """Train it until its loss on the validation part stops falling."""
    learner = HeadAlone(data, training, feature_dropout, seed)
    fit(
        learner,
        data.train,
        data.validation,
        epochs=training.max_epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        seed=seed,
        state=FitState(),
        on_epoch=lambda _: None,
    )
    return learner


def is_right(learner: HeadAlone, data: TrainingData, rows: IntArray) -> list[int]:
    """(m,) 1 where the first source is among the right ones."""
    first = learner.outputs(rows).argmax(dim=1).numpy()[:, None].astype(np.int64)
    marks: list[int] = data.positives.take(rows).mark(first)[:, 0].astype(int).tolist()
    return marks
