"""Kind `probe`: how well the sources can be read off a backbone's frozen features, layer by layer."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from sip_model.analysis.bootstrap import PairedDifference
from sip_model.analysis.control_task import ControlTask, chunk_types, control_task
from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.predictions import PredictionTable, Spans, probe_table
from sip_model.analysis.probing import (
    ProbeResult,
    ProbeRun,
    ProbeSamples,
    num_fits,
    probe_layer,
)
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.split import PARTS
from sip_model.corpora.store import Corpus
from sip_model.experiments.probe import ProbeConfig
from sip_model.identifiers.positives import IntArray, Positives
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader, report_memory
from worker.jobs.results import JSON, PARQUET


def run(context: JobContext[ProbeConfig]) -> None:
    """Chunk and split the corpus, read features, probe each layer on its own, score on the test part."""
    config = context.config
    reader = BackboneReader(context, config.probed)
    context.progress("samples", 0, 1, "corpora")
    samples = prepare_samples(
        Corpus(context.corpus_path),
        config.chunk,
        config.sources,
        config.split,
        context.seed,
        reader.offsets() if config.chunk.num_tokens is not None else None,
        context.kept,
    )
    layers = reader.reading.layers
    features = reader.features(samples.texts).reshape(len(samples.texts), len(layers), -1)  # (n, K, D)
    probed = _probe_samples(context, samples)
    leaver = _PredictionRows(samples, _report_beside(context, samples, probed))
    total, done = num_fits(config.probe, len(layers)), 0

    def on_fit() -> None:
        nonlocal done
        done += 1
        context.progress("probes", done, total, "fits")

    context.progress("probes", 0, total, "fits")
    rows: list[dict[str, object]] = []
    path = context.scratch / "predictions.parquet"
    with probe_table(path, samples.sources) as table:
        for position, layer in enumerate(layers):
            for result in probe_layer(
                np.ascontiguousarray(features[:, position]),
                probed,
                config.probe,
                seed=context.seed,
                device=context.device,
                on_fit=on_fit,
            ):
                _report(context, layer, result, reader.reading.id)
                leaver.write(table, layer, result)
                rows.append(_row(layer, result))
    context.artifact(path.name, path, PARQUET)
    _leave_results(context, samples, probed, rows)
    report_memory(context)


def _probe_samples(context: JobContext[ProbeConfig], samples: Samples) -> ProbeSamples:
    positives = Positives.from_lists(samples.positives)
    options = context.config.probe
    return ProbeSamples(
        positives=positives,
        num_sources=len(samples.sources),
        documents=np.array(samples.documents),
        train=samples.part("train"),
        validation=samples.part("validation"),
        test=samples.part("test"),
        controls=_controls(samples, positives, options.seeds, context.seed) if options.control else (),
    )


def _controls(samples: Samples, positives: Positives, seeds: int, seed: int) -> list[ControlTask]:
    train = samples.part("train")
    _, sources = positives.pairs(train)
    types = chunk_types(samples.texts, train, int(np.bincount(sources).max()))
    return [control_task(types, train, positives, [seed, number]) for number in range(seeds)]


def _report(context: JobContext[ProbeConfig], layer: int, result: ProbeResult, backbone: str) -> None:
    """Means over the seeds; the code length is that of the training part's labels."""
    runs = result.runs
    codes = [run.description for run in runs if run.description is not None]
    values: dict[tuple[str, str], list[float]] = {
        ("accuracy", "test"): [run.accuracy for run in runs],
        ("control_accuracy", "test"): [r.control_accuracy for r in runs if r.control_accuracy is not None],
        ("selectivity", "test"): [run.selectivity for run in runs if run.selectivity is not None],
        ("description_length_bits", "train"): [code.bits for code in codes],
        ("compression", "train"): [code.compression for code in codes],
    }
    for (name, split), found in values.items():
        if found:
            context.metric(
                f"probe/{result.probe}/{name}",
                float(np.mean(found)),
                split=split,
                layer=layer,
                backbone=backbone,
            )


