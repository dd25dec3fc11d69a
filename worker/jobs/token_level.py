"""Kind `train` with `identifier.ngram`: a token-level identifier, scored by token and by chunk.

Whatever the split, a second identifier is trained and tested on random tokens of the same chunks, the
published protocol: the difference is what that protocol overstates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.predictions import PredictionTable, Spans, evaluation_table
from sip_model.analysis.scores import Outcomes, macro_f1
from sip_model.corpora.samples import Samples
from sip_model.corpora.split import PARTS
from sip_model.experiments.config import SplitConfig
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.artifact import Artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.token_identifier import TokenIdentifier, TokenScores
from sip_model.identifiers.token_rows import TokenRows, deal_positions
from sip_model.identifiers.token_train import ROWS_BRANCH, TokenData, train_token_identifier
from worker.jobs.context import JobContext
from worker.jobs.results import PARQUET, report_scores
from worker.jobs.support import Predicted, Trained
from worker.jobs.token_reading import TokenReader

POSITION_SPLIT = "position_split"


@dataclass(frozen=True, slots=True, eq=False)
class _Dealt:
    """All rows of the samples' tokens, and the part of each."""

    rows: TokenRows
    numbers: IntArray
    """(m,) ascending."""
    parts: npt.NDArray[np.uint8]
    """(m,) index into `PARTS`."""
    samples: Samples | None
    """The chunks where they are dealt whole; None where each row is dealt by itself."""

    def chunks(self, name: str) -> IntArray:
        """The chunks of a part, ascending; a chunk may be in several where rows are dealt."""
        if self.samples is not None:
            return self.samples.part(name)
        return np.unique(self.rows.passages(self.part(name)))

    def part(self, name: str) -> IntArray:
        """The rows of a part, ascending."""
        return np.asarray(self.numbers[self.parts == PARTS.index(name)])


def train_on_tokens(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    reader: TokenReader,
    checkpoint: Checkpoint,
) -> Trained:
    """Read states, train, evaluate.

    Args:
        context: of the job.
        samples: chunks, dealt whole.
        positives: of the chunks.
        reader: of the backbone.
        checkpoint: of both trainings.
    """
    config = context.config
    rows = TokenRows(reader.states(samples.texts), config.identifier.ngram or 1)
    numbers = rows.of(np.arange(len(samples.texts)))
    by_position = _Dealt(rows, numbers, deal_positions(numbers, _shares(config.split), context.seed), None)
    dealt = by_position
    if config.split.by != "position":
        dealt = _Dealt(rows, numbers, samples.parts[rows.passages(numbers)], samples)
    if epochs_done := checkpoint.epochs_done():
        context.resumed(epochs_done)
    identifier = _train(context, dealt, positives, samples.sources, checkpoint, ROWS_BRANCH)
    scores, predicted = _evaluate(context, samples, positives, dealt, identifier, reader.reading.id)
    if dealt is not by_position:
        optimistic = _train(context, by_position, positives, samples.sources, checkpoint, POSITION_SPLIT)
        scores |= _compare(context, positives, by_position, optimistic, reader.reading.id)
    return Trained(Artifact(identifier, reader.reading, {}), scores, predicted, samples.part("train"), None)


def _shares(split: SplitConfig) -> tuple[float, ...]:
    return split.train, split.validation, split.calibration, split.test


def _train(
    context: JobContext[TrainConfig],
    dealt: _Dealt,
    positives: Positives,
    sources: tuple[str, ...],
    checkpoint: Checkpoint,
    branch: str,
) -> TokenIdentifier:
    suffix = "" if branch == ROWS_BRANCH else f"_{branch}"

    def on_epoch(epoch: Epoch) -> None:
        context.metric(f"train/loss{suffix}", epoch.train_loss, step=epoch.number, split="train")
        context.metric(
            f"validation/loss{suffix}", epoch.validation_loss, step=epoch.number, split="validation"
        )
        context.progress(f"training {branch}", epoch.number, epoch.of, "epochs")

    data = TokenData(
        dealt.rows,
        positives,
        sources,
        dealt.part("train"),
        dealt.part("validation"),
        dealt.part("calibration"),
    )
    with context.writing_checkpoints():
        return train_token_identifier(
            data,
            context.config.identifier,
            context.config.training,
            seed=context.seed,
            device=context.device,
            checkpoint=checkpoint,
            on_epoch=on_epoch,
            branch=branch,
        )


