"""What benchmarks/planted.py measures of a model: passages of two sources, and ordinary ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.classification import classification
from benchmarks.answer_cells import Array, Features
from benchmarks.planted_model import PlantedModel, features_of, texts_of
from sip_model.analysis.scores import Outcomes, given_known, score_outcomes
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import resolve_dtype
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.identifiers.answers import Answers
from sip_model.identifiers.artifact import Artifact, BackboneReading, save_artifact
from sip_model.inference.identify import LoadedModel
from worker.jobs.support import Predicted, Trained, fit_support

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


def measure(planted: PlantedModel, features: Features, folder: Path) -> Measured:
    """Ask a model as `POST /classify` does, and its members alone.

    Args:
        planted: the model and its cases.
        features: of its backbone.
        folder: the served model is written into it.
    """
    identifier, samples = planted.identifier, planted.samples
    test = samples.part("test")
    passages = [case.passage for case in planted.cases]
    pairs = np.array([[samples.sources.index(source) for source in case.sources] for case in planted.cases])
    model, texts = _served(planted, folder), passages + texts_of(samples, test)
    before = time.process_time()
    served = _probabilities(model, texts)
    seconds = time.process_time() - before
    before = time.process_time()
    quoted = identifier.quotations.shares(texts).sum(axis=1)[len(passages) :]
    seconds_of_quotations = time.process_time() - before

    vectors = np.concatenate([features_of(features, passages), planted.vectors[test]])
    scored = identifier.scored(texts, vectors)
    with_quotations = identifier.judgement(scored)
    members = replace(identifier, judgement=replace(identifier.judgement, trust=None)).judgement(scored)
    is_whole = np.array([case.is_whole for case in planted.cases])
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


def _outcomes(answers: Answers, planted: PlantedModel, ordinary: slice) -> Outcomes:
    known = given_known(answers.probabilities[ordinary], answers.unknown[ordinary])
    return Outcomes.of(known, planted.positives.take(planted.samples.part("test")))


def _served(planted: PlantedModel, folder: Path) -> LoadedModel:
    """The model written and read as the service does."""
    catalog = BackboneCatalog({})
    info, dtype = catalog.fetch("minilm"), resolve_dtype("auto", "cpu")
    layers = resolve_layers("auto", info.num_layers)
    reading = BackboneReading("minilm", info.revision, layers, "mean", resolve_max_tokens(None, info), dtype)
    identifier, samples = planted.identifier, planted.samples
    rows = samples.part("calibration")
    scored = identifier.scored(texts_of(samples, rows), planted.vectors[rows])
    judgement = identifier.judgement
    known = judgement.known(judgement.calibration(scored.logits), scored.quoted)
    artifact = Artifact(identifier, reading, {})
    learned = samples.part("train", "validation")
    trained = Trained(artifact, {}, Predicted(rows, known), learned, None)
    support = fit_support(samples, planted.positives, trained)
    save_artifact(replace(artifact, support=support), "bce", (), folder)
    return LoadedModel.load(folder, catalog, "cpu")


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
