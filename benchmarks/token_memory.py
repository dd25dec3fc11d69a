"""Peak memory and speed of training on token states that stay on disk, against a plain loop in memory.

    python -m benchmarks.token_memory [--documents 100] [--tokens 2000] [--dimension 2048] [--output FILE]

Random states of that many documents are written through the cache that a job writes them through, then a
linear bigram identifier is trained on them. The peer holds all states in memory as a bfloat16 tensor and does
what one would write down first: shuffle, index, concatenate, BCE, clip, Adam (of the same implementation).
Each measurement runs in a process of its own on one core, the two taking turns; its peak is what the kernel
counted, interpreter and libraries included. Exits with 1 when the run on disk takes 4 GB or more, or longer
per token-sample than the peer (medians over the rounds).
"""

import argparse
import json
import math
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.machine import describe_machine
from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_cache import TokenCache
from sip_model.backbones.token_states import TokenStates
from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.fitting import FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.threads import one_thread
from sip_model.identifiers.token_learner import MAX_GRADIENT_NORM, TokenLearner, fit_scaling
from sip_model.identifiers.token_rows import TokenRows

LIMIT_BYTES = 4 * 10**9
CHARACTERS_PER_TOKEN = 4.5


@dataclass(frozen=True)
class Size:
    """Of the states; every document is a source of its own."""

    documents: int
    tokens: int
    dimension: int
    ngram: int
    epochs: int


@dataclass(frozen=True)
class Measurement:
    """One step of the benchmark."""

    step: str
    seconds: float
    samples: int
    """Token-samples that were stepped on, epochs counted."""
    peak_bytes: int
    """Peak resident memory of the step's process."""

    @property
    def microseconds_per_sample(self) -> float:
        """0 where nothing was trained."""
        return 1e6 * self.seconds / self.samples if self.samples else 0.0


def store_of(folder: Path, size: Size) -> StateStore:
    """The states, random ones being computed in the place of a backbone's."""
    info = BackboneInfo("random", "r", "gpt_neox", True, 1, size.dimension, size.tokens, ("mean",))
    texts = [f"{number:>{round(size.tokens * CHARACTERS_PER_TOKEN)}}" for number in range(size.documents)]

    def compute(taken: list[str]) -> TokenStates:
        num_tokens = len(taken) * size.tokens
        generator = torch.Generator().manual_seed(int(taken[0]))
        states = torch.randn(num_tokens, size.dimension, generator=generator).to(torch.bfloat16)
        return TokenStates(
            states.view(torch.int16).numpy(),
            np.full(len(taken), size.tokens),
            np.zeros((num_tokens, 2), np.int64),
            num_tokens,
            np.zeros(len(taken), np.bool_),
        )

    return TokenCache(folder).states(info, "bfloat16", texts, 0, size.tokens, compute).store


def write(folder: Path, size: Size) -> tuple[float, int]:
    """Fill the cache."""
    started = time.perf_counter()
    store_of(folder, size)
    return time.perf_counter() - started, 0


def stream(folder: Path, size: Size) -> tuple[float, int]:
    """Train from the store: reading, shuffling, steps and the loss on a few validation rows."""
    rows = TokenRows(store_of(folder, size), size.ngram)
    numbers = rows.of(np.arange(size.documents))
    loss = LOSSES["bce"]
    width = rows.num_features
    learner = TokenLearner(
        rows,
        fit_scaling(rows, numbers),
        build_head(width, (), size.documents, loss.output_bias(size.documents), torch.Generator()),
        loss,
        Positives.from_lists([np.array([document]) for document in range(size.documents)]),
        TrainingConfig(weight_decay=0.0),
    )
    started = time.perf_counter()
    fit(
        learner,
        numbers,
        numbers[:64],
        epochs=size.epochs,
        patience=size.epochs,
        batch_size=64,
        seed=0,
        state=FitState(),
        on_epoch=lambda _: None,
        read_ahead=learner.read_ahead,
    )
    return time.perf_counter() - started, len(numbers) * size.epochs


