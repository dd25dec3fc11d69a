"""Kind `train`: an identifier on frozen features or with the backbone fine-tuned, with its scores beside the
lexical baseline's."""

import hashlib
import json
import logging
import math
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np

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
from worker.jobs.card import CardCorpus, CardSplit, ModelCard
from worker.jobs.context import JobContext
from worker.jobs.honesty import report_honesty
from worker.jobs.reading import BackboneReader, report_memory
from worker.jobs.results import PARQUET, report_decisions, report_scores
from worker.jobs.token_level import train_on_tokens
from worker.jobs.token_reading import TokenReader

NUM_UNSEEN = 20

logger = logging.getLogger(__name__)


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
    )
    positives = Positives.from_lists(samples.positives)
    if isinstance(reader, TokenReader):
        checkpoint = open_checkpoint(context, samples)
        reading, token_identifier, scores = train_on_tokens(context, samples, positives, reader, checkpoint)
        artifact = Artifact(token_identifier, reading, {})
    else:
        artifact, scores = _train_on_chunks(context, samples, positives, reader if reads_features else None)
    _report_split(context, samples)
    _leave_unseen(context, samples)
    _leave_model(context, samples, artifact, scores)
    report_memory(context)


def _train_on_chunks(
    context: JobContext[TrainConfig], samples: Samples, positives: Positives, reader: BackboneReader | None
) -> tuple[Artifact, dict[str, float]]:
    """The identifier, how its features were read, and its scores."""
    config = context.config
    reading = None if reader is None else reader.reading
    features = None if reader is None else reader.features(samples.texts)
    background = _background(context, samples, reader)
    tuning = reader.tuning() if reader is not None and config.training.mode != "frozen" else None
    identifier = _train(context, samples, positives, features, background, tuning)
    if features is not None and tuning is not None:
        held_out = _held_out(samples)
        features[held_out] = tuning.features(_texts(samples, held_out))
    context.progress("evaluation", 0, 2, "identifiers")
    scores = _evaluate(context, samples, positives, features, identifier, reading)
    scores |= report_honesty(context, config.honesty, samples, positives, identifier, reader)
    return Artifact(identifier, reading, {}, {} if tuning is None else tuning.weights), scores


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
        logger.warning(
            "%s: training starts over, its checkpoint can't be used: %s", context.experiment_id, error
        )
        path.unlink()
        return Checkpoint(path, run_id, every, context.keep_checkpoint, context.checkpoint_wanted)


def _evaluate(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    features: FloatArray | None,
    identifier: Identifier,
    reading: BackboneReading | None,
) -> dict[str, float]:
    """Predict all samples but those learned from; score the test part beside the lexical baseline, which
    learns from the same ones."""
    learned, test = samples.part("train", "validation"), samples.part("test")
    backbone = None if reading is None else reading.id
    baseline = lexical_baseline(
        _texts(samples, learned), positives.take(learned), _texts(samples, test), context.seed
    )
    context.progress("evaluation", 1, 2, "identifiers")
    held_out = _held_out(samples)
    scored = identifier.scored(_texts(samples, held_out), None if features is None else features[held_out])
    answers = identifier.judgement(scored)
    probabilities, unknown = answers.probabilities, answers.unknown
    truth = positives.take(test)
    is_test = np.isin(held_out, test)
    outcomes = Outcomes.of(given_known(probabilities[is_test], unknown[is_test]), truth)
    scores = report_scores(context, outcomes, samples.sources, backbone, samples.left_out)
    scores |= report_decisions(context, outcomes, unknown[is_test], answers.known[is_test], backbone)
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
                [samples.documents[row] for row in held_out.tolist()],
                samples.starts[held_out].tolist(),
                samples.ends[held_out].tolist(),
            ),
            probabilities,
            unknown,
            split=[PARTS[part] for part in samples.parts[held_out].tolist()],
            sources=[
                [samples.sources[s] for s in samples.positives[row].tolist()] for row in held_out.tolist()
            ],
            lexical_baseline=[samples.sources[s] if s >= 0 else None for s in lexical[held_out].tolist()],
        )
    context.artifact(path.name, path, PARQUET)
    context.progress("evaluation", 2, 2, "identifiers")
    return scores | beside


def _report_split(context: JobContext[TrainConfig], samples: Samples) -> None:
    for part in PARTS:
        context.metric("data/samples", len(samples.part(part)), split=part)
    context.metric("data/sources", len(samples.sources))
    context.metric("data/sources_left_out", len(samples.left_out))
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
    artifact: Artifact,
    scores: dict[str, float],
) -> None:
    identifier_config = context.config.identifier
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
        metrics=scores,
        versions={name: version(name) for name in ("torch", "transformers", "tokenizers", "scikit-learn")},
    ).dump()
    folder = context.scratch / "model"
    folder.mkdir()
    save_artifact(
        replace(artifact, card=card),
        identifier_config.loss,
        head_widths(identifier_config.head),
        folder,
    )
    context.model(folder, None, card, sources=samples.sources)


def _held_out(samples: Samples) -> IntArray:
    """All samples but those learned from."""
    return samples.part("calibration", "test")


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
