"""How long a language model is trained, and with what step size when."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.errors import InvalidInputError
from sip_model.experiments.pretrain import PretrainBlock

FINAL_SHARE = 0.1
"""Of the highest learning rate, at the end."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which sequences each step reads, and its learning rate: both follow from the step's number alone."""

    num_sequences: int
    """Of the training stream (N)."""
    batch_sequences: int
    """Sequences per step (S)."""
    num_steps: int
    num_warmup_steps: int
    learning_rate: float
    seed: int

    @classmethod
    def of(cls, config: PretrainBlock, num_sequences: int, learning_rate: float, seed: int) -> "Schedule":
        """The schedule of a configuration; `InvalidInputError` when the text doesn't make one sequence."""
        if num_sequences == 0:
            raise InvalidInputError(
                ("pretrain", "context"),
                "training text of at least one sequence",
                f"fewer than {config.context} tokens",
                "Shorten the context, or add text",
            )
        wanted = config.epochs * num_sequences
        if config.max_tokens is not None:
            wanted = min(wanted, config.max_tokens // config.context)
        batch = min(wanted, config.batch_tokens // config.context)
        num_steps = wanted // batch
        warmup = math.ceil(config.warmup * num_steps)
        return cls(num_sequences, batch, num_steps, warmup, learning_rate, seed)

    def sequences(self, step: int) -> npt.NDArray[np.int64]:
        """Numbers of the sequences of a step (from 0), (S,): every epoch has an order of its own."""
        places = np.arange(step * self.batch_sequences, (step + 1) * self.batch_sequences)
        epochs, within = np.divmod(places, self.num_sequences)
        numbers = np.empty_like(places)
        for epoch in np.unique(epochs).tolist():
            order = np.random.default_rng([self.seed, epoch]).permutation(self.num_sequences)
            numbers[epochs == epoch] = order[within[epochs == epoch]]
        return numbers

    def rate(self, step: int) -> float:
        """Learning rate of a step (from 0): a linear rise, then a cosine down to `FINAL_SHARE` of the top."""
        if step < self.num_warmup_steps:
            return self.learning_rate * (step + 1) / self.num_warmup_steps
        done = (step - self.num_warmup_steps) / max(1, self.num_steps - self.num_warmup_steps)
        return self.learning_rate * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * done)))
