"""The lexical baseline alone, in a process of its own: the peer whose time a run's is compared with."""

import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.positives import Positives


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the lexical baseline says of the test part, and how long chunks, split and baseline took."""

    predicted: dict[tuple[str, int, int], str]
    """Document, start and end of a sample → source."""
    seconds: float


def run_alone(file: Path, config: Mapping[str, Any], seed: int) -> Baseline:
    """Chunk and split a corpus file as the service does, and run the lexical baseline on it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (file, dict(config), seed))


def _run(file: Path, config: dict[str, Any], seed: int) -> Baseline:
    resolved: TrainConfig = TypeAdapter(TrainConfig).validate_python(config)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        write_corpus(read_corpus(file, detect_format(file.name)), path)
        started = time.monotonic()
        samples = prepare_samples(Corpus(path), resolved.chunk, resolved.sources, resolved.split, seed)
        predicted = _predict(samples, seed)
        return Baseline(predicted, time.monotonic() - started)


def _predict(samples: Samples, seed: int) -> dict[tuple[str, int, int], str]:
    learned, test = samples.part("train", "validation"), samples.part("test")
    numbers = lexical_baseline(
        [samples.texts[row] for row in learned.tolist()],
        Positives.from_lists(samples.positives).take(learned),
        [samples.texts[row] for row in test.tolist()],
        seed,
    )
    return {
        (samples.documents[row], int(samples.starts[row]), int(samples.ends[row])): samples.sources[number]
        for row, number in zip(test.tolist(), numbers.tolist(), strict=True)
    }
