"""A trial before the training: how long to train, how members add up, what an unknown text looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.fusion import Fusion
from sip_model.identifiers.identifier import score
from sip_model.identifiers.member_training import MemberTraining, Rows
from sip_model.identifiers.members import Members
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.signs import sign_names
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.unknown import UnknownModel

Array = npt.NDArray[np.float64]

STAGE = "pilot"

HELD_OUT_SOURCES = 0.2
"""Share of the sources that the pilot doesn't know."""
MAX_UNKNOWN = 2000
"""Texts of unknown sources at most: enough for a dozen weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Pilot:
    """What the pilot found out."""

    epochs: Mapping[str, int]
    """By branch."""
    fusion: Fusion
    unknown: UnknownModel | None
    """None where there was no unknown text to learn from."""


def run_pilot(data: TrainingData, training: MemberTraining) -> Pilot:
    """Train members on the training part of most sources and try them on the validation part.

    A fifth of the sources, drawn with the seed, is held out: their texts are what unknown ones look like that
    are of the corpus' own kind. `data.background` is what those of another kind look like.
    """
    trial = _Trial.of(data, choose_held_out(len(data.sources), training.seed))
    if not len(trial.rows(data.train)) or not len(trial.rows(data.validation)):
        trial = _Trial.of(data, np.zeros(0, dtype=np.int64))
    train, validation = trial.rows(data.train), trial.rows(data.validation)
    members = training.run(trial.data, Rows(train, validation, {}), STAGE)
    scores = members.scores(data.texts_of(validation), data.features_of(validation))
    fusion = Fusion.fit(scores.logits, trial.data.positives.take(validation))
    unknown = _unknown_model(data, members, fusion, validation, trial.strangers(training.seed))
    return Pilot(training.epochs(STAGE), fusion, unknown)


def choose_held_out(num_sources: int, seed: int) -> IntArray:
    """Numbers of the sources that the pilot doesn't know, ascending; two are always left to tell apart."""
    count = min(max(1, round(HELD_OUT_SOURCES * num_sources)), num_sources - 2)
    return np.sort(np.random.default_rng(seed).permutation(num_sources)[:count])


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """The samples of an experiment as the pilot sees them."""

    data: TrainingData
    """Its sources are those left; a sample has the positives that are left."""
    num_left: IntArray
    """(n,) positives left of each sample."""
    num_held_out: IntArray
    """(n,) positives that the pilot doesn't know."""

    @classmethod
    def of(cls, data: TrainingData, held_out: IntArray) -> "_Trial":
        left = np.setdiff1d(np.arange(len(data.sources)), held_out)
        lists = [
            np.searchsorted(left, row[np.isin(row, left)])
            for row in np.split(data.positives.indices, data.positives.indptr[1:-1])
        ]
        positives = Positives.from_lists(lists)
        return cls(
            replace(data, positives=positives, sources=tuple(data.sources[s] for s in left.tolist())),
            positives.counts,
            data.positives.counts - positives.counts,
        )

    def rows(self, part: IntArray) -> IntArray:
        """Those of a part that stand in no held-out source."""
        return np.asarray(part[self.num_held_out[part] == 0], dtype=np.int64)

    def strangers(self, seed: int) -> IntArray:
        """Row numbers of training and validation part that stand in held-out sources alone, some of them."""
        seen = np.concatenate([self.data.train, self.data.validation])
        rows = seen[self.num_left[seen] == 0]
        return np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_UNKNOWN])


def _unknown_model(
    data: TrainingData, members: Members, fusion: Fusion, known: IntArray, strangers: IntArray
) -> UnknownModel | None:
    def signs(rows: IntArray) -> Array:
        return score(members, fusion, data.texts_of(rows), data.features_of(rows)).signs

    groups = [signs(strangers)] if len(strangers) else []
    if data.background is not None:
        groups.append(score(members, fusion, data.background.texts, data.background.features).signs)
    return UnknownModel.fit(sign_names(members), signs(known), groups) if groups else None
