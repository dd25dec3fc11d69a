"""What a model keeps beside its identifier: evidence, conformal sets, traits of its training texts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_model.corpora.samples import Samples
from sip_model.evidence.index import EvidenceIndex, Query, TrainingPassages
from sip_model.evidence.passages import Passage
from sip_model.evidence.store import save_evidence
from sip_model.experiments.evidence import EVIDENCE_FILE
from sip_model.identifiers.artifact import Artifact
from sip_model.identifiers.conformal import ConformalSets
from sip_model.identifiers.familiarity import Familiarity
from sip_model.identifiers.pooling import fit_growth
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.support import Support
from sip_model.inference.identify import log_known

Features = Callable[[IntArray], npt.NDArray[np.float32]]
"""From rows of the samples to their backbone features, (m, D), as the model itself reads them."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What an identifier says of the calibration part, of which its members have learned nothing."""

    rows: IntArray
    """(m,) numbers of the samples."""
    probabilities: npt.NDArray[np.float64]
    """(m, C) given that some known source is right: rows sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training leaves, whatever its samples were."""

    artifact: Artifact
    """Without card, support and evidence."""
    scores: dict[str, float]
    """On the test part, by metric name."""
    predicted: Predicted
    learned: IntArray
    """Numbers of the samples that its members have learned from."""
    features: Features | None
    """None where a passage as a whole has none."""


def fit_support(samples: Samples, positives: Positives, trained: Trained) -> Support:
    """Conformal sets, traits of the texts learned from, and how windows add up.

    The kind of sets is chosen on every other sample of the calibration part; the others are what nothing was
    chosen on, as the sets' promise wants it.

    Args:
        samples: in their parts.
        positives: of the samples.
        trained: what was trained on them.
    """
    predicted = trained.predicted
    choice, rest = (
        (predicted.probabilities[half], positives.take(predicted.rows[half]))
        for half in (slice(0, None, 2), slice(1, None, 2))
    )
    return Support(
        ConformalSets.fit(choice, rest, len(samples.sources)),
        Familiarity.fit(_texts(samples, trained.learned), _texts(samples, predicted.rows)),
        fit_growth(predicted.probabilities, positives.take(predicted.rows)),
    )


def index_passages(samples: Samples, positives: Positives, trained: Trained) -> EvidenceIndex:
    """The samples learned from as evidence, its ranking fitted on the calibration part.

    Args:
        samples: in their parts.
        positives: of the samples.
        trained: what was trained on them.
    """
    learned, predicted, features = trained.learned, trained.predicted, trained.features
    numbers = learned.tolist()
    index = EvidenceIndex.build(
        TrainingPassages(
            [
                Passage(samples.documents[row], int(samples.starts[row]), int(samples.ends[row]), text)
                for row, text in zip(numbers, _texts(samples, learned), strict=True)
            ],
            follow(samples, learned),
            None if features is None else features(learned),
            positives.take(learned),
            len(samples.sources),
        )
    )
    query = Query(
        _texts(samples, predicted.rows),
        None if features is None else features(predicted.rows),
        log_known(predicted.probabilities),
    )
    return index.with_ranking(query, positives.take(predicted.rows))


def follow(samples: Samples, rows: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each of k samples goes on where the one before it in `rows` ends, (k,)."""
    documents = np.array([samples.documents[row] for row in rows.tolist()])
    chunks = samples.chunks[rows]
    goes_on = (documents[1:] == documents[:-1]) & (chunks[1:] == chunks[:-1] + 1)
    return np.concatenate([[False], goes_on])


def save_with_evidence(artifact: Artifact, index: EvidenceIndex | None, folder: Path) -> Artifact:
    """Write the evidence into a model's folder; the artifact that names it."""
    if index is None:
        return artifact
    return replace(artifact, evidence_sha256=save_evidence(index, folder / EVIDENCE_FILE))


def held_out(samples: Samples) -> IntArray:
    """All samples that neither training nor its choices have seen."""
    return samples.part("calibration", "test")


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
