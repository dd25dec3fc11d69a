"""What `level: token` adds to an answer of `POST /classify`: spans and tokens with their sources."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sip_model.inference.spans import Painting


def painted(sources: Sequence[str], text: str, painting: "Painting") -> dict[str, Any]:
    """These fields of one text's answer.

    Args:
        sources: C names.
        text: the text.
        painting: of the text.
    """
    return {
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "source": None if span.source is None else sources[span.source],
                "source_id": span.source,
                "probability": span.probability,
            }
            for span in painting.spans
        ],
        "tokens": [
            {
                "text": text[token.start : token.end],
                "start": token.start,
                "end": token.end,
                "source": None if token.source is None else sources[token.source],
                "probability": token.probability,
            }
            for token in painting.tokens
        ],
    }
