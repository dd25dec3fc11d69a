"""Embeddings and classifications over HTTP beside Infinity and a naive handler, in one interleaved run.

    python -m benchmarks.serving [--infinity VENV] [--rounds 5] [--quick]

VENV is a virtual environment with `infinity-emb[server,torch]`, started once in bfloat16, once in float32;
the naive handler is sentence-transformers behind FastAPI. All have the same weights (the bundled MiniLM)
and get the same texts, none of them twice; that their vectors agree is checked first. In each round every
server is asked in turn, in another order each time, so that what else the machine does falls on all alike.
Ratios are of one round; their median is printed and, with everything else, kept in benchmarks/serving.json.
Where other programs take the cores, `texts_per_cpu_second` says what each makes of the processor time it
gets.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.machine import describe_machine, library_versions
from benchmarks.serving_direct import Direct, direct_engine
from benchmarks.serving_load import closed_loop, quantiles
from benchmarks.serving_peers import OURS, Peer, running_peers
from benchmarks.serving_texts import MixedTexts
from client import Client

LIBRARIES = ("source-identification", "torch", "transformers", "sentence-transformers", "fastapi", "uvicorn")
MIN_COSINE = 0.999
SINGLE = 10
"""Texts that the direct call is asked for one by one."""
SOURCES = 100
CLASSIFY = {"/classify": {}, "/classify, evidence": {"evidence": 3}}

RATES = ("texts_per_second", "texts_per_cpu_second")

Measured = dict[str, dict[str, float]]
"""Server or what else was asked → its numbers in one round."""


class Cell(NamedTuple):
    """A closed loop."""

    clients: int
    texts: int
    """Per request."""
    requests: int

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.clients} x {self.texts}"


CELLS = (Cell(1, 1, 16), Cell(8, 1, 48), Cell(32, 1, 96), Cell(1, 32, 2), Cell(8, 32, 8), Cell(32, 32, 32))
CLASSIFIED = Cell(8, 32, 8)
"""What classifications are measured with."""
QUICK = (Cell(1, 1, 8), Cell(32, 1, 64), Cell(8, 32, 8))


def main() -> int:
    arguments = _parser().parse_args()
    cells = QUICK if arguments.quick else CELLS
    texts = MixedTexts()
    rounds: list[dict[str, Measured]] = []
    with running_peers(arguments.infinity) as (client, peers), direct_engine() as direct:
        check_agreement(peers, texts.take(8))
        model = None if arguments.quick else trained_model(client)
        for number in range(arguments.rounds):
            order = peers[number % len(peers) :] + peers[: number % len(peers)]
            rounds.append({"machine": {"load": {"average": os.getloadavg()[0]}}})
            for name, found in measure_round(order, direct, model, cells, texts):
                rounds[-1][name] = found
                print(*lines(f"{number + 1}. {name}", found), sep="\n", flush=True)
            results = results_of(rounds, peers, arguments)
            arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\nmedian over rounds of ours / theirs")
    for name, ratio in results["ratios"].items():
        print(f"{name:45} {ratio:6.2f}")
    for name, peak in results["peak_bytes"].items():
        print(f"peak memory, {name:32} {peak / 2**20:6.0f} MiB")
    return 0


def results_of(
    rounds: Sequence[dict[str, Measured]], peers: Sequence[Peer], arguments: argparse.Namespace
) -> dict[str, Any]:
    """What is kept: everything that was measured until now."""
    return {
        "command": " ".join(["python -m benchmarks.serving", *(["--quick"] if arguments.quick else [])]),
        "machine": describe_machine(),
        "versions": library_versions(LIBRARIES),
        "ratios": ratios(rounds),
        "peak_bytes": {peer.name: peer.peak_bytes for peer in peers},
        "rounds": rounds,
    }


def check_agreement(peers: Sequence[Peer], texts: Sequence[str]) -> None:
    """Raise `RuntimeError` unless all servers give the same vectors."""
    ours = peers[0].vectors(texts)
    for peer in peers[1:]:
        theirs = peer.vectors(texts)
        cosine = float((ours * theirs).sum(1).min() / np.linalg.norm(theirs, axis=1).max())
        if cosine < MIN_COSINE:
            raise RuntimeError(f"vectors of {peer.name}: expected cosine {MIN_COSINE}, found {cosine:.5f}")


def trained_model(client: Client) -> str:
    """A hybrid model of 100 sources, to classify with."""
    dataset = client.datasets.builtin("python-docs")
    config = {"sources": {"limit": SOURCES}, "chunk": {"max_per_source": 40}, "backbone": {"layers": "last"}}
    experiment = client.experiments.create("train", dataset["id"], config=config)
    ended = client.wait(experiment["id"])
    if ended["model"] is None:
        raise RuntimeError(f"the model was not trained: {ended['error']}")
    return str(ended["model"])


def measure_round(
    peers: Sequence[Peer], direct: Direct, model: str | None, cells: Sequence[Cell], texts: MixedTexts
) -> Iterator[tuple[str, Measured]]:
    """Everything once: what it is called, and its numbers."""
    for cell in cells:
        yield cell.name, measure(peers, cell, texts)
    yield "direct", {"direct": measure_direct(direct, texts, CLASSIFIED)}
    if model is not None:
        ours = next(peer for peer in peers if peer.name == OURS)
        yield "classify", measure_classify(ours, model, texts)


def measure(peers: Sequence[Peer], cell: Cell, texts: MixedTexts) -> Measured:
    """One closed loop of every server, with the same texts."""
    batches = [texts.take(cell.texts) for _ in range(cell.requests)]
    found: Measured = {}
    for peer in peers:
        before = peer.cpu_seconds
        load = closed_loop(peer.port, [peer.payload(batch) for batch in batches], cell.clients)
        cpu_seconds = peer.cpu_seconds - before
        found[peer.name] = load.as_json() | {
            "texts_per_cpu_second": load.texts / cpu_seconds,
            "cores": cpu_seconds / load.seconds,
        }
    return found


def measure_direct(direct: Direct, texts: MixedTexts, cell: Cell) -> dict[str, float]:
    """The engine alone: the texts of a loop with one call, and some one by one."""
    number = cell.texts * cell.requests
    many = direct.embed(texts.take(number))
    singles = [direct.embed([text]).seconds for text in texts.take(SINGLE)]
    rates = {"texts_per_second": number / many.seconds, "texts_per_cpu_second": number / many.cpu_seconds}
    return rates | quantiles(singles)


def measure_classify(ours: Peer, model: str, texts: MixedTexts) -> Measured:
    """Classifications and, beside them, embeddings of the same number of texts."""
    found = {}
    asked: dict[str, tuple[str | None, dict[str, Any]]] = {"/embed": (None, {})}
    asked |= {name: ("/classify", {"model": model, **fields}) for name, fields in CLASSIFY.items()}
    for name, (path, fields) in asked.items():
        payloads = [
            ours.payload(texts.take(CLASSIFIED.texts), path, **fields) for _ in range(CLASSIFIED.requests)
        ]
        found[name] = closed_loop(ours.port, payloads, CLASSIFIED.clients).as_json()
    return found


def ratios(rounds: Sequence[dict[str, Measured]]) -> dict[str, float]:
    """Medians over rounds: above 1 ours gives more, or waits longer."""
    pairs: dict[str, list[float]] = {}
    for cells in rounds:
        for name, ratio in _ratios_of(cells):
            pairs.setdefault(name, []).append(ratio)
    return {name: float(np.median(found)) for name, found in pairs.items()}


def _ratios_of(cells: dict[str, Measured]) -> Iterator[tuple[str, float]]:
    loops = {name: found for name, found in cells.items() if OURS in found}
    for name, found in loops.items():
        for other in found.keys() - {OURS}:
            for field in (*RATES, "p50_ms", "p99_ms"):
                yield f"{name}, {field}, {other}", found[OURS][field] / found[other][field]
    direct = cells["direct"]["direct"]
    single, *_, largest = loops.values()
    for field in RATES:
        yield f"largest, {field}, direct", largest[OURS][field] / direct[field]
    yield "1 x 1, p50_ms, direct", single[OURS]["p50_ms"] / direct["p50_ms"]
    classify = cells.get("classify", {})
    names = list(classify)
    for name, before in zip(names[1:], names, strict=False):
        rates = (classify[each]["texts_per_second"] for each in (name, before))
        yield f"{name}, texts_per_second, {before}", next(rates) / next(rates)


def lines(cell: str, found: Measured) -> Iterator[str]:
    """What was measured, as a table."""
    for name, numbers in sorted(found.items()):
        shown = "  ".join(f"{field} {value:.1f}" for field, value in numbers.items())
        yield f"{cell:12} {name:20} {shown}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Embeddings over HTTP beside Infinity and a naive handler.")
    parser.add_argument("--infinity", type=Path, help="a virtual environment with infinity-emb")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer loops, and no classification")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/serving.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