def _report_beside(context: JobContext[ProbeConfig], samples: Samples, probed: ProbeSamples) -> IntArray:
    """The lexical baseline and chance on the same split; returns the baseline's predictions (t,)."""
    context.progress("baseline", 0, 1, "baselines")
    train, test = ([samples.texts[row] for row in rows.tolist()] for rows in (probed.train, probed.test))
    predicted = lexical_baseline(train, probed.positives.take(probed.train), test, context.seed, context.kept)
    truth = probed.positives.take(probed.test)
    context.metric("baseline/lexical_accuracy", float(truth.mark(predicted[:, None]).mean()), split="test")
    chance = float(truth.counts.mean()) / probed.num_sources
    context.metric("baseline/chance_accuracy", chance, split="test")
    for part in PARTS:
        context.metric("data/samples", len(samples.part(part)), split=part)
    context.metric("data/sources", len(samples.sources))
    context.metric("data/sources_left_out", len(samples.left_out))
    context.progress("baseline", 1, 1, "baselines")
    return predicted


def _leave_results(
    context: JobContext[ProbeConfig],
    samples: Samples,
    probed: ProbeSamples,
    rows: Sequence[dict[str, object]],
) -> None:
    """``probes.json``: every layer, probe and seed, with intervals."""
    control = [
        {"seed": number, "test_share_of_known_types": float(task.known[probed.test].mean())}
        for number, task in enumerate(probed.controls)
    ]
    left_out = [asdict(entry) for entry in samples.left_out]
    content = {"probes": rows, "control": control, "left_out": left_out}
    path = context.scratch / "probes.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)


def _row(layer: int, result: ProbeResult) -> dict[str, object]:
    selectivity = None
    if result.selectivity is not None:
        found = [run.selectivity for run in result.runs if run.selectivity is not None]
        selectivity = _interval(result.selectivity, found)
    return {
        "layer": layer,
        "probe": result.probe,
        "accuracy": _interval(result.accuracy, [run.accuracy for run in result.runs]),
        "selectivity": selectivity,
        "seeds": [_run(run) for run in result.runs],
    }


def _interval(found: PairedDifference, per_seed: Sequence[float]) -> dict[str, float]:
    return {
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "standard_deviation_over_seeds": float(np.std(per_seed)),
    }


def _run(run: ProbeRun) -> dict[str, object]:
    return {
        "seed": run.seed,
        "accuracy": run.accuracy,
        "control_accuracy": run.control_accuracy,
        "selectivity": run.selectivity,
        "penalty": run.penalty,
        "passes": run.passes,
        "description": None
        if run.description is None
        else asdict(run.description) | {"compression": run.description.compression},
    }


class _PredictionRows:
    """Writes the test part as each layer's probes see it, seed by seed; the linear probe is the same for all.

    Args:
        samples: of the job.
        baseline: (t,) what the lexical baseline predicts for the test part.
    """

    def __init__(self, samples: Samples, baseline: IntArray) -> None:
        test, names = samples.part("test").tolist(), samples.sources
        self._spans = Spans(
            [samples.documents[row] for row in test],
            samples.starts[test].tolist(),
            samples.ends[test].tolist(),
        )
        self._sources = [[names[s] for s in samples.positives[row].tolist()] for row in test]
        self._baseline = [names[s] for s in baseline.tolist()]

    def write(self, table: PredictionTable, layer: int, result: ProbeResult) -> None:
        """Append a layer's rows."""
        num_rows = len(self._sources)
        for run in result.runs[:1] if result.probe == "linear" else result.runs:
            table.write(
                self._spans,
                run.probabilities,
                np.zeros(num_rows),
                split=["test"] * num_rows,
                sources=self._sources,
                lexical_baseline=self._baseline,
                layer=[layer] * num_rows,
                probe=[result.probe] * num_rows,
                probe_seed=[run.seed] * num_rows,
            )
