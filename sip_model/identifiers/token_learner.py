"""A head over rows of token states that stay on disk."""

import numpy as np
import torch
from torch import nn

from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.adam import adam_state, load_adam_state
from sip_model.identifiers.learners import EVALUATION_ROWS, State
from sip_model.identifiers.losses import Loss
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.whitening import Whitening

# arXiv 2407.12846
MAX_GRADIENT_NORM = 5.0


class TokenLearner:
    """A head with Adam and gradient clipping; it holds the rows of the next few steps and no others.

    Args:
        rows: where the samples come from.
        scaling: of the rows' features, on the training device.
        head: (B, n · D) -> (B, K) on the same device.
        loss: what is minimised.
        positives: of the passages.
        training: step size and weight decay.
    """

    def __init__(
        self,
        rows: TokenRows,
        scaling: Whitening,
        head: nn.Sequential,
        loss: Loss,
        positives: Positives,
        training: TrainingConfig,
    ) -> None:
        self._rows = rows
        self._scaling = scaling
        self._head = head
        self._loss = loss
        self._positives = positives
        self._optimizer = torch.optim.AdamW(
            head.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        self._offset = -scaling.mean * scaling.transform  # (n · D,)
        self._memory = np.empty(0, dtype=np.int16)
        self._ahead = np.zeros(0, dtype=np.int64)
        self._states = torch.empty(0)

    def read_ahead(self, rows: IntArray) -> None:
        """Read the rows of the coming steps, in any order."""
        self._ahead = np.sort(rows)
        size = len(rows) * self._rows.num_features
        if len(self._memory) < size:
            self._memory = np.empty(size, dtype=np.int16)
        self._states = self._rows.read(self._ahead, self._memory).to(self._offset.device)  # (m, n · D)

    def step(self, rows: IntArray) -> float:
        """One step of Adam on rows that were read ahead."""
        places = torch.from_numpy(np.searchsorted(self._ahead, rows)).to(self._states.device)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._mean_loss(self._states[places], rows)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._head.parameters(), MAX_GRADIENT_NORM)
        self._optimizer.step()
        return float(loss.detach())

    @torch.no_grad()
    def loss(self, rows: IntArray) -> float:
        """Mean loss over rows, ascending ones are read fastest."""
        total = 0.0
        ordered = np.sort(rows)
        for start in range(0, len(ordered), EVALUATION_ROWS):
            part = ordered[start : start + EVALUATION_ROWS]
            states = self._rows.read(part).to(self._offset.device)  # (m, n · D)
            total += float(self._mean_loss(states, part)) * len(part)
        return total / len(rows)

    def _mean_loss(self, states: torch.Tensor, rows: IntArray) -> torch.Tensor:
        right = self._positives.index(self._rows.passages(rows), states.device)
        features = torch.addcmul(self._offset, states.float(), self._scaling.transform)  # (B, n · D)
        return self._loss(self._head(features), right)

    def weights(self) -> State:
        """The head's parameters."""
        return {f"head.{name}": value.detach() for name, value in self._head.named_parameters()}

    def state(self) -> State:
        """Parameters, Adam's moments and step count."""
        return self.weights() | adam_state(self._optimizer)

    def load_state(self, state: State) -> None:
        """Go on from a state, or from weights alone with a fresh optimiser."""
        self._head.load_state_dict(
            {key.removeprefix("head."): value for key, value in state.items() if key.startswith("head.")}
        )
        load_adam_state(self._optimizer, state)


def fit_scaling(rows: TokenRows, train: IntArray) -> Whitening:
    """The scaling of features to zero mean and unit variance, by the last tokens of the training rows.

    States are only scaled, not whitened: a matrix of n · D columns would cost more than the head behind it.

    Args:
        rows: where the samples come from.
        train: at least one, ascending; read once.
    """
    size, count = rows.store.hidden_size, 0
    mean = torch.zeros(size, dtype=torch.float64)
    squares = torch.zeros(size, dtype=torch.float64)  # summed squared deviations from the mean
    for start in range(0, len(train), EVALUATION_ROWS):
        states = rows.store.read(train[start : start + EVALUATION_ROWS, None]).float()  # (m, D)
        centre = states.mean(dim=0)
        total = count + len(states)
        shift = centre.double() - mean
        squares += states.sub_(centre).square_().sum(dim=0).double()
        squares += shift.square() * (count * len(states) / total)
        mean += shift * (len(states) / total)
        count = total
    scale = 1 / (squares / count).sqrt().clamp_min(1e-6)
    return Whitening(mean.float().repeat(rows.ngram), scale.float().repeat(rows.ngram))
