"""Kind `train`: an identifier on frozen features or with the backbone fine-tuned, with its scores beside the
lexical baseline's."""

import hashlib
import json
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np

from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.split import PARTS
from sip_model.corpora.store import Corpus
from sip_model.errors import ArtifactError
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.artifact import save_artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.heads import head_widths
from sip_model.identifiers.positives import Positives
from sip_model.inference.evidence import LazyEvidence
from sip_model.inference.identify import LoadedModel
from sip_model.inference.span_fitting import fit_spans
from worker.jobs.card import CardCorpus, CardSplit, ModelCard
from worker.jobs.chunk_level import train_on_chunks
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader, report_memory
from worker.jobs.support import Trained, fit_support, index_passages, save_with_evidence
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
    checkpoint = _open_checkpoint(context, samples)
    if isinstance(reader, TokenReader):
        trained = train_on_tokens(context, samples, positives, reader, checkpoint)
    else:
        read = reader if reads_features else None
        trained = train_on_chunks(context, samples, positives, read, checkpoint)
    _report_split(context, samples)
    _leave_unseen(context, samples)
    _leave_model(context, samples, positives, trained, reader)
    report_memory(context)


def _open_checkpoint(context: JobContext[TrainConfig], samples: Samples) -> Checkpoint:
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
