"""A trained bottleneck of two units."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, IntArray, Projection
from sip_model.identifiers.threads import one_thread

LEARNING_RATE = 0.01
STEPS = 400
PATIENCE = 40
"""Steps without a better validation loss before training stops."""


def fit_bottleneck(data: FittingData) -> Projection:
    """D → 2 → C, linear, trained with cross-entropy on the training states; the two units are the plane.

    Adam on all samples at once; of all steps the one with the lowest validation loss counts (the training
    loss where there is no validation state). Cross-entropy, since a line in the plane cuts off one class, yet
    not one that lies between others, as one-versus-all would need. It computes on the CPU: states are few.
    """
    scale = float(np.sqrt(np.square(data.features).mean())) or 1.0
    states, labels = _tensors(data.features, data.labels, scale)
    held_out, held_out_labels = (
        _tensors(data.validation, data.validation_labels, scale) if len(data.validation) else (states, labels)
    )
    encoder, decoder = _layers(states.shape[1], data.num_classes, data.seed)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=LEARNING_RATE)
    best_loss, best_step, best = math.inf, 0, encoder.weight.detach().clone()
    with one_thread():
        for step in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(cross_entropy(decoder(encoder(states)), labels))
            optimizer.step()
            with torch.no_grad():
                loss = float(cross_entropy(decoder(encoder(held_out)), held_out_labels))
            if loss < best_loss:
                best_loss, best_step, best = loss, step, encoder.weight.detach().clone()
            elif step - best_step >= PATIENCE:
                break
    axes = best.numpy().T.astype(np.float64) / scale  # (D, 2)

    def apply(features: FloatArray) -> Array:
        return np.asarray(features.astype(np.float64) @ axes)

    return Projection(apply, explained=None)


def _tensors(features: FloatArray, labels: IntArray, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(features / np.float32(scale)), torch.from_numpy(labels)


def _layers(dimension: int, num_classes: int, seed: int) -> tuple[nn.Linear, nn.Linear]:
    """The two linear maps, drawn with the seed; the first has no bias, since the states are centred."""
    generator = torch.Generator().manual_seed(seed)
    encoder, decoder = nn.Linear(dimension, 2, bias=False), nn.Linear(2, num_classes)
    nn.init.orthogonal_(encoder.weight, generator=generator)
    nn.init.normal_(decoder.weight, std=0.1, generator=generator)
    nn.init.zeros_(decoder.bias)
    return encoder, decoder
