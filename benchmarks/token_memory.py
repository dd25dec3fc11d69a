"""Peak memory and speed of training on token states that stay on disk, against a plain loop in memory.

    python -m benchmarks.token_memory [--documents 100] [--tokens 2000] [--dimension 2048] [--output FILE]

Random states of that many documents are written through the cache that a job writes them through, then a
linear bigram identifier is trained on them for an epoch. Each step runs in a process of its own; its peak is
what the kernel counted, interpreter and libraries included. Then, in one process, training from disk and the
peer take turns of a few steps on the same samples, so that whatever else runs meets both alike. Steps use one
core; training from disk reads ahead in a second thread. A round is as many samples as are read together; the
median of the rounds' ratios counts. The peer holds all states in memory as a bfloat16 tensor and does what
one would write down first: shuffle, index, concatenate, BCE, clip, Adam (of the same implementation). It
leaves out the scaling of the states, which training from disk does at every step. Exits with 1 when training
from disk takes 4 GB or more, or longer per token-sample than the peer.
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
from sip_model.identifiers.fitting import ROWS_AHEAD, FitState, fit
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.threads import one_thread
from sip_model.identifiers.token_learner import MAX_GRADIENT_NORM, TokenLearner, fit_scaling
from sip_model.identifiers.token_rows import TokenRows

LIMIT_BYTES = 4 * 10**9
CHARACTERS_PER_TOKEN = 4.5
BATCH = 64

# Steps in a row of one side, before it is the other's turn.
TURN = 8


@dataclass(frozen=True)
class Size:
    """Of the states; every document is a source of its own."""

    documents: int
    tokens: int
    dimension: int
    ngram: int


@dataclass(frozen=True)
class Round:
    """The same samples on both sides."""

    samples: int
    seconds: float
    """From disk, reading included."""
    peer_seconds: float

    @property
    def ratio(self) -> float:
        """Above 1 where training from disk took longer."""
        return self.seconds / self.peer_seconds


@dataclass(frozen=True)
class Result:
    """What a step did."""

    samples: int
    """Token-samples stepped on."""
    seconds: float
    rounds: tuple[Round, ...] = ()
    """Of the comparison with the peer."""


@dataclass(frozen=True)
class Measurement:
    """One step of the benchmark."""

    step: str
    result: Result
    peak_bytes: int
    """Peak resident memory of the step's process."""


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


def write(folder: Path, size: Size) -> Result:
    """Fill the cache."""
    started = time.perf_counter()
    store_of(folder, size)
    return Result(0, time.perf_counter() - started)


def stream(folder: Path, size: Size) -> Result:
    """Train from the store for an epoch: scaling, reading, shuffling, steps and the loss on a few rows."""
    started = time.perf_counter()
    learner, numbers = make_learner(folder, size)
    fit(
        learner,
        numbers,
        numbers[:64],
        epochs=1,
        patience=1,
        batch_size=BATCH,
        seed=0,
        state=FitState(),
        on_epoch=lambda _: None,
        read_ahead=learner.read_ahead,
    )
    return Result(len(numbers), time.perf_counter() - started)


def compare(folder: Path, size: Size) -> Result:
    """Rounds of `ROWS_AHEAD` samples, from disk and in memory by turns."""
    started = time.perf_counter()
    learner, numbers = make_learner(folder, size)
    peer = PlainLoop(store_of(folder, size), size)
    order = np.random.default_rng(0).permutation(numbers)
    with one_thread():
        rounds = [
            compare_round(
                learner,
                peer,
                order[start : start + ROWS_AHEAD],
                order[start + ROWS_AHEAD : start + 2 * ROWS_AHEAD],
            )
            for start in range(0, len(order), ROWS_AHEAD)
        ]
    return Result(len(order), time.perf_counter() - started, tuple(rounds))


def compare_round(learner: TokenLearner, peer: "PlainLoop", order: IntArray, after: IntArray) -> Round:
    """One round; training from disk has the first turn, during which it reads the next round's samples."""
    begun = time.perf_counter()
    learner.read_ahead(order, after)
    mine, theirs = time.perf_counter() - begun, 0.0
    for number, start in enumerate(range(0, len(order), TURN * BATCH)):
        samples = order[start : start + TURN * BATCH]
        batches = [samples[first : first + BATCH] for first in range(0, len(samples), BATCH)]
        if number % 2 == 0:
            mine += seconds_of(learner.step, batches)
        theirs += seconds_of(peer.step, batches)
        if number % 2 == 1:
            mine += seconds_of(learner.step, batches)
    return Round(len(order), mine, theirs)


