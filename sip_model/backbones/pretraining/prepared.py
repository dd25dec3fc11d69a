"""Text cut, tokenizer trained and text tokenised: the same for models of every size, so kept for the next."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
from tokenizers import Tokenizer

from sip_model.backbones.pretraining.stream import TokenArray, TokenStream
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.backbones.pretraining.vocabulary import END_TOKEN, train_tokenizer
from sip_model.experiments.pretrain import PretrainConfig
from sip_model.kept import KeptResults

FORMAT = 1
"""Part of every address: raise it when the same text gives other tokens than before."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedText:
    """What a model from scratch is trained on, whatever its size."""

    tokenizer: Tokenizer
    train: TokenArray
    """(n,)"""
    validation: TokenArray
    """(m,)"""
    num_words: int
    """Of the train parts."""
    num_words_cut: int
    """Of those, how many were left out because held-out text repeats them."""

    @classmethod
    def of(cls, text: PretrainingText, vocab_size: int) -> Self:
        """Train the tokenizer on the text and tokenise it."""
        tokenizer = train_tokenizer(text.train_texts(), vocab_size)
        train, validation = (
            TokenStream.encode(texts, tokenizer, END_TOKEN, 1).tokens
            for texts in (text.train_texts(), text.held_out_texts("validation"))
        )
        return cls(tokenizer, train, validation, text.num_words, text.num_words_cut)


@dataclass(frozen=True, slots=True)
class PreparedTexts:
    """Prepared texts, kept with other results.

    Args:
        folder: of the results, see :class:`sip_model.kept.KeptResults`.
    """

    folder: Path

    def get(
        self,
        config: PretrainConfig,
        seed: int,
        sha256s: list[str],
        prepare: Callable[[], PreparedText],
    ) -> PreparedText:
        """The text of a configuration; prepared where it isn't here undamaged.

        Args:
            config: only what the text follows from counts.
            seed: of the split.
            sha256s: of the documents of the corpora, in order.
            prepare: makes it.

        Raises:
            OSError: the disk is full or not writable.
        """
        versions = [version("tokenizers"), version("numpy")]
        blocks = [asdict(config.chunk), asdict(config.sources), asdict(config.split)]
        address = [FORMAT, blocks, seed, sha256s, config.pretrain.vocab_size, versions]
        return _unpacked(KeptResults(self.folder).get("text", address, lambda: _packed(prepare())))


def _packed(prepared: PreparedText) -> bytes:
    """Length of the header, header, tokens."""
    header = json.dumps(
        {
            "tokenizer": prepared.tokenizer.to_str(),
            "dtype": prepared.train.dtype.str,
            "num_train": len(prepared.train),
            "num_words": prepared.num_words,
            "num_words_cut": prepared.num_words_cut,
        }
    ).encode()
    return len(header).to_bytes(8) + header + prepared.train.tobytes() + prepared.validation.tobytes()


def _unpacked(content: bytes) -> PreparedText:
    """What `_packed` was given."""
    end = 8 + int.from_bytes(content[:8])
    header = json.loads(content[8:end])
    tokens = np.frombuffer(content, np.dtype(header["dtype"]), offset=end)
    return PreparedText(
        Tokenizer.from_str(header["tokenizer"]),
        tokens[: header["num_train"]],
        tokens[header["num_train"] :],
        header["num_words"],
        header["num_words_cut"],
    )
