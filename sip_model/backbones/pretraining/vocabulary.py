"""A tokenizer trained on the text that a language model is going to be trained on."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
END_TOKEN = 0
MAX_PIECE_CHARACTERS = 100_000
"""Longer texts are handed to the tokenizer in pieces, which bounds its memory."""


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019), `END_OF_TEXT` being token `END_TOKEN`.

    Args:
        texts: the training text, and nothing else.
        vocab_size: tokens at most; little text may have fewer pairs to merge.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_pieces(texts), trainer)
    return tokenizer


def _pieces(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for start in range(0, len(text), MAX_PIECE_CHARACTERS):
            yield text[start : start + MAX_PIECE_CHARACTERS]


def as_pretrained(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers saves and loads it.

    Args:
        tokenizer: what `train_tokenizer` made.
        context: tokens the model reads at once.
    """
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        unk_token=END_OF_TEXT,
        model_max_length=context,
    )