def seconds_of(step: Callable[[IntArray], float], batches: list[IntArray]) -> float:
    """Of a turn."""
    begun = time.perf_counter()
    for batch in batches:
        step(batch)
    return time.perf_counter() - begun


def make_learner(folder: Path, size: Size) -> tuple[TokenLearner, IntArray]:
    """A linear identifier over the store, and all rows."""
    rows = TokenRows(store_of(folder, size), size.ngram)
    numbers = rows.of(np.arange(size.documents))
    loss = LOSSES["bce"]
    bias = loss.output_bias(size.documents)
    head = build_head(rows.num_features, (), size.documents, bias, torch.Generator())
    positives = Positives.from_lists([np.array([document]) for document in range(size.documents)])
    training = TrainingConfig(weight_decay=0.0)
    return TokenLearner(rows, fit_scaling(rows, numbers), head, loss, positives, training), numbers


class PlainLoop:
    """A step of the loop over a tensor of all states."""

    def __init__(self, store: StateStore, size: Size) -> None:
        self.states = store.read(np.arange(int(store.starts[-1]))[:, None])  # (tokens, D) bfloat16
        self.sources = torch.arange(size.documents).repeat_interleave(size.tokens)  # (tokens,)
        self.size = size
        self.head = nn.Linear(size.ngram * size.dimension, size.documents)
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, -math.log(size.documents - 1))
        self.optimizer = torch.optim.Adam(self.head.parameters(), lr=1e-3, fused=True)

    def step(self, rows: IntArray) -> float:
        """One step on rows named by their last token, (B,)."""
        lasts = torch.from_numpy(rows)
        gram = [self.states[lasts - back] for back in range(self.size.ngram - 1, -1, -1)]
        target = torch.zeros(len(lasts), self.size.documents)
        target[torch.arange(len(lasts)), self.sources[lasts]] = 1
        outputs = self.head(torch.cat(gram, dim=1).float())
        loss = binary_cross_entropy_with_logits(outputs, target, reduction="sum") / len(lasts)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.head.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        return loss.item()


Step = Callable[[Path, Size], Result]


def measure(step: Step, folder: Path, size: Size) -> Measurement:
    """Run `step` in a fresh process and read its peak memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        done = pool.apply(run_and_count, (step, folder, size))
    print(
        f"{done.step:10}{done.peak_bytes / 2**20:8.0f} MiB{done.result.seconds:8.1f} s "
        f"{done.result.samples} token-samples",
        flush=True,
    )
    return done


def run_and_count(step: Step, folder: Path, size: Size) -> Measurement:
    result = step(folder, size)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Measurement(step.__name__, result, peak)


def main() -> int:
    parser = argparse.ArgumentParser(description="Memory and speed of training on token states on disk.")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=2000, help="per document")
    parser.add_argument("--dimension", type=int, default=2048, help="of a token's state")
    parser.add_argument("--ngram", type=int, default=2, choices=(1, 2, 3))
    parser.add_argument("--folder", type=Path, help="for the states; a temporary folder if not given")
    parser.add_argument("--output", type=Path, help="a JSON file for the measurements")
    arguments = parser.parse_args()
    size = Size(arguments.documents, arguments.tokens, arguments.dimension, arguments.ngram)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        done = [measure(step, Path(folder), size) for step in (write, stream, compare)]
    return report(size, done, arguments.output)


def report(size: Size, done: list[Measurement], output: Path | None) -> int:
    """Print and save what was measured; 1 where a bound is missed."""
    written, streamed, compared = done
    peak = max(written.peak_bytes, streamed.peak_bytes)
    rounds = compared.result.rounds
    ratio = statistics.median(each.ratio for each in rounds)
    held = peak < LIMIT_BYTES and ratio <= 1
    mine = 1e6 * statistics.median(each.seconds / each.samples for each in rounds)
    peer = 1e6 * statistics.median(each.peer_seconds / each.samples for each in rounds)
    print(
        f"peak {peak / 1e9:.2f} GB of {LIMIT_BYTES / 1e9:.0f} GB; {mine:.1f} µs per token-sample from disk, "
        f"{peer:.1f} µs in memory, median ratio of {len(rounds)} rounds {ratio:.3f}: "
        f"{'held' if held else 'missed'}"
    )
    if output:
        result = {
            "machine": describe_machine(),
            "size": asdict(size),
            "state_bytes": 2 * size.documents * size.tokens * size.dimension,
            "peak_bytes": peak,
            "time_ratio": ratio,
            "measurements": [asdict(measurement) for measurement in done],
        }
        output.write_text(json.dumps(result, indent=2) + "\n")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
