"""Texts to token ids, with the Rust tokenizer over all texts at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from sip_model.backbones.load import Backbone

Offsets = Callable[[str], list[tuple[int, int]]]

# The encodings of this many texts exist at the same time; they are far larger than the ids taken from them.
_SLICE_TEXTS = 2048


class TokenIds(NamedTuple):
    """Token ids of n texts, one after the other."""

    flat: npt.NDArray[np.int64]
    """Ids of all texts, (sum of lengths,)."""
    starts: npt.NDArray[np.int64]
    """Where each text begins in `flat`, (n,)."""
    lengths: npt.NDArray[np.int64]
    """Tokens of each text, at least one, (n,)."""
    truncated: npt.NDArray[np.bool_]
    """Whether the text had more tokens, (n,)."""

    @classmethod
    def joined(cls, texts: Sequence[npt.NDArray[np.int64]], truncated: npt.NDArray[np.bool_]) -> Self:
        """Of the ids of each of n texts."""
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        flat = np.concatenate(texts) if texts else np.zeros(0, dtype=np.int64)
        return cls(flat, np.cumsum(lengths) - lengths, lengths, truncated)


def encode(backbone: Backbone, texts: Sequence[str], max_tokens: int) -> TokenIds:
    """Tokenise texts the way the backbone was trained, special tokens included.

    Args:
        backbone: whose tokenizer to use.
        texts: n texts; one that has no token at all is read as a single end-of-text token.
        max_tokens: longer texts lose the tokens at their end, special tokens kept.
    """
    tokenizer = backbone.tokenizer_for(max_tokens)
    pieces: list[npt.NDArray[np.int64]] = []
    truncated = np.zeros(len(texts), dtype=np.bool_)
    for first in range(0, len(texts), _SLICE_TEXTS):
        encodings = tokenizer.encode_batch_fast(list(texts[first : first + _SLICE_TEXTS]))
        for row, encoding in enumerate(encodings, start=first):
            pieces.append(np.array(encoding.ids or [backbone.end_token], dtype=np.int64))
            truncated[row] = bool(encoding.overflowing)
    return TokenIds.joined(pieces, truncated)


class OwnTokens(NamedTuple):
    """Token ids of n texts, and which of them stand for something in the text."""

    ids: TokenIds
    is_own: npt.NDArray[np.bool_]
    """Whether a token is the text's own, not a special one, (sum of lengths,)."""
    offsets: npt.NDArray[np.int64]
    """Start and end of each own token in code points of its text, (own tokens, 2)."""


def encode_own(backbone: Backbone, texts: Sequence[str], max_tokens: int) -> OwnTokens:
    """As :func:`encode`, and with what is needed to tell the texts' own tokens apart.

    Args:
        backbone: whose tokenizer to use.
        texts: n texts.
        max_tokens: longer texts lose the tokens at their end, special tokens kept.
    """
    ids = encode(backbone, texts, max_tokens)
    is_own = np.zeros(len(ids.flat), dtype=np.bool_)
    offsets: list[npt.NDArray[np.int64]] = [np.zeros((0, 2), dtype=np.int64)]
    tokenizer = backbone.tokenizer_for(max_tokens)
    for first in range(0, len(texts), _SLICE_TEXTS):
        for row, encoding in enumerate(
            tokenizer.encode_batch(list(texts[first : first + _SLICE_TEXTS])), start=first
        ):
            own = np.array(encoding.special_tokens_mask, dtype=np.bool_) == 0  # (T,)
            is_own[ids.starts[row] : ids.starts[row] + len(own)] = own
            offsets.append(np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)[own])
    return OwnTokens(ids, is_own, np.concatenate(offsets))


def token_offsets(backbone: Backbone | Tokenizer) -> Offsets:
    """A function from a text to the offsets of its tokens, for cutting documents into chunks of tokens.

    Offsets are (start, end) in Unicode code points, in order, without special tokens and without tokens that
    stand for no character of the text.
    """
    tokenizer = backbone if isinstance(backbone, Tokenizer) else backbone.tokenizer

    def offsets(text: str) -> list[tuple[int, int]]:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        return [(start, end) for start, end in encoding.offsets if end > start]

    return offsets
