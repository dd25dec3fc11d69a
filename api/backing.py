"""What an answer of `POST /classify` rests on: windows, warnings, the set, the evidence, the tokens."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from api.saliency import token_saliency
from api.schemas.classify import Evidence, SetMember, SharedSpan, TextWarning, Window

if TYPE_CHECKING:
    from sip_model.inference.distributions import Distributions
    from sip_model.inference.distributions import Evidence as FoundEvidence


def backing(sources: Sequence[str], found: "Distributions", index: int, text: str) -> dict[str, object]:
    """These fields of one text's answer.

    Args:
        sources: C names.
        found: of all texts.
        index: which text.
        text: the text itself.
    """
    windows = [
        Window(
            start=window.start,
            end=window.end,
            source=sources[window.source],
            source_id=window.source,
            probability=window.probability,
            unknown=window.unknown,
        )
        for window in found.windows[index]
    ]
    warnings = [TextWarning(code=code, message=message) for code, message in found.warnings[index]]
    evidence = None if found.evidence is None else found.evidence[index]
    return {
        "windows": windows,
        "warnings": warnings,
        "conformal_set": None if found.sets is None else _members(sources, found, index),
        "evidence": None if evidence is None else [_evidence(sources, passage) for passage in evidence],
        "saliency": None if found.saliency is None else token_saliency(text, found.saliency[index]),
    }


def _members(sources: Sequence[str], found: "Distributions", index: int) -> list[SetMember]:
    assert found.sets is not None
    order = np.argsort(-found.probabilities[index], kind="stable")
    return [
        SetMember(source=sources[number], source_id=number)
        for number in order[found.sets[index][order]].tolist()
    ]


def _evidence(sources: Sequence[str], found: "FoundEvidence") -> Evidence:
    return Evidence(
        source=sources[found.sources[0]],
        source_id=found.sources[0],
        sources=[sources[number] for number in found.sources],
        document=found.passage.document,
        start=found.passage.start,
        end=found.passage.end,
        text=found.passage.text,
        similarity=found.similarity,
        shared=[SharedSpan(**asdict(span)) for span in found.shared],
    )
