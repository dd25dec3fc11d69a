"""A head over rows of token states that stay on disk."""

from concurrent.futures import Future, ThreadPoolExecutor

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

    While it steps on these, another thread reads those that come after them.

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
        self._reader = ThreadPoolExecutor(1, "token states")
        self._memory = [np.empty(0, dtype=np.int16)] * 2
        """Of the rows at hand, and of those after them."""
        self._coming: tuple[IntArray, Future[torch.Tensor]] | None = None
        self._ahead = self._passages = np.zeros(0, dtype=np.int64)
        self._states = torch.empty(0)

    def read_ahead(self, rows: IntArray, after: IntArray) -> None:
        """Have the rows of the coming steps at hand, and begin to read those of the steps after them.

        Args:
            rows: in any order; read already where the last call named them as `after`.
            after: in any order; none where no steps follow.
        """
        self._ahead = np.sort(rows)
        self._passages = self._rows.passages(self._ahead)
        if self._coming is None or not np.array_equal(self._coming[0], self._ahead):
            self._coming = self._begin_reading(self._ahead)
        self._states = self._coming[1].result().to(self._offset.device)  # (m, n · D)
        self._coming = self._begin_reading(np.sort(after)) if len(after) else None

    def _begin_reading(self, rows: IntArray) -> tuple[IntArray, "Future[torch.Tensor]"]:
        size = len(rows) * self._rows.num_features
        self._memory.reverse()
        if len(self._memory[0]) < size:
            self._memory[0] = np.empty(size, dtype=np.int16)
        return rows, self._reader.submit(self._rows.read, rows, self._memory[0])

    def step(self, rows: IntArray) -> float:
        """One step of Adam on rows that were read ahead."""
        places = np.searchsorted(self._ahead, rows)
        # whole rows are copied: indexing would pick number by number
        states = self._states.index_select(0, torch.from_numpy(places).to(self._states.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._mean_loss(states, self._passages[places])
        torch.autograd.backward(loss)
        self._clip_gradient()
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
            total += float(self._mean_loss(states, self._rows.passages(part))) * len(part)
        return total / len(rows)

    def _clip_gradient(self) -> None:
        """Scale the gradient down to `MAX_GRADIENT_NORM`.

        As `clip_grad_norm_` does, but what is short enough isn't written again, and the few tensors of a head
        don't pay for being grouped.
        """
        gradients = [p.grad for p in self._head.parameters() if p.grad is not None]
        norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
        norm = torch.linalg.vector_norm(norms)
        if norm > MAX_GRADIENT_NORM:
            for gradient in gradients:
                gradient.mul_(MAX_GRADIENT_NORM / (norm + 1e-6))

    def _mean_loss(self, states: torch.Tensor, passages: IntArray) -> torch.Tensor:
        right = self._positives.index(passages, states.device)
        features = states.float()  # (B, n · D)
        torch.addcmul(self._offset, features, self._scaling.transform, out=features)
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
