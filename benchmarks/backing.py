"""What answers rest on, measured on real text: the numbers of docs/backing-measured.md.

    python -m benchmarks.backing [--data FOLDER] [--corpora NAME …] [--seeds SEED …] [--kept FOLDER]

FOLDER of --data holds books.jsonl.gz, articles.jsonl.gz and naics2012.jsonl.gz. Models are trained by a
service that is started for the occasion on the folder of --kept; what is measured already is taken from
there, so that a run that was interrupted goes on. Writes benchmarks/backing.json and the page; exits with 1
when evidence names the right source less often than the identifier, when quotations are missed, or when sets
hold the right source less or more often than they should.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.backing_measures import (
    EvidenceMeasured,
    Measuring,
    QuotesMeasured,
    SetsMeasured,
    read_test_part,
    unpack_model,
)
from benchmarks.backing_page import backing_page
from benchmarks.machine import describe_machine, library_versions
from benchmarks.protocol import CORPORA, corpus_file, dataset_name, experiment_config
from benchmarks.runs import TIMEOUT_SECONDS, RunFailedError
from benchmarks.service import open_service
from client import ApiError, Client
from sip_model.analysis.bootstrap import paired_bootstrap
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.inference.identify import LoadedModel

DATA = Path("../shared/data")
SEEDS = [0, 1, 2, 3, 4]
COVERAGES = (0.8, 0.9, 0.95)
QUOTED_WORDS, NUM_QUOTES, MIN_FOUND = 30, 1000, 0.99
MAX_MISS = 0.02
"""How far the share of right sets may be from the coverage asked for."""

Measured = dict[str, Any]


def main() -> int:
    arguments = _parser().parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    runs: dict[str, list[Measured]] = {}
    with open_service(None, None, arguments.kept) as client:
        for corpus in arguments.corpora:
            runs[corpus] = [
                _measure(client, corpus_file(arguments.data, corpus), corpus, seed, arguments.kept)
                for seed in arguments.seeds
            ]
    results = {
        "command": _command(arguments),
        "seeds": arguments.seeds,
        "corpora": {corpus: summary(of_corpus) for corpus, of_corpus in runs.items()},
        "machine": describe_machine(),
        "versions": library_versions(),
    }
    arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    arguments.page.write_text(backing_page(results), encoding="utf-8")
    print(f"\n{arguments.json} and {arguments.page} are written.")
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def _measure(client: Client, file: Path, corpus: str, seed: int, kept: Path) -> Measured:
    """Train a model with one seed and measure its answers, unless that was done before."""
    config = experiment_config(corpus, "hybrid")
    path = kept / f"{dataset_name(file, corpus)}-{seed}.json"
    if path.exists():
        found: Measured = json.loads(path.read_text(encoding="utf-8"))
        if found["config"] == config:
            return found["measured"]  # type: ignore[no-any-return]  # written below
    with tempfile.TemporaryDirectory() as folder:
        features = kept / "data" / "features"
        measured = _train_and_measure(client, file, corpus, seed, Path(folder), features)
    path.write_text(json.dumps({"config": config, "measured": measured}), encoding="utf-8")
    return measured


def _train_and_measure(
    client: Client, file: Path, corpus: str, seed: int, folder: Path, features: Path
) -> Measured:
    name = dataset_name(file, corpus)
    try:
        dataset = client.datasets.get(name)
    except ApiError as error:
        if error.status != 404:
            raise
        dataset = client.datasets.upload(file, name)
    queued = client.experiments.create(
        "train", dataset["id"], config=experiment_config(corpus, "hybrid"), seed=seed
    )
    experiment = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    if experiment["status"] != "succeeded" or experiment["model"] is None:
        raise RunFailedError(f"{corpus}, seed {seed} {experiment['status']}: {experiment['error']}")
    client.models.download(experiment["model"], folder / "model.zip")
    client.experiments.download(experiment["id"], "predictions.parquet", folder / "predictions.parquet")
    model = LoadedModel.load(unpack_model(folder / "model.zip", folder / "model"), BackboneCatalog({}), "cpu")
    texts = {row.document: row.text for row in read_corpus(file, detect_format(file.name))}
    measuring, tested = Measuring.of(model, texts, features), read_test_part(folder / "predictions.parquet")
    evidence, sets = measuring.answers(tested, COVERAGES)
    print(
        f"{corpus}, seed {seed}: identifier {np.mean(evidence.identifier):.4f}"
        f"  evidence {np.mean(evidence.evidence):.4f}",
        flush=True,
    )
    measured = {
        "evidence": asdict(evidence),
        "quotes": asdict(measuring.quotes(NUM_QUOTES, QUOTED_WORDS, seed)),
        "sets": {coverage: asdict(of_coverage) for coverage, of_coverage in sets.items()},
        "evidence_bytes": (folder / "model" / "evidence.safetensors").stat().st_size,
    }
    print(f"{corpus}, seed {seed}: measured", flush=True)
    return measured


def summary(runs: Sequence[Measured]) -> Measured:
    """What the page says of one corpus: all seeds together, a document staying one document."""
    evidence = [EvidenceMeasured(**run["evidence"]) for run in runs]
    quotes = [QuotesMeasured(**run["quotes"]) for run in runs]
    documents = np.array([document for run in evidence for document in run.documents])
    first, second = (
        np.array([right for run in evidence for right in getattr(run, name)], np.float64)
        for name in ("evidence", "identifier")
    )
    difference = paired_bootstrap(first, second, documents)
    found = [each for run in quotes for each in run.found]
    return {
        "passages": len(documents),
        "top1": {
            name: round(float(np.mean([right for run in evidence for right in getattr(run, name)])), 6)
            for name in ("identifier", "evidence", "features_alone")
        },
        "difference": {name: round(getattr(difference, name), 6) for name in ("mean", "low", "high")},
        "quotes": len(found),
        "found": round(float(np.mean(found)), 6) if found else None,
        "found_features_alone": round(
            float(np.mean([each for run in quotes for each in run.features_alone])), 6
        )
        if found
        else None,
        "sets": {
            f"{coverage:g}": _sets_summary([SetsMeasured(**run["sets"][f"{coverage:g}"]) for run in runs])
            for coverage in COVERAGES
        },
        "evidence_bytes": [run["evidence_bytes"] for run in runs],
    }


def _sets_summary(runs: Sequence[SetsMeasured]) -> Measured:
    covered = np.array([each for run in runs for each in run.covered], np.float64)
    documents = np.array([document for run in runs for document in run.documents])
    interval = paired_bootstrap(covered, np.zeros_like(covered), documents)
    sizes = [size for run in runs for size in run.sizes]
    return {
        "covered": round(interval.mean, 6),
        "low": round(interval.low, 6),
        "high": round(interval.high, 6),
        "by_seed": [round(float(np.mean(run.covered)), 6) for run in runs],
        "mean_size": round(float(np.mean(sizes)), 6),
        "median_size": float(np.median(sizes)),
    }


def problems_of(results: Measured) -> Iterator[str]:
    """Promises that don't hold."""
    for corpus, of_corpus in results["corpora"].items():
        if of_corpus["difference"]["mean"] < 0:
            yield f"{corpus}: evidence is right less often than the identifier"
        if of_corpus["found"] is not None and of_corpus["found"] < MIN_FOUND:
            yield f"{corpus}: {of_corpus['found']:.3f} of the quotations are found, expected {MIN_FOUND}"
        for coverage, sets in of_corpus["sets"].items():
            if abs(sets["covered"] - float(coverage)) > MAX_MISS:
                yield f"{corpus}: sets at {coverage} hold a right source in {sets['covered']:.3f}"


def _command(arguments: argparse.Namespace) -> str:
    words = ["python -m benchmarks.backing"]
    if arguments.corpora != list(CORPORA):
        words += ["--corpora", *arguments.corpora]
    if arguments.seeds != SEEDS:
        words += ["--seeds", *map(str, arguments.seeds)]
    return " ".join(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Evidence, quotations and conformal sets on real text.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--kept", type=Path, default=Path(".sip/benchmarks/backing"))
    parser.add_argument("--json", type=Path, default=Path("benchmarks/backing.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/backing-measured.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
