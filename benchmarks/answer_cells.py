"""One cell of benchmarks/answers.py: a task with a seed, trained as the service trains, and its answers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.answer_tasks import Stranger, Task, strangers_of
from benchmarks.trained_models import Features, FloatArray, texts_of, trained_task
from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.scores import Outcomes, given_known
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import Positives

KNOWN = "known"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The n texts asked about, those of the test part first."""

    group: npt.NDArray[np.str_]
    """(n,) `KNOWN` for the test part."""
    document: npt.NDArray[np.str_]
    """(n,)"""
    right: Array
    """(n,) 1 where the first source is a right one."""
    lexical_right: Array
    """(n,) the same of the lexical baseline, which learned from the same samples; 0 outside the test part."""
    confidence: Array
    """(n,) probability of the first source, given that a known one is right; so are the next two."""
    mass: Array
    """(n,) probability of the right sources together."""
    squares: Array
    """(n,) squared error of the whole distribution."""
    unknown: Array
    """(n,) probability that no known source is right."""
    answered: Array
    """(n,) 1 where the text passes for one of a known source."""
    classwise_ece: Array
    """() of the test part."""
    weights: str
    """How much each member counts, and the calibration, as JSON."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in self.__slots__})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Cell":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            values = {name: arrays[name] for name in cls.__slots__}
        return cls(**values | {"weights": str(values["weights"])})


def run_cell(task: Task, seed: int, data: Path, features: Features, work: Path) -> Cell:
    """Ask a model of a task about its test part and its strangers."""
    trained = trained_task(task, seed, data, features, work)
    samples = trained.samples
    strangers = list(strangers_of(task, samples, data))
    learned, test = samples.part("train", "validation"), samples.part("test")
    test_texts = texts_of(samples, test)
    truth = trained.positives.take(test)
    baseline = lexical_baseline(texts_of(samples, learned), trained.positives.take(learned), test_texts, seed)
    texts = [stranger.text for stranger in strangers]
    cell = _ask(
        trained.identifier,
        test_texts + texts,
        np.concatenate([trained.vectors[test], features(texts)]) if texts else trained.vectors[test],
        truth,
        strangers,
        [samples.documents[row] for row in test.tolist()],
    )
    cell.lexical_right[: len(test)] = truth.mark(baseline[:, None])[:, 0]
    return cell


def _ask(
    identifier: Identifier,
    texts: list[str],
    vectors: FloatArray,
    truth: Positives,
    strangers: list[Stranger],
    documents: list[str],
) -> Cell:
    nobody = Positives.from_lists([np.zeros(0, dtype=np.int64)] * len(strangers))
    answers = identifier.judgement(identifier.scored(texts, vectors))
    outcomes = Outcomes.of(
        given_known(answers.probabilities, answers.unknown), Positives.joined([truth, nobody])
    )
    judgement = identifier.judgement
    return Cell(
        group=np.array([KNOWN] * len(truth) + [stranger.group for stranger in strangers]),
        document=np.array(documents + [stranger.document for stranger in strangers]),
        right=outcomes.right.astype(np.float64),
        lexical_right=np.zeros(len(texts)),
        confidence=outcomes.confidence,
        mass=outcomes.mass,
        squares=outcomes.squares,
        unknown=answers.unknown,
        answered=answers.known.astype(np.float64),
        classwise_ece=np.array(outcomes.tally.ece()),
        weights=json.dumps(
            {
                "members": dict(zip(identifier.members.names, identifier.fusion.weights, strict=True)),
                "calibration": judgement.calibration.method,
                "signs": dict(zip(judgement.unknown.signs, judgement.unknown.weights, strict=True)),
                "threshold": judgement.unknown.threshold,
            }
        ),
    )
