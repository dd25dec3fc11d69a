"""Kind `evaluate`: a trained model's scores on a dataset."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.analysis.predictions import PredictionTable, Spans, evaluation_table
from sip_model.analysis.scores import Outcomes, given_known
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.selection import LeftOut
from sip_model.corpora.store import Corpus
from sip_model.errors import ArtifactError, InvalidInputError
from sip_model.experiments.evaluate import EvaluateConfig
from sip_model.identifiers.positives import IntArray, Positives
from worker.jobs.context import JobContext
from worker.jobs.reading import report_memory
from worker.jobs.results import (
    PARQUET,
    chosen_sources,
    report_decisions,
    report_label_sets,
    report_scores,
)
from worker.jobs.trained import BATCH_CHUNKS, Piece, TrainedModel

SET_COVERAGE = 0.9
"""Asked of the conformal sets whose `eval/set_coverage` and `eval/set_size` are reported."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """What is left of n chunks once they are classified."""

    outcomes: Outcomes
    unknown: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]
    """Whether it passes for one of a known source."""
    covered: npt.NDArray[np.bool_]
    """Whether a right source is in the conformal set."""
    sizes: IntArray
    """Sources in that set."""
    chosen: Positives
    """Sources whose own probability is one half or more."""


def run(context: JobContext[EvaluateConfig]) -> None:
    """Classify the model's own test part, or all of another dataset, and score what comes out."""
    model = TrainedModel.open(context)
    sources = model.loaded.sources
    is_own = model.card.corpus.sha256 == context.dataset_sha256
    batches = _own_test_part(context, model) if is_own else _all_chunks(context, model)
    strangers: Counter[str] = Counter()
    path = context.scratch / "predictions.parquet"
    with evaluation_table(path, sources) as table:
        scored = [_score(model, batch, table, strangers) for batch in batches]
    context.artifact(path.name, path, PARQUET)
    _report(
        context,
        _Scored(
            Outcomes.joined([part.outcomes for part in scored]),
            np.concatenate([part.unknown for part in scored]),
            np.concatenate([part.known for part in scored]),
            np.concatenate([part.covered for part in scored]),
            np.concatenate([part.sizes for part in scored]),
            Positives.joined([part.chosen for part in scored]),
        ),
        model,
        [LeftOut(source, chunks) for source, chunks in sorted(strangers.items())],
    )
    report_memory(context)


def _own_test_part(context: JobContext[EvaluateConfig], model: TrainedModel) -> Iterator[list[Piece]]:
    """The chunks the model was tested on: no other one of its corpus is new to it."""
    if context.config.chunk is not None:
        raise InvalidInputError(
            ("chunk",), "none on the dataset the model was trained on", "a chunk block", "Leave it out"
        )
    config = model.card.config
    if config.chunk_split() != config.split:
        raise InvalidInputError(
            ("dataset",),
            "another dataset than the model's own, whose every chunk it has learned tokens of",
            f"its own, split by {config.split.by}",
            "Train with split.by `block` to have chunks left that are new to the model",
        )
    samples = prepare_samples(
        Corpus(context.corpus_path),
        config.chunk,
        config.sources,
        config.chunk_split(),
        model.card.seed,
        model.offsets(config.chunk),
        context.kept,
    )
    if samples.split_sha256 != model.card.split.sha256:
        raise ArtifactError(
            ("split",), f"the model's own, sha256 {model.card.split.sha256}", samples.split_sha256
        )
    test = samples.part("test")
    for start in range(0, len(test), BATCH_CHUNKS):
        rows = test[start : start + BATCH_CHUNKS].tolist()
        context.progress("evaluation", start, len(test), "chunks")
        yield [
            Piece(
                row,
                samples.documents[row],
                tuple(samples.sources[source] for source in samples.positives[row].tolist()),
                samples.texts[row],
                int(samples.starts[row]),
                int(samples.ends[row]),
            )
            for row in rows
        ]


def _all_chunks(context: JobContext[EvaluateConfig], model: TrainedModel) -> Iterator[list[Piece]]:
    corpus = Corpus(context.corpus_path)
    num_documents = corpus.num_documents
    for batch in model.batches(corpus, context.config.chunk):
        yield batch
        context.progress("evaluation", batch[-1].number + 1, num_documents, "documents")


def _score(
    model: TrainedModel, batch: list[Piece], table: PredictionTable, strangers: Counter[str]
) -> _Scored:
    numbers = {source: number for number, source in enumerate(model.loaded.sources)}
    strangers.update(source for piece in batch for source in piece.sources if source not in numbers)
    found = model.loaded.classify([piece.text for piece in batch], coverage=SET_COVERAGE)
    assert found.sets is not None
    table.write(
        Spans(
            [piece.document for piece in batch],
            [piece.start for piece in batch],
            [piece.end for piece in batch],
        ),
        found.probabilities,
        found.unknown,
        split=["test"] * len(batch),
        sources=[list(piece.sources) for piece in batch],
        lexical_baseline=[None] * len(batch),
    )
    positives = Positives.from_lists([_known(piece.sources, numbers) for piece in batch])
    rows, sources = positives.pairs(np.arange(len(batch)))
    covered = np.zeros(len(batch), np.bool_)
    np.logical_or.at(covered, rows, found.sets[rows, sources])
    return _Scored(
        Outcomes.of(given_known(found.probabilities, found.unknown), positives),
        found.unknown,
        found.known,
        covered,
        found.sets.sum(axis=1),
        chosen_sources(found.scores),
    )


def _known(sources: tuple[str, ...], numbers: dict[str, int]) -> IntArray:
    return np.array(sorted(numbers[source] for source in sources if source in numbers), dtype=np.int64)


def _report(
    context: JobContext[EvaluateConfig],
    scored: _Scored,
    model: TrainedModel,
    strangers: list[LeftOut],
) -> None:
    """Scores over the chunks of known sources; where there are others too, how well `unknown` tells them."""
    outcomes, unknown = scored.outcomes, scored.unknown
    is_unknown = outcomes.positives.counts == 0
    context.metric("data/samples", len(unknown), split="test")
    context.metric("data/samples_unknown", int(is_unknown.sum()), split="test")
    if is_unknown.all():
        raise InvalidInputError(
            ("dataset",),
            "chunks of at least one source the model knows",
            f"none of {len(strangers)} sources",
            "Kind `classify` takes any dataset",
        )
    report_decisions(context, outcomes, scored.unknown, scored.known, model.backbone_id)
    with_source = np.flatnonzero(~is_unknown)
    answerable = outcomes.take(with_source)
    context.metric("eval/set_coverage", float(scored.covered[~is_unknown].mean()), split="test")
    context.metric("eval/set_size", float(scored.sizes[~is_unknown].mean()), split="test")
    sources = model.loaded.sources
    report_scores(context, answerable, sources, model.backbone_id, strangers)
    chosen = scored.chosen.take(with_source)
    report_label_sets(context, answerable, chosen, len(sources), model.backbone_id)
