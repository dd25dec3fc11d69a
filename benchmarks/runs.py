"""The runs on one corpus, over HTTP, and what comes of them."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.baseline import Baseline, run_alone
from benchmarks.predictions import Answers, Array, check_same, compare, read_answers
from benchmarks.protocol import (
    DIFFERENCES,
    FEATURES,
    IDENTIFIERS,
    corpus_file,
    dataset_name,
    experiment_config,
)
from client import ApiError, Client
from client.answers import Dataset, Experiment
from sip_model.analysis.bootstrap import PairedDifference

TIMEOUT_SECONDS = 3600.0
PARTS = ("train", "validation", "calibration", "test")


class RunFailedError(Exception):
    """A run failed, or its numbers contradict each other; the message says how."""


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment."""

    identifier: str
    seed: int
    seconds: float
    """From when a worker took it up to when it was done."""
    peak_memory_bytes: int
    features_computed: int
    """Texts the backbone read; the others' features were in the cache."""
    times_lexical_baseline: float
    """`seconds` over those of chunks, split and lexical baseline alone, measured before the runs."""
    top1: float
    ece: float
    """Expected calibration error, 15 bins of equal mass."""


@dataclass(frozen=True, slots=True)
class CorpusResult:
    """All runs on one corpus."""

    dataset: Dataset
    sizes: dict[str, list[int]]
    """Sources and samples of each part, by seed."""
    chance: list[float]
    top1: dict[str, list[float]]
    """Identifier → by seed."""
    runs: list[Run]
    pooled: dict[str, PairedDifference]
    by_seed: dict[str, list[PairedDifference]]

    def as_json(self) -> dict[str, Any]:
        """Everything but seconds: they say more of the machine than of the program."""
        kept = ("num_documents", "num_sources", "num_bytes", "sha256")
        return {
            "dataset": {name: value for name, value in self.dataset.items() if name in kept},
            "sizes": self.sizes,
            "chance": self.chance,
            "top1": {
                name: {"by_seed": values, "mean": float(np.mean(values)), "spread": spread(values)}
                for name, values in self.top1.items()
            },
            "differences": {
                name: asdict(difference) | {"by_seed": [asdict(each) for each in self.by_seed[name]]}
                for name, difference in self.pooled.items()
            },
            "runs": [
                {name: value for name, value in asdict(run).items() if name != "seconds"} for run in self.runs
            ],
        }


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation over seeds (n − 1 in the denominator); None for a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def measure_corpus(client: Client, data: Path, corpus: str, seeds: Sequence[int]) -> CorpusResult:
    """Train every identifier with every seed, one run after the other, and compare them."""
    file = corpus_file(data, corpus)
    dataset = _dataset(client, file, corpus)
    print(f"{corpus}: {dataset['num_documents']} documents of {dataset['num_sources']} sources", flush=True)
    baselines = {seed: run_alone(file, experiment_config(corpus, "hybrid"), seed) for seed in seeds}
    runs: list[Run] = []
    rows: dict[str, list[Answers]] = {name: [] for name in FEATURES}
    sizes: dict[str, list[int]] = {name: [] for name in ("sources", *PARTS)}
    chance: list[float] = []
    for identifier in FEATURES:
        for seed in seeds:
            experiment = _train(client, dataset, corpus, identifier, seed)
            found = _answers(client, experiment, baselines[seed])
            run = _run_of(experiment, identifier, found, baselines[seed])
            print(
                f"  {identifier:14} seed {seed}   top-1 {run.top1:.4f}   {run.seconds:5.1f} s"
                f"   {run.peak_memory_bytes / 1e9:.2f} GB   backbone read {run.features_computed} texts",
                flush=True,
            )
            runs.append(run)
            rows[identifier].append(found)
            if identifier == "hybrid":
                chance.append(_metric(experiment, "baseline/chance_accuracy"))
                _note_sizes(client, experiment, sizes)
    for hybrid, backbone in zip(rows["hybrid"], rows["backbone only"], strict=True):
        check_same(hybrid, backbone)
    return _compared(dataset, sizes, chance, runs, rows)


def _compared(
    dataset: Dataset,
    sizes: dict[str, list[int]],
    chance: list[float],
    runs: list[Run],
    rows: dict[str, list[Answers]],
) -> CorpusResult:
    right: dict[str, list[Array]] = {name: [part.right for part in parts] for name, parts in rows.items()}
    right["lexical baseline"] = [part.lexical_right for part in rows["hybrid"]]
    documents = [part.documents for part in rows["hybrid"]]
    pooled, by_seed = {}, {}
    for first, second in DIFFERENCES:
        name = f"{first} − {second}"
        pooled[name], by_seed[name] = compare(right[first], right[second], documents)
        found = pooled[name]
        print(f"  {name}: {found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]", flush=True)
    top1 = {name: [float(values.mean()) for values in right[name]] for name in IDENTIFIERS}
    return CorpusResult(dataset, sizes, chance, top1, runs, pooled, by_seed)


def _dataset(client: Client, file: Path, corpus: str) -> Dataset:
    name = dataset_name(file, corpus)
    try:
        return client.datasets.get(name)
    except ApiError as error:
        if error.status != 404:
            raise
    return client.datasets.upload(file, name)


def _train(client: Client, dataset: Dataset, corpus: str, identifier: str, seed: int) -> Experiment:
    config = experiment_config(corpus, identifier)
    queued = client.experiments.create("train", dataset["id"], config=config, seed=seed)
    experiment = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    if experiment["status"] != "succeeded":
        raise RunFailedError(
            f"{corpus}, {identifier}, seed {seed} {experiment['status']}: {experiment['error']}"
        )
    return experiment


def _answers(client: Client, experiment: Experiment, baseline: Baseline) -> Answers:
    """The run's test part; the lexical baseline's column must be what the baseline says alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        client.experiments.download(experiment["id"], path.name, path)
        found = read_answers(path)
    if dict(zip(found.spans, found.lexical, strict=True)) != baseline.predicted:
        raise RunFailedError(f"{experiment['id']}: the lexical baseline differs from the one computed here")
    return found


def _run_of(experiment: Experiment, identifier: str, rows: Answers, baseline: Baseline) -> Run:
    top1 = float(rows.right.mean())
    if abs(top1 - _metric(experiment, "eval/accuracy")) > 1e-9:
        raise RunFailedError(f"{experiment['id']}: eval/accuracy is not that of predictions.parquet")
    seconds = _seconds(experiment)
    return Run(
        identifier=identifier,
        seed=experiment["seed"],
        seconds=seconds,
        peak_memory_bytes=int(_metric(experiment, "system/peak_memory_bytes")),
        features_computed=int(_metric(experiment, "system/features_computed")),
        times_lexical_baseline=seconds / baseline.seconds,
        top1=top1,
        ece=_metric(experiment, "eval/ece"),
    )


def _note_sizes(client: Client, experiment: Experiment, sizes: dict[str, list[int]]) -> None:
    for row in client.metrics.iterate(experiment=experiment["id"], name=["data/samples", "data/sources"]):
        sizes[row["split"] or "sources"].append(int(row["value"] or 0))


def _metric(experiment: Experiment, name: str) -> float:
    value = experiment["metrics"].get(name)
    if value is None:
        raise RunFailedError(f"{experiment['id']} has no metric {name}")
    return value


def _seconds(experiment: Experiment) -> float:
    started, finished = experiment["started_at"], experiment["finished_at"]
    if started is None or finished is None:
        raise RunFailedError(f"{experiment['id']} has no times")
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
