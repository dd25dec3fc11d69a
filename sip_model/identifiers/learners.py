"""One branch in training: how it takes a step, and what it needs to go on later as if nothing happened."""

from typing import Protocol

import numpy as np
import torch
from scipy import sparse
from torch import nn

from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.adam import adam_state, load_adam_state
from sip_model.identifiers.losses import Loss
from sip_model.identifiers.positives import IntArray, Positives

LEXICAL_LEARNING_RATE = 0.05

# Samples per forward pass where no gradient is needed.
EVALUATION_ROWS = 4096

State = dict[str, torch.Tensor]


class Learner(Protocol):
    """What :func:`sip_model.identifiers.fitting.fit` trains; samples are named by their row numbers."""

    def step(self, rows: IntArray) -> float:
        """One optimiser step on a batch; its loss before the step."""

    def loss(self, rows: IntArray) -> float:
        """Mean loss over samples, without learning from them."""

    def weights(self) -> State:
        """What the best epoch is remembered by."""

    def state(self) -> State:
        """Weights and optimiser."""

    def load_state(self, state: State) -> None:
        """Go on from what `state` returned."""


class HeadLearner:
    """A head over features with Adam and decoupled weight decay.

    Args:
        features: (n, D) float32 on the training device, whitened.
        head: (B, D) -> (B, K) on the same device.
        loss: what is minimised.
        positives: of the n samples.
        training: step size and weight decay.
    """

    def __init__(
        self,
        features: torch.Tensor,
        head: nn.Sequential,
        loss: Loss,
        positives: Positives,
        training: TrainingConfig,
    ) -> None:
        self._features = features
        self._head = head
        self._loss = loss
        self._positives = positives
        self._optimizer = torch.optim.AdamW(
            head.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )

    def step(self, rows: IntArray) -> float:
        """One step of Adam."""
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._mean_loss(rows)
        torch.autograd.backward(loss)
        self._optimizer.step()
        return float(loss.detach())

    @torch.no_grad()
    def loss(self, rows: IntArray) -> float:
        """Mean loss over samples."""
        total = 0.0
        for start in range(0, len(rows), EVALUATION_ROWS):
            part = rows[start : start + EVALUATION_ROWS]
            total += float(self._mean_loss(part)) * len(part)
        return total / len(rows)

    def _mean_loss(self, rows: IntArray) -> torch.Tensor:
        device = self._features.device
        batch = self._features[torch.from_numpy(rows).to(device)]  # (B, D)
        return self._loss(self._head(batch), self._positives.index(rows, device))

    def weights(self) -> State:
        """The head's parameters."""
        return {f"head.{name}": value.detach() for name, value in self._head.named_parameters()}

    def state(self) -> State:
        """Parameters, Adam's moments and step count."""
        return self.weights() | adam_state(self._optimizer)

    def load_state(self, state: State) -> None:
        """Go on from a state, or from weights alone with a fresh optimiser."""
        parameters = {key.removeprefix("head."): state[key] for key in state if key.startswith("head.")}
        self._head.load_state_dict(parameters)
        load_adam_state(self._optimizer, state)


class NgramLearner:
    """A linear map over sparse rows with Adagrad, one step size per n-gram.

    A step touches only the n-grams of its batch, so that its cost doesn't grow with the table. The step size
    is shared by a row of the weights (Duchi et al. 2011, with the mean of its squared gradients): rare
    n-grams keep learning. It runs on the CPU, whose sparse products are quick enough.

    Args:
        rows: (n, U) float32 TF-IDF rows of all samples.
        num_outputs: K.
        bias: of every output, not trained.
        loss: what is minimised.
        positives: of the n samples.
    """

    def __init__(
        self, rows: sparse.csr_matrix, num_outputs: int, bias: float, loss: Loss, positives: Positives
    ) -> None:
        self._rows = rows
        self._bias = bias
        self._loss = loss
        self._positives = positives
        self._weight = torch.zeros(rows.shape[1], num_outputs)  # (U, K)
        self._squares = torch.zeros(rows.shape[1], 1)  # (U, 1)

    def step(self, rows: IntArray) -> float:
        """One step of Adagrad on the n-grams of the batch, u of them."""
        batch = self._rows[rows]
        columns, inverse = np.unique(batch.indices, return_inverse=True)
        present = torch.from_numpy(columns.astype(np.int64))  # (u,)
        weight = self._weight[present].requires_grad_()  # (u, K)
        dense_rows = torch.from_numpy(np.repeat(np.arange(len(rows)), np.diff(batch.indptr)))
        values = torch.sparse_coo_tensor(
            torch.stack([dense_rows, torch.from_numpy(inverse.astype(np.int64))]),
            torch.from_numpy(batch.data),
            (len(rows), len(columns)),
            is_coalesced=True,
            check_invariants=False,
        )
        loss = self._loss(
            torch.sparse.mm(values, weight) + self._bias, self._positives.index(rows, weight.device)
        )
        (gradient,) = torch.autograd.grad(loss, weight)
        norms = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)  # (u, 1)
        squares = self._squares[present] + norms.square() / gradient.shape[1]
        self._squares[present] = squares
        # in place: these rows are many and wide, and a step takes as long as it takes to pass over them
        gradient.mul_(LEXICAL_LEARNING_RATE / squares.sqrt().clamp_min(1e-8))
        self._weight[present] = weight.detach().sub_(gradient)
        return float(loss.detach())

    def loss(self, rows: IntArray) -> float:
        """Mean loss over samples."""
        total = 0.0
        for start in range(0, len(rows), EVALUATION_ROWS):
            part = rows[start : start + EVALUATION_ROWS]
            outputs = torch.from_numpy(self._rows[part] @ self._weight.numpy()) + self._bias
            total += float(self._loss(outputs, self._positives.index(part, outputs.device))) * len(part)
        return total / len(rows)

    def weights(self) -> State:
        """The weights."""
        return {"weight": self._weight}

    def state(self) -> State:
        """Weights and accumulated squares."""
        return {"weight": self._weight, "squares": self._squares}

    def load_state(self, state: State) -> None:
        """Go on from a state, or from weights alone with fresh step sizes."""
        self._weight = state["weight"].clone()
        self._squares = state["squares"].clone() if "squares" in state else torch.zeros_like(self._squares)
