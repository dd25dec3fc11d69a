"""The tokens that an answer of `POST /classify` rests on, and how much may be explained at once."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.errors import invalid

if TYPE_CHECKING:
    from sip_model.inference.saliency import Saliency

MAX_TEXTS = 32
MAX_CHARACTERS = 10_000
"""Of all texts of a request that asks for explanations: every window takes several passes of its own."""


def check_explained(texts: Sequence[str]) -> None:
    """Raises `InvalidRequestError` for more than is explained at once."""
    if len(texts) > MAX_TEXTS:
        raise invalid(("body", "input"), f"at most {MAX_TEXTS} texts with explain", str(len(texts)))
    num_characters = sum(map(len, texts))
    if num_characters > MAX_CHARACTERS:
        expected = f"at most {MAX_CHARACTERS} characters in all with explain"
        raise invalid(("body", "input"), expected, str(num_characters))


def token_saliency(text: str, found: "Saliency") -> list[dict[str, Any]]:
    """The tokens of a text; what isn't known of them is left out."""
    rows = zip(
        found.offsets.tolist(),
        found.weights.tolist(),
        found.parts.gradient.tolist(),
        found.parts.channels.tolist(),
        strict=True,
    )
    tokens = []
    for (start, end), weight, gradient, channels in rows:
        token: dict[str, Any] = {"text": text[start:end], "start": start, "end": end, "weight": weight}
        if found.reads_backbone:
            token["gradient"] = gradient
            if not math.isnan(channels):
                token["channels"] = channels
        tokens.append(token)
    return tokens
