"""Text cut, tokenizer trained and text tokenised: the same for models of every size, so kept for the next."""

import hashlib
import json
import logging
import uuid
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
from sip_model.backbones.segments import TEXT_SUFFIX, write_array
from sip_model.experiments.pretrain import PretrainConfig

FORMAT = 1
"""Part of every address: raise it when the same text gives other tokens than before."""

logger = logging.getLogger(__name__)


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
    """Prepared texts in a folder, beside what else is cached there; any number of processes may use it.

    Args:
        folder: made when the first is written. Each text is a file in a folder of its own, found by all that
            it follows from, written under another name and then renamed.
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
        key = hashlib.sha256(json.dumps(address, sort_keys=True).encode()).hexdigest()
        place = self.folder / f"text-{key[:32]}"
        for path in sorted(place.glob(f"*{TEXT_SUFFIX}")):
            if (found := _read(path, key)) is not None:
                return found
            logger.warning("prepared text: %s is damaged; its text is prepared again", path)
            path.unlink(missing_ok=True)
        prepared = prepare()
        place.mkdir(parents=True, exist_ok=True)
        write_array(place / (uuid.uuid4().hex + TEXT_SUFFIX), _packed(prepared, key))
        return prepared


def _packed(prepared: PreparedText, key: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """One row of bytes: SHA-256 of the rest, length of the header, header, tokens."""
    header = json.dumps(
        {
            "key": key,
            "tokenizer": prepared.tokenizer.to_str(),
            "dtype": prepared.train.dtype.str,
            "num_train": len(prepared.train),
            "num_words": prepared.num_words,
            "num_words_cut": prepared.num_words_cut,
        }
    ).encode()
    content = len(header).to_bytes(8) + header + prepared.train.tobytes() + prepared.validation.tobytes()
    return np.frombuffer(hashlib.sha256(content).digest() + content, np.uint8)


def _read(path: Path, key: str) -> PreparedText | None:
    """What `_packed` was given; None if the file isn't what was written."""
    try:
        stored = np.load(path, allow_pickle=False).tobytes()
    except (OSError, ValueError, EOFError) as error:
        logger.debug("prepared text: %s: %s", path, error)
        return None
    digest, content = stored[:32], stored[32:]
    if hashlib.sha256(content).digest() != digest:
        return None
    end = 8 + int.from_bytes(content[:8])
    header = json.loads(content[8:end])
    if header["key"] != key:
        return None
    tokens = np.frombuffer(content, np.dtype(header["dtype"]), offset=end)
    return PreparedText(
        Tokenizer.from_str(header["tokenizer"]),
        tokens[: header["num_train"]],
        tokens[header["num_train"] :],
        header["num_words"],
        header["num_words_cut"],
    )