def _evaluate(
    context: JobContext[TrainConfig],
    samples: Samples,
    positives: Positives,
    dealt: _Dealt,
    identifier: TokenIdentifier,
    backbone: str,
) -> tuple[dict[str, float], Predicted]:
    """Predict all held-out chunks; score the test part by token and by chunk beside the lexical baseline."""
    train, test = samples.part("train"), samples.part("test")
    baseline = lexical_baseline(
        [samples.texts[row] for row in train.tolist()],
        positives.take(train),
        [samples.texts[row] for row in test.tolist()],
        context.seed,
        context.kept,
    )
    lexical = np.full(len(samples.texts), -1)
    lexical[test] = baseline
    path = context.scratch / "predictions.parquet"
    by_part: dict[str, _Scored] = {}
    with evaluation_table(path, samples.sources) as table:
        for done, part in enumerate(PARTS[1:]):
            context.progress("evaluation", done, len(PARTS) - 1, "parts")
            by_part[part] = _score(identifier, dealt, positives, part)
            _write(table, samples, by_part[part], part, lexical)
    context.artifact(path.name, path, PARQUET)
    scored, calibration = by_part["test"], by_part["calibration"]
    outcomes = Outcomes.of(scored.given_known, positives.take(scored.chunks))
    scores = report_scores(context, outcomes, samples.sources, backbone, samples.left_out)
    more = {"eval/passage_accuracy": scores["eval/accuracy"]} | scored.token_scores(len(samples.sources))
    for name, value in more.items():
        context.metric(name, value, split="test", backbone=backbone)
    beside = {
        "baseline/lexical_accuracy": float(positives.take(test).mark(baseline[:, None]).mean()),
        "baseline/chance_accuracy": float(positives.take(test).counts.mean()) / len(samples.sources),
    }
    for name, value in beside.items():
        context.metric(name, value, split="test")
    for part in PARTS:
        context.metric("data/token_samples", len(dealt.part(part)), split=part)
    return scores | more | beside, Predicted(calibration.chunks, calibration.given_known)


def _compare(
    context: JobContext[TrainConfig],
    positives: Positives,
    dealt: _Dealt,
    identifier: TokenIdentifier,
    backbone: str,
) -> dict[str, float]:
    """Scores on random tokens of chunks that were learned from."""
    scored = _score(identifier, dealt, positives, "test")
    right = positives.take(scored.chunks).mark(scored.probabilities.argmax(axis=1)[:, None])
    scores = {
        f"eval/token_accuracy_{POSITION_SPLIT}": scored.token_scores(len(identifier.sources))[
            "eval/token_accuracy"
        ],
        f"eval/passage_accuracy_{POSITION_SPLIT}": float(right.mean()),
    }
    for name, value in scores.items():
        context.metric(name, value, split="test", backbone=backbone)
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """What came out for the rows of one part and for their chunks."""

    predicted: IntArray
    """(m,) the source that came first for each row."""
    labels: Positives
    """Of the m rows."""
    chunks: IntArray
    """(k,) numbers of the part's chunks."""
    probabilities: npt.NDArray[np.float64]
    """(k, C)"""
    unknown: npt.NDArray[np.float64]
    """(k,)"""
    given_known: npt.NDArray[np.float64]
    """(k, C) given that some known source is right: rows sum to 1."""

    def token_scores(self, num_sources: int) -> dict[str, float]:
        """Accuracy and macro-F1 over the rows."""
        right = self.labels.mark(self.predicted[:, None])
        return {
            "eval/token_accuracy": float(right.mean()),
            "eval/token_macro_f1": macro_f1(self.predicted, self.labels, num_sources),
        }


def _score(identifier: TokenIdentifier, dealt: _Dealt, positives: Positives, part: str) -> _Scored:
    wanted, chunks = dealt.part(part), dealt.chunks(part)
    predicted: list[IntArray] = []

    def watched() -> Iterator[TokenScores]:
        for scores in identifier.token_scores(dealt.rows, wanted):
            predicted.append(scores.logits.argmax(axis=1))
            yield scores

    logits = identifier.pooled(dealt.rows, chunks, watched())
    answers, known = identifier.judgement(identifier.scored(logits)), identifier.judgement.calibration(logits)
    labels = positives.take(dealt.rows.passages(wanted))
    return _Scored(np.concatenate(predicted), labels, chunks, answers.probabilities, answers.unknown, known)


def _write(table: PredictionTable, samples: Samples, scored: _Scored, part: str, lexical: IntArray) -> None:
    chunks = scored.chunks.tolist()
    table.write(
        Spans(
            [samples.documents[chunk] for chunk in chunks],
            samples.starts[scored.chunks].tolist(),
            samples.ends[scored.chunks].tolist(),
        ),
        scored.probabilities,
        scored.unknown,
        split=[part] * len(chunks),
        sources=[[samples.sources[s] for s in samples.positives[chunk].tolist()] for chunk in chunks],
        lexical_baseline=[
            samples.sources[source] if source >= 0 else None for source in lexical[scored.chunks].tolist()
        ],
    )
