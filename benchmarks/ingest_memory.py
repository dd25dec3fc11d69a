"""Peak memory of reading, storing and chunking a corpus of 1 GB.

    python -m benchmarks.ingest_memory [--megabytes 1024] [--folder FOLDER] [--output FILE]

Three corpora of that size are generated in FOLDER, as each strains another bound: books (long documents),
articles, and titles (many documents of a few words, many sources). Each step runs in a process of its own;
its peak is what the kernel counted, interpreter and libraries included. Exits with 1 when a step takes 1 GB
or more.
"""

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sip_model.corpora.formats import read_corpus
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig

LIMIT_BYTES = 10**9


@dataclass(frozen=True)
class Shape:
    """What the rows of a generated corpus look like."""

    words_per_row: int
    num_sources: int


SHAPES = {
    "books": Shape(words_per_row=1_500_000, num_sources=100),
    "articles": Shape(words_per_row=600, num_sources=500),
    "titles": Shape(words_per_row=8, num_sources=100_000),
}


@dataclass(frozen=True)
class Measurement:
    """One step on one corpus."""

    corpus: str
    step: str
    seconds: float
    peak_bytes: int
    """Peak resident memory of the step's process."""
    result: str


def generate(path: Path, shape: Shape, num_bytes: int) -> None:
    """A JSON Lines file of random words of about `num_bytes`."""
    generator = random.Random(0)
    vocabulary = [
        "".join(generator.choices("etaoinshrdlu", k=generator.randint(2, 9))) for _ in range(50_000)
    ]
    written = number = 0
    with path.open("w") as file:
        while written < num_bytes:
            source = f"source {number % shape.num_sources}"
            text = " ".join(generator.choices(vocabulary, k=shape.words_per_row))
            written += file.write(json.dumps({"text": text, "source": source}) + "\n")
            number += 1


def ingest(folder: Path, name: str) -> str:
    summary = write_corpus(read_corpus(folder / f"{name}.jsonl", "jsonl"), folder / f"{name}.parquet")
    return f"{summary.num_documents} documents, {summary.num_sources} sources, {summary.num_bytes} bytes"


def prepare(folder: Path, name: str) -> str:
    chunk = ChunkConfig(num_words=32, min_per_source=2)
    corpus = Corpus(folder / f"{name}.parquet")
    samples = prepare_samples(corpus, chunk, SourcesConfig(limit=100), SplitConfig(), seed=0)
    return f"{len(samples.texts)} samples of {len(samples.sources)} sources"


def measure(step: Callable[[Path, str], str], folder: Path, name: str) -> Measurement:
    """Run `step` in a fresh process and read its peak memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        started = time.monotonic()
        result, peak_bytes = pool.apply(run_and_count, (step, folder, name))
    return Measurement(name, step.__name__, round(time.monotonic() - started, 1), peak_bytes, result)


def run_and_count(step: Callable[[Path, str], str], folder: Path, name: str) -> tuple[str, int]:
    result = step(folder, name)
    unit = 1 if sys.platform == "darwin" else 1024
    return result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measurements(folder: Path, num_bytes: int, names: list[str]) -> Iterator[Measurement]:
    for name in names:
        generate(folder / f"{name}.jsonl", SHAPES[name], num_bytes)
        for step in (ingest, prepare):
            yield measure(step, folder, name)
        for suffix in ("jsonl", "parquet"):
            (folder / f"{name}.{suffix}").unlink()


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Peak memory of reading, storing and chunking a large corpus."
    )
    parser.add_argument("--megabytes", type=int, default=1024, help="size of each generated file")
    parser.add_argument(
        "--folder", type=Path, help="where the files are generated; a temporary folder if not given"
    )
    parser.add_argument("--corpora", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--output", type=Path, help="a JSON file for the measurements")
    arguments = parser.parse_args()
    done: list[Measurement] = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for measurement in measurements(Path(folder), arguments.megabytes * 2**20, arguments.corpora):
            done.append(measurement)
            print(
                f"{measurement.corpus:10}{measurement.step:10}{measurement.peak_bytes / 2**20:7.0f} MiB"
                f"{measurement.seconds:8.1f} s   {measurement.result}",
                flush=True,
            )
    if arguments.output:
        arguments.output.write_text(
            json.dumps([asdict(measurement) for measurement in done], indent=2) + "\n"
        )
    return int(any(measurement.peak_bytes >= LIMIT_BYTES for measurement in done))


if __name__ == "__main__":
    sys.exit(main())
