"""What benchmarks/planted.py measures of a model: passages of two sources, and ordinary ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from api.classification import classification
from benchmarks.answer_cells import Array
from benchmarks.planted_cases import Case
from benchmarks.trained_models import Features, TrainedTask, texts_of
from sip_model.analysis.scores import Outcomes, given_known, score_outcomes
from sip_model.identifiers.answers import Answers
from sip_model.inference.identify import LoadedModel

FROM = 0.3
"""Probability from which a source counts as returned."""
TEXTS_AT_ONCE = 256

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one model; lists hold a number for each case or passage."""

    whole: list[list[float]]
    """Probabilities of the two sources of passages planted in place of chunks, as they are served."""
    moved: list[list[float]]
    """Of those that training has seen in part."""
    whole_by_members: list[list[float]]
    moved_by_members: list[list[float]]
    """The same where quotations count for nothing."""
    ordinary_returned: list[int]
    """Sources of passages of the test part with `FROM` or more, as they are served."""
    ordinary_returned_by_members: list[int]
    scores: dict[str, float]
    scores_by_members: dict[str, float]
    """Of the test part, see `score_outcomes`."""
    quoted: float
    """Share of the test part that has eight words or more in a row with what was learned from."""
    trust: list[float]
    """Bias and slope."""
    merged: int
    """Samples that were merged with an equal one of another source."""
    seconds_of_quotations: float
    """Share of the processor's time of an answer that quotations take."""


def measure(cases: Sequence[Case], planted: TrainedTask, features: Features) -> Measured:
    """Ask a model as `POST /classify` does, and its members alone.

    Args:
        cases: the passages.
        planted: the model.
        features: of its backbone.
    """
    identifier, samples = planted.identifier, planted.samples
    test = samples.part("test")
    passages = [case.passage for case in cases]
    pairs = np.array([[samples.sources.index(source) for source in case.sources] for case in cases])
    texts = passages + texts_of(samples, test)
    before = time.process_time()
    served = _probabilities(planted.loaded, texts)
    seconds = time.process_time() - before
    before = time.process_time()
    quoted = identifier.quotations.shares(texts).sum(axis=1)[len(passages) :]
    seconds_of_quotations = time.process_time() - before

    vectors = np.concatenate([features(passages), planted.vectors[test]])
    scored = identifier.scored(texts, vectors)
    with_quotations = identifier.judgement(scored)
    members = replace(identifier, judgement=replace(identifier.judgement, trust=None)).judgement(scored)
    is_whole = np.array([case.is_whole for case in cases])
    rows = np.arange(len(passages))[:, None]
    of_pairs, of_pairs_by_members = served[rows, pairs], members.probabilities[rows, pairs]
    ordinary = slice(len(passages), None)
    outcomes = [_outcomes(answers, planted, ordinary) for answers in (with_quotations, members)]
    trust = identifier.judgement.trust
    assert trust is not None, "it remembers quotations"
    return Measured(
        whole=of_pairs[is_whole].tolist(),
        moved=of_pairs[~is_whole].tolist(),
        whole_by_members=of_pairs_by_members[is_whole].tolist(),
        moved_by_members=of_pairs_by_members[~is_whole].tolist(),
        ordinary_returned=(served[ordinary] > FROM).sum(axis=1).tolist(),
        ordinary_returned_by_members=(members.probabilities[ordinary] > FROM).sum(axis=1).tolist(),
        scores=score_outcomes(outcomes[0], len(samples.sources)),
        scores_by_members=score_outcomes(outcomes[1], len(samples.sources)),
        quoted=float((quoted > 0).mean()),
        trust=[trust.bias, trust.slope],
        merged=samples.merged_duplicates,
        seconds_of_quotations=seconds_of_quotations / seconds,
    )


def _outcomes(answers: Answers, planted: TrainedTask, ordinary: slice) -> Outcomes:
    known = given_known(answers.probabilities[ordinary], answers.unknown[ordinary])
    return Outcomes.of(known, planted.positives.take(planted.samples.part("test")))


def _probabilities(model: LoadedModel, texts: Sequence[str]) -> Array:
    """What is listed of the sources of n texts, (n, C)."""
    sources = list(model.sources)
    rows = np.zeros((len(texts), len(sources)))
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        found = model.classify(texts[start : start + TEXTS_AT_ONCE])
        for index in range(len(found.unknown)):
            answer = classification(
                index,
                sources,
                found.probabilities[index],
                found.scores[index],
                float(found.unknown[index]),
                bool(found.known[index]),
                bool(found.truncated[index]),
                top_k=5,
                min_probability=0.0,
            )
            for entry in answer["distribution"]:
                rows[start + index, entry["source_id"]] = entry["probability"]
    return rows
