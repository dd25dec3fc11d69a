"""The training loop of a causal language model."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel

from sip_model.backbones.pretraining.checkpoint import TrainingCheckpoint
from sip_model.backbones.pretraining.loss import NextTokenLoss
from sip_model.backbones.pretraining.ranks import ALONE, Ranks
from sip_model.backbones.pretraining.schedule import Schedule
from sip_model.backbones.pretraining.stream import TokenStream
from sip_model.experiments.pretrain import PretrainBlock

BETAS = (0.9, 0.95)
MAX_GRADIENT_NORM = 1.0
NUM_REPORTS = 200
"""Times the training loss is reported, at most."""
NUM_VALIDATIONS = 10
"""Times the validation loss is measured on the way."""
VALIDATION_TOKENS, FEWEST_VALIDATION_TOKENS = 16_384, 8_192
"""Read each time, evenly spaced over the validation part: at most, and in a short training."""
_VALIDATION_SHARE = 64
"""Between the two, one token is read for so many that are trained on in all."""


class Report(NamedTuple):
    """How far a training is."""

    step: int
    """Steps done, from 1."""
    num_steps: int
    train_loss: float
    """Mean cross-entropy in nats per token over the steps since the report before."""
    validation_loss: float | None
    """The same on the validation part; None where it wasn't measured."""
    num_tokens: int
    """Tokens trained on so far."""
    tokens_per_second: float
    """Since the report before."""


def pretrain(
    model: PreTrainedModel,
    train: TokenStream,
    validation: TokenStream,
    config: PretrainBlock,
    schedule: Schedule,
    *,
    device: str,
    checkpoint: TrainingCheckpoint,
    on_report: Callable[[Report], None],
    ranks: Ranks = ALONE,
) -> None:
    """Train a model in place: AdamW, gradients clipped to norm 1, the schedule's learning rate.

    Several processes that call this together (see `ranks`) each read a part of every step's sequences; the
    outcome is that of one process with as many passes per step, but for rounding.

    Args:
        model: float32 weights; moved to `device`, left in evaluation mode.
        train: what is learned from.
        validation: what `validation_loss` is measured on; may be empty.
        config: how.
        schedule: for `train`.
        device: torch device.
        checkpoint: goes on from it where it holds a state, and keeps it up to date (first process only).
        on_report: progress (first process only); called before the checkpoint that holds the step is written.
        ranks: this process among those that train together.

    Raises:
        ArtifactError: the checkpoint is damaged or of another run.
    """
    model.to(device).requires_grad_(True).train()
    if config.gradient_checkpointing:
        # the method's name until transformers 5.2x, then its new one
        enable = (
            getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        )
        enable()
    shared = ranks.share(NextTokenLoss(model))
    optimizer = _optimizer(model, config.weight_decay)
    position = checkpoint.restore(model, optimizer)
    autocast = torch.autocast(
        torch.device(device).type, torch.bfloat16, enabled=arithmetic(config.dtype, device) == "bfloat16"
    )
    num_validated = schedule.num_steps * schedule.batch_sequences * train.context // _VALIDATION_SHARE
    num_validated = min(VALIDATION_TOKENS, max(FEWEST_VALIDATION_TOKENS, num_validated))
    report_every = max(1, schedule.num_steps // NUM_REPORTS)
    validate_every = max(1, schedule.num_steps // NUM_VALIDATIONS)
    started, since = time.perf_counter(), position.step
    while position.step < schedule.num_steps:
        with autocast:
            loss = _step(shared, optimizer, train, config, schedule, position.step, device, ranks)
        position.step += 1
        position.loss_sum, position.loss_steps = position.loss_sum + loss, position.loss_steps + 1
        is_last = position.step == schedule.num_steps
        validates = is_last or position.step % validate_every == 0
        if validates or position.step % report_every == 0:
            tokens_per_step = schedule.batch_sequences * train.context
            speed = (position.step - since) * tokens_per_step / (time.perf_counter() - started)
            mean = position.loss_sum / position.loss_steps
            measured = None
            if validates and ranks.is_first and validation.num_sequences:
                with autocast:
                    measured = validation_loss(model, validation, device, num_validated)
            report = Report(
                position.step, schedule.num_steps, mean, measured, position.step * tokens_per_step, speed
            )
            if ranks.is_first:
                on_report(report)
            position.loss_sum, position.loss_steps = 0.0, 0
            started, since = time.perf_counter(), position.step
        if ranks.is_first:
            checkpoint.save_if_due(model, optimizer, position)
    model.requires_grad_(False).eval()


def arithmetic(dtype: str, device: str) -> str:
    """The dtype of the passes for a choice of dtype on a device.

    Unlike in reading, `auto` on a CPU is bfloat16 only with matrix tiles: without them the conversions of
    the backward pass cost more than the shorter numbers save (0.5 to 0.8 times the speed on AVX-512).
    """
    if dtype != "auto":
        return dtype
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu.get_capabilities().get("amx_bf16") else "float32"


def validation_loss(
    model: PreTrainedModel, validation: TokenStream, device: str, num_tokens: int = VALIDATION_TOKENS
) -> float:
    """Mean cross-entropy, nats per token, over at most `num_tokens` evenly spaced tokens."""
    wanted = max(1, min(validation.num_sequences, num_tokens // validation.context))
    numbers = (2 * np.arange(wanted) + 1) * validation.num_sequences // (2 * wanted)
    total, loss = 0.0, NextTokenLoss(model)
    model.eval()
    with torch.no_grad():
        for rows in np.array_split(numbers, -(-wanted * validation.context // 4096)):
            inputs, targets = (tensor.to(device) for tensor in validation.sequences(rows))  # (B, T)
            total += float(loss(inputs, targets))
    model.train()
    return total / (wanted * validation.context)


def _optimizer(model: PreTrainedModel, weight_decay: float) -> torch.optim.AdamW:
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=BETAS, fused=True)


def _step(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    train: TokenStream,
    config: PretrainBlock,
    schedule: Schedule,
    step: int,
    device: str,
    ranks: Ranks,
) -> float:
    """One optimiser step; returns the mean loss over all its sequences."""
    numbers = schedule.sequences(step)
    num_passes = ranks.size * -(-config.accumulate // ranks.size)
    mine = np.array_split(numbers, min(num_passes, len(numbers)))[ranks.rank :: ranks.size]
    num_tokens = len(numbers) * train.context
    torch.manual_seed((schedule.seed << 20) + step * ranks.size + ranks.rank)  # dropout's
    total = torch.zeros((), device=device)
    for number, rows in enumerate(mine):
        inputs, targets = (tensor.to(device, non_blocking=True) for tensor in train.sequences(rows))
        with ranks.without_exchange(model, number < len(mine) - 1):
            loss = model(inputs, targets) / num_tokens
            # the exchange takes the mean over the processes
            torch.autograd.backward(loss * ranks.size)
        total += loss.detach()
    torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
    for group in optimizer.param_groups:
        group["lr"] = schedule.rate(step)
    optimizer.step()
    optimizer.zero_grad()
    return float(ranks.total(total))
