"""The backbone and the head over it in training together, the backbone in smaller steps."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import nn
from torch.nn.functional import dropout

from sip_model.backbones.pooling import Pool
from sip_model.backbones.states import TextStates, TokenBatch, thinned
from sip_model.backbones.trainable import TrainableBackbone
from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.learners import State
from sip_model.identifiers.losses import Loss
from sip_model.identifiers.positives import IntArray, PositiveIndex, Positives

# Share of all steps in which the step sizes rise to their full height, before they fall to zero.
WARM_UP = 0.1

# Logarithms of the scales tried for outputs: from a tenth to three times their own.
SCALES = (math.log(0.1), math.log(3))

# Samples per forward pass where no gradient is needed.
EVALUATION_ROWS = 64


class BackboneLearner:
    """Upper blocks of a backbone and a head, with AdamW in two groups of step sizes.

    Both step sizes rise linearly over the first tenth of the steps and then fall linearly to zero. Gradients
    are clipped by their common norm. Weights stay in float32; matrix products run in bfloat16 where the
    device is quicker at it, see :func:`product_dtype`. A batch is dealt to passes by the length of its texts
    and their gradients are added up, so padding costs little and memory is bounded.

    A few thousand samples are learned by heart in an epoch. Steps therefore read texts that some tokens are
    left out of, and the head sees some of the whitened features only: both take part anew in every epoch.
    What is left out is drawn from the seed and the number of the step, so no generator's state is kept.

    Args:
        texts: what the blocks in training read, of n texts.
        trainable: the backbone.
        pool: how token states become one vector.
        features: (n, K, D) float32 of the layers read, those that training changes included.
        changing: which of the K layers those are.
        branch: whitening, which stays as it is, head and loss.
        positives: of the n samples.
        training: step sizes, decay, clipping, how many passes a step takes at least.
        num_steps: that the schedule stretches over.
        seed: of dropout.
        products: dtype of matrix products.
    """

    def __init__(
        self,
        texts: TextStates,
        trainable: TrainableBackbone,
        pool: Pool,
        features: torch.Tensor,
        changing: tuple[int, ...],
        branch: BackboneBranch,
        positives: Positives,
        training: TrainingConfig,
        *,
        num_steps: int,
        seed: int,
        products: torch.dtype,
    ) -> None:
        self._texts = texts
        self._trainable = trainable
        self._pool = pool
        self._features = features
        self._changing = changing
        self._whitening = branch.whitening
        self._head = branch.head
        self._loss = branch.loss
        self._num_sources = branch.num_sources
        self._positives = positives
        self._training = training
        self._num_steps = num_steps
        self._seed = seed
        self._products = products
        self._device = features.device
        self._num_done = 0
        if training.gradient_checkpointing:
            trainable.compute_activations_twice()
        if training.dropout is not None:
            trainable.set_dropout(training.dropout)
        self._optimizer = torch.optim.AdamW(self._groups())
        self.num_tokens = 0
        """Tokens learned from so far in this process."""

    def step(self, rows: IntArray) -> float:
        """One step of AdamW."""
        self._trainable.train()
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        max_rows = math.ceil(len(rows) / (self._training.accumulate or 1))
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(int(np.random.SeedSequence([self._seed, self._num_done]).generate_state(1)[0]))
            for part in self._texts.passes(rows, max_rows):
                # each pass counts by its samples, so that the sum is the mean over the batch
                outputs, positives = (
                    self._training_outputs(rows[part]),
                    self._positives.index(rows[part], self._device),
                )
                loss = self._loss(outputs, positives) * (len(part) / len(rows))
                torch.autograd.backward(loss)
                total += float(loss.detach())
        self._set_step_sizes()
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, self._training.max_gradient_norm or math.inf)
        self._optimizer.step()
        self._num_done += 1
        self.num_tokens += int(self._texts.lengths[rows].sum())
        return total

    @torch.no_grad()
    def loss(self, rows: IntArray) -> float:
        """Mean loss over samples without dropout, see :func:`loss_at_best_scale`."""
        self._trainable.eval()
        outputs: torch.Tensor | None = None
        for part in self._texts.passes(rows, EVALUATION_ROWS):
            found = self._outputs(rows[part]).cpu()
            outputs = torch.zeros(len(rows), found.shape[1]) if outputs is None else outputs
            outputs[torch.from_numpy(part)] = found
        if outputs is None:
            return math.nan
        positives = self._positives.index(rows, outputs.device)
        return loss_at_best_scale(outputs, positives, self._loss, self._num_sources)

    def weights(self) -> State:
        """The head's and the trained weights of the backbone."""
        head = {f"head.{name}": value.detach() for name, value in self._head.named_parameters()}
        return head | {
            f"backbone.{name}": value.detach() for name, value in self._trainable.parameters.items()
        }

    def state(self) -> State:
        """Weights, AdamW's moments and the number of steps, which says where the schedule is."""
        moments = {
            f"adam.{number}.{name}": value
            for number, entry in self._optimizer.state_dict()["state"].items()
            for name, value in entry.items()
        }
        return self.weights() | moments | {"steps": torch.tensor(self._num_done)}

    def load_state(self, state: State) -> None:
        """Go on from a state, or from weights alone with a fresh optimiser."""
        own = self.weights()
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(state[name])
        entries: dict[int, State] = {}
        for key, value in state.items():
            if key.startswith("adam."):
                _, number, name = key.split(".")
                entries.setdefault(int(number), {})[name] = value
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": entries})
        self._num_done = int(state["steps"]) if "steps" in state else 0

    def _training_outputs(self, rows: IntArray) -> torch.Tensor:
        """Of the head, (B, outputs), some tokens and features being left out."""
        batch = thinned(self._texts.batch(rows), self._training.token_dropout or 0.0)
        features = self._whitened(rows, batch)
        outputs: torch.Tensor = self._head(dropout(features, self._training.feature_dropout or 0.0))
        return outputs

    def _outputs(self, rows: IntArray) -> torch.Tensor:
        """Of the head, (B, outputs)."""
        outputs: torch.Tensor = self._head(self._whitened(rows, self._texts.batch(rows)))
        return outputs

    def _whitened(self, rows: IntArray, batch: TokenBatch) -> torch.Tensor:
        """Features of all layers read, (B, K · D)."""
        with self._autocast():
            tuned = self._trainable.pooled(batch.ids, batch.mask, batch.states, self._pool)  # (B, K', D)
        features = self._features[torch.from_numpy(rows).to(self._device)]  # (B, K, D)
        features = features.index_copy(1, torch.tensor(self._changing, device=self._device), tuned.float())
        return self._whitening(features.flatten(1))

    def _autocast(self) -> AbstractContextManager[object]:
        if self._products == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._products)

    def _groups(self) -> list[dict[str, object]]:
        """The head's weights, then the backbone's; vectors (biases and norms) don't decay."""
        training = self._training
        groups: list[dict[str, object]] = []
        for rate, parameters in (
            (training.learning_rate, list(self._head.parameters())),
            (training.backbone_learning_rate, list(self._trainable.parameters.values())),
        ):
            for is_matrix, decay in ((True, training.weight_decay), (False, 0.0)):
                chosen = [parameter for parameter in parameters if (parameter.dim() > 1) == is_matrix]
                if chosen:
                    groups.append({"params": chosen, "lr": rate, "peak": rate, "weight_decay": decay})
        return groups

    def _set_step_sizes(self) -> None:
        share = schedule(self._num_done, self._num_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * share


def loss_at_best_scale(
    outputs: torch.Tensor, positives: PositiveIndex, loss: Loss, num_sources: int
) -> float:
    """Mean loss with outputs at the scale that suits these samples best.

    Training grows surer of itself long after it has stopped to grow worse: the scale is fitted on the
    validation part anyway when branches are added up, so it must not decide when to stop.

    Args:
        outputs: of a head, (B, K).
        positives: of the B samples.
        loss: that the head was trained with.
        num_sources: C.
    """
    centre = loss.output_bias(num_sources)

    def at_scale(log_scale: float) -> float:
        return float(loss(centre + (outputs - centre) * math.exp(log_scale), positives))

    best = minimize_scalar(at_scale, bounds=SCALES, method="bounded", options={"xatol": 1e-3})
    return float(best.fun)


def schedule(step: int, num_steps: int) -> float:
    """Share of the full step size at a step, counted from 0: up over the first tenth, then down to zero."""
    num_rising = max(1, round(WARM_UP * num_steps))
    if step < num_rising:
        return (step + 1) / num_rising
    return max(0.0, (num_steps - step) / max(1, num_steps - num_rising))


def product_dtype(device: torch.device, dtype: Literal["float32", "bfloat16"]) -> torch.dtype:
    """Arithmetic of matrix products in training.

    bfloat16 on GPUs that have it and on CPUs with tile registers (AMX), unless `dtype` says float32. CPUs
    that have bfloat16 vector instructions alone take twice as long with it as with float32.

    Args:
        device: where the backbone is trained.
        dtype: arithmetic in which its features will be read.
    """
    if dtype == "float32":
        return torch.float32
    if device.type == "cuda":
        is_quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        is_quick = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return torch.bfloat16 if is_quick else torch.float32
