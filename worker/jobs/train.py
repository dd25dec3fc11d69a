"""Kind `train`: an identifier on frozen features or with the backbone fine-tuned, with its scores beside the
lexical baseline's."""

import hashlib
import json
import math
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np
from scipy.special import expit

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.predictions import Spans, evaluation_table
from sip_model.analysis.scores import Outcomes, given_known
from sip_model.corpora.background import background_texts
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.split import PARTS
from sip_model.corpora.store import Corpus
from sip_model.errors import ArtifactError
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.artifact import Artifact, BackboneReading, save_artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.heads import head_widths
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, FloatArray, TrainingData
from sip_model.identifiers.tuning import BackboneTuning
from sip_model.inference.evidence import LazyEvidence
from sip_model.inference.identify import LoadedModel
from sip_model.inference.span_fitting import fit_spans
from worker.jobs.card import CardCorpus, CardSplit, ModelCard
from worker.jobs.context import JobContext
from worker.jobs.honesty import report_honesty
from worker.jobs.reading import BackboneReader, report_memory
from worker.jobs.results import (
    PARQUET,
    chosen_sources,
    report_decisions,
    report_label_sets,
    report_scores,
)
from worker.jobs.support import (
    Features,
    Predicted,
    Trained,
    fit_support,
    held_out,
    index_passages,
    save_with_evidence,
)
from worker.jobs.token_level import train_on_tokens
from worker.jobs.token_reading import TokenReader

NUM_UNSEEN = 20


def run(context: JobContext[TrainConfig]) -> None:
    """Chunk and split the corpus, read features, train, evaluate on the test part, leave a model."""
    config = context.config
    reads_features, counts_tokens = (
        config.identifier.features != "lexical",
        config.chunk.num_tokens is not None,
    )
    reader_of = BackboneReader if config.identifier.ngram is None else TokenReader
    reader = reader_of(context, config.backbone) if reads_features or counts_tokens else None
    context.progress("samples", 0, 1, "corpora")
    samples = prepare_samples(
        Corpus(context.corpus_path),
        config.chunk,
        config.sources,
        config.chunk_split(),
        context.seed,
        reader.offsets() if reader is not None and counts_tokens else None,
        context.kept,
    )
    positives = Positives.from_lists(samples.positives)
    if isinstance(reader, TokenReader):
        checkpoint = open_checkpoint(context, samples)
        trained = train_on_tokens(context, samples, positives, reader, checkpoint)
    else:
        trained = _train_on_chunks(context, samples, positives, reader if reads_features else None)
    _report_split(context, samples)
    _leave_unseen(context, samples)
    _leave_model(context, samples, positives, trained, reader)
    report_memory(context)


def _train_on_chunks(
    context: JobContext[TrainConfig], samples: Samples, positives: Positives, reader: BackboneReader | None
) -> Trained:
    config = context.config
    reading = None if reader is None else reader.reading
    features = None if reader is None else reader.features(samples.texts)
    background = _background(context, samples, reader)
    tuning = reader.tuning() if reader is not None and config.training.mode != "frozen" else None
    identifier = _train(context, samples, positives, features, background, tuning)
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
) -> Identifier:
    config = context.config
    checkpoint = open_checkpoint(context, samples)
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


