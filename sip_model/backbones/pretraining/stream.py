"""Text as one long row of tokens, cut into sequences that have no padding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from sip_model.backbones.pretraining.vocabulary import MAX_PIECE_CHARACTERS

_PIECES_AT_ONCE = 64

TokenArray = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
"""2 bytes a token up to 65,536 tokens in the vocabulary."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenStream:
    """Texts one after the other, each behind an end-of-text token."""

    tokens: TokenArray
    """(n,)"""
    context: int
    """Tokens per sequence (T)."""

    @classmethod
    def encode(
        cls, texts: Iterable[str], tokenizer: Tokenizer, end_token: int, context: int
    ) -> "TokenStream":
        """Tokenise texts, without the special tokens a tokenizer may put around them."""
        dtype = np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.uint32
        parts = [np.zeros(0, dtype)]
        pieces = _pieces(texts)
        while batch := list(islice(pieces, _PIECES_AT_ONCE)):
            encoded = tokenizer.encode_batch_fast([text for text, _ in batch], add_special_tokens=False)
            for (_, begins), encoding in zip(batch, encoded, strict=True):
                parts.append(np.array(([end_token] if begins else []) + encoding.ids, dtype))
        return cls(np.concatenate(parts), context)

    @property
    def num_sequences(self) -> int:
        """Sequences of T tokens with the token that follows each; the rest of the stream isn't used."""
        return max(0, (len(self.tokens) - 1) // self.context)

    def sequences(self, numbers: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and the tokens that follow them, each int64, (B, T), of the sequences `numbers` (B,)."""
        places = numbers[:, None] * self.context + np.arange(self.context + 1)  # (B, T + 1)
        tokens = torch.from_numpy(self.tokens[places].astype(np.int64))  # (B, T + 1)
        return tokens[:, :-1], tokens[:, 1:]


def _pieces(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Texts in pieces cut before a space, each with whether a text begins with it."""
    for text in texts:
        start = 0
        while start < len(text):
            end = min(len(text), start + MAX_PIECE_CHARACTERS)
            if end < len(text):
                space = text.rfind(" ", start + 1, end)
                end = space if space > start else end
            yield text[start:end], start == 0
            start = end
