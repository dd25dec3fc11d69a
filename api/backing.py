"""What an answer of `POST /classify` rests on: windows, warnings, the set, the evidence, the tokens."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from api.saliency import token_saliency

if TYPE_CHECKING:
    from sip_model.inference.distributions import Distributions, Evidence


def backing(sources: Sequence[str], found: "Distributions", index: int, text: str) -> dict[str, Any]:
    """These fields of one text's answer; those that weren't asked for are left out.

    Args:
        sources: C names.
        found: of all texts.
        index: which text.
        text: the text itself.
    """
    fields: dict[str, Any] = {
        "windows": [
            {
                "start": window.start,
                "end": window.end,
                "source": sources[window.source],
                "source_id": window.source,
                "probability": window.probability,
                "unknown": window.unknown,
            }
            for window in found.windows[index]
        ],
        "warnings": [{"code": code, "message": message} for code, message in found.warnings[index]],
    }
    if found.sets is not None:
        fields["conformal_set"] = _members(sources, found.probabilities[index], found.sets[index])
    if found.evidence is not None:
        fields["evidence"] = [_evidence(sources, passage) for passage in found.evidence[index]]
    if found.saliency is not None:
        fields["saliency"] = token_saliency(text, found.saliency[index])
    return fields


def _members(
    sources: Sequence[str], probabilities: npt.NDArray[np.float64], is_member: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    order = np.argsort(-probabilities, kind="stable")
    return [{"source": sources[number], "source_id": number} for number in order[is_member[order]].tolist()]


def _evidence(sources: Sequence[str], found: "Evidence") -> dict[str, Any]:
    return {
        "source": sources[found.sources[0]],
        "source_id": found.sources[0],
        "sources": [sources[number] for number in found.sources],
        "document": found.passage.document,
        "start": found.passage.start,
        "end": found.passage.end,
        "text": found.passage.text,
        "similarity": found.similarity,
        "shared": [asdict(span) for span in found.shared],
    }
