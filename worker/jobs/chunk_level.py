"""Kind `train` without `identifier.ngram`: an identifier of chunks, scored beside the lexical baseline."""

import math

import numpy as np
from scipy.special import expit

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.predictions import Spans, evaluation_table
from sip_model.analysis.scores import Outcomes
from sip_model.corpora.background import background_texts
from sip_model.corpora.samples import Samples
from sip_model.corpora.split import PARTS
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.artifact import Artifact, BackboneReading
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, FloatArray, TrainingData
from sip_model.identifiers.tuning import BackboneTuning
from worker.jobs.context import JobContext
from worker.jobs.honesty import report_honesty
from worker.jobs.reading import BackboneReader
from worker.jobs.results import (
    PARQUET,
    chosen_sources,
    report_decisions,
    report_label_sets,
    report_scores,
)
from worker.jobs.support import Features, Predicted, Trained, held_out


def train_on_chunks(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    reader: BackboneReader | None,
    checkpoint: Checkpoint,
) -> Trained:
    """Read features, train, evaluate.

    Args:
        context: of the job.
        samples: in their parts.
        positives: of the samples.
        reader: of the backbone; None: none is read.
        checkpoint: of the training.
    """
    config = context.config
    reading = None if reader is None else reader.reading
    features = None if reader is None else reader.features(samples.texts)
    background = _background(context, samples, reader)
    tuning = reader.tuning() if reader is not None and config.training.mode != "frozen" else None
    identifier = _train(context, samples, positives, features, background, tuning, checkpoint)
    if features is not None and tuning is not None:
        rows = held_out(samples)
        features[rows] = tuning.features(_texts(samples, rows))
    context.progress("evaluation", 0, 2, "identifiers")
    scores, predicted = _evaluate(context, samples, positives, features, identifier, reading)
    scores |= report_honesty(context, config.honesty, samples, positives, identifier, reader)
    artifact = Artifact(identifier, reading, {}, {} if tuning is None else tuning.weights)
    learned = samples.part("train", "validation") if tuning is None else samples.part("train")
    return Trained(artifact, scores, predicted, learned, _features_read(samples, features, tuning))


def _features_read(
    samples: Samples, features: FloatArray | None, tuning: BackboneTuning | None
) -> Features | None:
    """What the trained model reads of any samples: `features`, but for the training part of a tuned backbone,
    which still has those of the original one."""
    if features is None:
        return None

    def read(rows: IntArray) -> FloatArray:
        found = features[rows]
        stale = np.flatnonzero(np.isin(rows, samples.part("train")))
        if tuning is not None and len(stale):
            found[stale] = tuning.features(_texts(samples, rows[stale]))
        return found

    return read


def _background(
    context: JobContext[TrainConfig], samples: Samples, reader: BackboneReader | None
) -> Background | None:
    """Texts of another kind than the corpus, to learn from what unknown ones look like; None where there are
    none."""
    learned = samples.part("train", "validation")
    texts = background_texts(_texts(samples, learned), context.seed)
    context.metric("data/samples_background", len(texts))
    if not texts:
        return None
    if reader is None:
        return Background(texts, None)
    with reader.turn("background"):
        cached = reader.read(texts, lambda done, total: context.progress("background", done, total, "texts"))
    return Background(texts, cached.features.reshape(len(texts), -1))


def _train(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    features: FloatArray | None,
    background: Background | None,
    tuning: BackboneTuning | None,
    checkpoint: Checkpoint,
) -> Identifier:
    config = context.config
    epochs_done = checkpoint.epochs_done()
    if epochs_done:
        context.resumed(epochs_done)

    def on_epoch(branch: str, epoch: Epoch) -> None:
        nonlocal epochs_done
        epochs_done += 1
        context.metric("train/loss", epoch.train_loss, step=epochs_done, split="train")
        if not math.isnan(epoch.validation_loss):
            context.metric("validation/loss", epoch.validation_loss, step=epochs_done, split="validation")
        context.progress(f"training {branch}", epoch.number, epoch.of, "epochs")

    data = TrainingData(
        samples.texts,
        features,
        positives,
        samples.sources,
        samples.part("train"),
        samples.part("validation"),
        samples.part("calibration"),
        background,
    )
    with context.writing_checkpoints():
        return train_identifier(
            data,
            config.identifier,
            config.training,
            seed=context.seed,
            device=context.device,
            checkpoint=checkpoint,
            on_epoch=on_epoch,
            tuning=tuning,
        )


def _evaluate(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    features: FloatArray | None,
    identifier: Identifier,
    reading: BackboneReading | None,
) -> tuple[dict[str, float], Predicted]:
    """Predict all samples but those learned from; score the test part beside the lexical baseline, which
    learns from the same ones."""
    learned, test = samples.part("train", "validation"), samples.part("test")
    backbone = None if reading is None else reading.id
    baseline = lexical_baseline(
        _texts(samples, learned), positives.take(learned), _texts(samples, test), context.seed, context.kept
    )
    context.progress("evaluation", 1, 2, "identifiers")
    rows = held_out(samples)
    scored = identifier.scored(_texts(samples, rows), None if features is None else features[rows])
    judgement = identifier.judgement
    answers, known = judgement(scored), judgement.known(judgement.calibration(scored.logits), scored.quoted)
    unknown = answers.unknown
    truth = positives.take(test)
    is_test = np.isin(rows, test)
    outcomes = Outcomes.of(known[is_test], truth)
    scores = report_scores(context, outcomes, samples.sources, backbone, samples.left_out)
    scores |= report_decisions(context, outcomes, unknown[is_test], answers.known[is_test], backbone)
    chosen = chosen_sources(expit(scored.logits[is_test]))
    scores |= report_label_sets(context, outcomes, chosen, len(samples.sources), backbone)
    beside = {
        "baseline/lexical_accuracy": float(truth.mark(baseline[:, None]).mean()),
        "baseline/chance_accuracy": float(truth.counts.mean()) / len(samples.sources),
    }
    for name, value in beside.items():
        context.metric(name, value, split="test")

    lexical = np.full(len(samples.texts), -1)
    lexical[test] = baseline
    path = context.scratch / "predictions.parquet"
    with evaluation_table(path, samples.sources) as table:
        table.write(
            Spans(
                [samples.documents[row] for row in rows.tolist()],
                samples.starts[rows].tolist(),
                samples.ends[rows].tolist(),
            ),
            answers.probabilities,
            unknown,
            split=[PARTS[part] for part in samples.parts[rows].tolist()],
            sources=[[samples.sources[s] for s in samples.positives[row].tolist()] for row in rows.tolist()],
            lexical_baseline=[samples.sources[s] if s >= 0 else None for s in lexical[rows].tolist()],
        )
    context.artifact(path.name, path, PARQUET)
    context.progress("evaluation", 2, 2, "identifiers")
    calibration = samples.part("calibration")
    return scores | beside, Predicted(calibration, known[np.isin(rows, calibration)])


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
