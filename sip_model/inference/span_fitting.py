"""Fit a model's spans on texts put together from passages that it has not learned from."""

import numpy as np

from sip_model.corpora.samples import Samples
from sip_model.corpora.stitched import Stitched, stitch
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.smoothing import Smoothing
from sip_model.identifiers.smoothing_fit import LabelledUnits, fit_smoothing
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.unknown import FALSE_REJECTIONS
from sip_model.inference.identify import LoadedModel
from sip_model.inference.spans import fit_max_unknown
from sip_model.inference.units import Units

NUM_STITCHED = 160
"""Texts of two sources: enough for two numbers and a quantile."""
NUM_WHOLE = 80
"""Texts of one."""
TOKEN_TOLERANCE = 8
"""Tokens that a change of source may be off, where units are tokens; between sentences it must be exact."""


def fit_spans(model: LoadedModel, samples: Samples, rows: IntArray, seed: int) -> Smoothing | None:
    """How the model makes spans; None where no text can be put together.

    Args:
        model: trained, without spans.
        samples: in their parts.
        rows: of the samples, none learned from.
        seed: draws the texts.
    """
    texts = [
        *stitch(samples, rows, 2, NUM_STITCHED, seed),
        *stitch(samples, rows, 1, NUM_WHOLE, seed),
    ]
    if not texts:
        return None
    units = model.units([each.text for each in texts])
    labelled = [
        LabelledUnits(of_text.evidence, right_sources(each, of_text))
        for each, of_text in zip(texts, units, strict=True)
    ]
    is_token_level = isinstance(model.artifact.identifier, TokenIdentifier)
    smoothing = fit_smoothing(labelled, TOKEN_TOLERANCE if is_token_level else 0)
    return fit_max_unknown([each.text for each in texts], units, smoothing, model.read, FALSE_REJECTIONS)


def right_sources(text: Stitched, units: Units) -> IntArray:
    """The source of each unit of a text, (m,)."""
    passages = np.searchsorted(text.starts, units.starts, side="right") - 1
    return np.array(text.sources, np.int64)[passages]
