"""What a model keeps beside its identifier: evidence, conformal sets, traits of its training texts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_model.corpora.samples import Samples
from sip_model.corpora.split import PARTS
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
    """What an identifier says of one part of the samples, which it wasn't trained on."""

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
    predicted: Mapping[str, Predicted]
    """By name of the part; at least of the validation and the calibration part."""
    features: Features | None
    """None where a passage as a whole has none."""


def fit_support(samples: Samples, positives: Positives, predicted: Mapping[str, Predicted]) -> Support:
    """Conformal sets, traits of the training texts, and how windows add up.

    Args:
        samples: in their parts.
        positives: of the samples.
        predicted: of the validation and the calibration part.
    """
    validation, calibration = predicted["validation"], predicted["calibration"]
    return Support(
        ConformalSets.fit(
            (validation.probabilities, positives.take(validation.rows)),
            (calibration.probabilities, positives.take(calibration.rows)),
            len(samples.sources),
        ),
        Familiarity.fit(_texts(samples, samples.part("train")), _texts(samples, calibration.rows)),
        fit_growth(calibration.probabilities, positives.take(calibration.rows)),
    )


def index_passages(
    samples: Samples, positives: Positives, predicted: Mapping[str, Predicted], features: Features | None
) -> EvidenceIndex:
    """The training part as evidence, its ranking fitted on the validation part.

    Args:
        samples: in their parts.
        positives: of the samples.
        predicted: of the validation part.
        features: of samples; None: only words are compared.
    """
    train, validation = samples.part("train"), predicted["validation"]
    numbers = train.tolist()
    index = EvidenceIndex.build(
        TrainingPassages(
            [
                Passage(samples.documents[row], int(samples.starts[row]), int(samples.ends[row]), text)
                for row, text in zip(numbers, _texts(samples, train), strict=True)
            ],
            follow(samples, train),
            None if features is None else features(train),
            positives.take(train),
            len(samples.sources),
        )
    )
    query = Query(
        _texts(samples, validation.rows),
        None if features is None else features(validation.rows),
        log_known(validation.probabilities),
    )
    return index.with_ranking(query, positives.take(validation.rows))


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
    """All samples but those learned from."""
    return np.flatnonzero(samples.parts != PARTS.index("train"))


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