def open_checkpoint(context: JobContext[TrainConfig], samples: Samples) -> Checkpoint:
    """What an earlier attempt left, or a new one."""
    resolved = json.dumps(asdict(context.config), sort_keys=True)
    run_id = hashlib.sha256(f"{samples.split_sha256} {resolved} {context.seed}".encode()).hexdigest()
    path, every = context.checkpoint_path(), context.config.training.checkpoint_seconds
    try:
        return Checkpoint(path, run_id, every, context.keep_checkpoint, context.checkpoint_wanted)
    except ArtifactError as error:
        context.warn(f"training starts over, its checkpoint can't be used: {error}")
        path.unlink()
        return Checkpoint(path, run_id, every, context.keep_checkpoint, context.checkpoint_wanted)


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
    answers = identifier.judgement(scored)
    probabilities, unknown = answers.probabilities, answers.unknown
    truth = positives.take(test)
    is_test = np.isin(rows, test)
    outcomes = Outcomes.of(given_known(probabilities[is_test], unknown[is_test]), truth)
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
            probabilities,
            unknown,
            split=[PARTS[part] for part in samples.parts[rows].tolist()],
            sources=[[samples.sources[s] for s in samples.positives[row].tolist()] for row in rows.tolist()],
            lexical_baseline=[samples.sources[s] if s >= 0 else None for s in lexical[rows].tolist()],
        )
    context.artifact(path.name, path, PARQUET)
    context.progress("evaluation", 2, 2, "identifiers")
    calibration = samples.part("calibration")
    at = np.isin(rows, calibration)
    judgement = identifier.judgement
    known = judgement.known(judgement.calibration(scored.logits[at]), scored.quoted[at])
    return scores | beside, Predicted(calibration, known)


def _report_split(context: JobContext[TrainConfig], samples: Samples) -> None:
    for part in PARTS:
        context.metric("data/samples", len(samples.part(part)), split=part)
    context.metric("data/sources", len(samples.sources))
    context.metric("data/sources_left_out", len(samples.left_out))
    if samples.left_out:
        all_sources = len(samples.sources) + len(samples.left_out)
        fewest = context.config.chunk.min_per_source
        context.warn(
            f"{len(samples.left_out)} of {all_sources} sources are left out: fewer than {fewest} chunks each"
        )
    context.metric("data/near_duplicates_dropped", samples.dropped_near_duplicates)
    context.metric("data/duplicates_merged", samples.merged_duplicates)


def _leave_unseen(context: JobContext[TrainConfig], samples: Samples) -> None:
    """A few passages of the test part, to try the model on."""
    chosen = np.random.default_rng(context.seed).permutation(samples.part("test"))[:NUM_UNSEEN]
    path = context.scratch / "unseen.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in chosen.tolist():
            passage = {
                "text": samples.texts[row],
                "source": samples.sources[int(samples.positives[row][0])],
                "document": samples.documents[row],
            }
            file.write(json.dumps(passage, ensure_ascii=False) + "\n")
    context.artifact(path.name, path, "application/jsonl")


def _leave_model(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    trained: Trained,
    reader: BackboneReader | None,
) -> None:
    identifier_config, artifact = context.config.identifier, trained.artifact
    card = ModelCard(
        experiment=context.experiment_id,
        config=context.config,
        seed=context.seed,
        corpus=CardCorpus(
            dataset=context.dataset_id, name=context.dataset_name, sha256=context.dataset_sha256
        ),
        split=CardSplit(
            sha256=samples.split_sha256, samples={part: len(samples.part(part)) for part in PARTS}
        ),
        authors=list(samples.authors),
        left_out=list(samples.left_out),
        backbone=artifact.reading,
        metrics=trained.scores,
        versions={name: version(name) for name in ("torch", "transformers", "tokenizers", "scikit-learn")},
    ).dump()
    folder = context.scratch / "model"
    folder.mkdir()
    index = None
    if context.config.evidence.keep:
        context.progress("evidence", 0, 1, "indexes")
        index = index_passages(samples, positives, trained)
    support = fit_support(samples, positives, trained)
    artifact = replace(artifact, card=card, support=support)
    context.progress("spans", 0, 1, "fits")
    backbone = None if reader is None or artifact.reading is None else reader.backbone(artifact.tuned)
    model = LoadedModel(artifact, backbone, LazyEvidence(folder, None))
    smoothing = fit_spans(model, samples, samples.part("calibration"), context.seed)
    save_artifact(
        save_with_evidence(replace(artifact, smoothing=smoothing), index, folder),
        identifier_config.loss,
        head_widths(identifier_config.head),
        folder,
    )
    context.model(folder, None, card, sources=samples.sources)


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