def in_memory(folder: Path, size: Size) -> tuple[float, int]:
    """The plain loop over a tensor of all states."""
    store = store_of(folder, size)
    states = store.read(np.arange(int(store.starts[-1])))  # (tokens, D) bfloat16
    sources = torch.arange(size.documents).repeat_interleave(size.tokens)  # (tokens,)
    lasts = torch.arange(len(states)).reshape(size.documents, size.tokens)[:, size.ngram - 1 :].reshape(-1)
    head = nn.Linear(size.ngram * size.dimension, size.documents)
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, -math.log(size.documents - 1))
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-3, fused=True)
    started = time.perf_counter()
    with one_thread():
        for _ in range(size.epochs):
            for batch in lasts[torch.randperm(len(lasts))].split(64):
                gram = [states[batch - back] for back in range(size.ngram - 1, -1, -1)]
                target = torch.zeros(len(batch), size.documents)
                target[torch.arange(len(batch)), sources[batch]] = 1
                outputs = head(torch.cat(gram, dim=1).float())
                loss = binary_cross_entropy_with_logits(outputs, target, reduction="sum") / len(batch)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(head.parameters(), MAX_GRADIENT_NORM)
                optimizer.step()
    return time.perf_counter() - started, len(lasts) * size.epochs


Step = Callable[[Path, Size], tuple[float, int]]


def measure(step: Step, folder: Path, size: Size) -> Measurement:
    """Run `step` in a fresh process and read its peak memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        measurement = pool.apply(run_and_count, (step, folder, size))
    print(
        f"{measurement.step:10}{measurement.peak_bytes / 2**20:8.0f} MiB{measurement.seconds:8.1f} s"
        f"{measurement.microseconds_per_sample:9.1f} µs per token-sample",
        flush=True,
    )
    return measurement


def run_and_count(step: Step, folder: Path, size: Size) -> Measurement:
    seconds, samples = step(folder, size)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Measurement(step.__name__, seconds, samples, peak)


def main() -> int:
    parser = argparse.ArgumentParser(description="Memory and speed of training on token states on disk.")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=2000, help="per document")
    parser.add_argument("--dimension", type=int, default=2048, help="of a token's state")
    parser.add_argument("--ngram", type=int, default=2, choices=(1, 2, 3))
    parser.add_argument("--epochs", type=int, default=1, help="per round")
    parser.add_argument("--rounds", type=int, default=3, help="of the two by turns")
    parser.add_argument("--folder", type=Path, help="for the states; a temporary folder if not given")
    parser.add_argument("--output", type=Path, help="a JSON file for the measurements")
    arguments = parser.parse_args()
    size = Size(arguments.documents, arguments.tokens, arguments.dimension, arguments.ngram, arguments.epochs)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        done = [measure(write, Path(folder), size)]
        for _ in range(arguments.rounds):
            done += [measure(step, Path(folder), size) for step in (stream, in_memory)]
    return report(size, done, arguments.output)


def report(size: Size, done: list[Measurement], output: Path | None) -> int:
    """Print and save what was measured; 1 where a bound is missed."""
    mine, peer = (
        statistics.median(m.microseconds_per_sample for m in done if m.step == step.__name__)
        for step in (stream, in_memory)
    )
    peak = max(m.peak_bytes for m in done if m.step != in_memory.__name__)
    held = peak < LIMIT_BYTES and mine <= peer
    print(
        f"peak {peak / 1e9:.2f} GB of {LIMIT_BYTES / 1e9:.0f} GB, time per token-sample "
        f"{mine / peer:.2f} of the plain loop's: {'held' if held else 'missed'}"
    )
    if output:
        result = {
            "machine": describe_machine(),
            "size": asdict(size),
            "state_bytes": 2 * size.documents * size.tokens * size.dimension,
            "peak_bytes": peak,
            "time_ratio": mine / peer,
            "measurements": [
                asdict(m) | {"microseconds_per_sample": m.microseconds_per_sample} for m in done
            ],
        }
        output.write_text(json.dumps(result, indent=2) + "\n")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
