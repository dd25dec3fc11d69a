"""Backbones of every family with random weights, small enough to make in a test."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

FAMILIES = ("gpt_neox", "gpt2", "opt", "llama", "bert", "albert", "electra", "distilbert")
ENCODERS = ("bert", "albert", "electra", "distilbert")

NUM_LAYERS = 3
HIDDEN_SIZE = 32
MAX_TOKENS = 128
VOCABULARY_SIZE = 400

_SPECIAL = ["[PAD]", "[CLS]", "[SEP]"]

_CORPUS = [
    "It was a dark night and the wind went over the hills like a river of sound.",
    "The committee has read the report and will answer the questions of its members.",
    "A function that takes a list of numbers and gives back the largest of them.",
    "Where does this text come from, and how sure can anyone be of the answer?",
]


def make_tiny_backbone(folder: Path, family: str, seed: int = 0, **overrides: int | bool) -> Path:
    """Save a backbone of a family with random weights and a small tokenizer as safetensors in `folder`.

    Args:
        folder: made if it isn't there.
        family: one of `FAMILIES`.
        seed: of the weights.
        overrides: fields of the family's configuration.

    Returns:
        The folder.
    """
    fields: dict[str, int | bool] = {
        "vocab_size": VOCABULARY_SIZE,
        "pad_token_id": 0,
        **_fields(family),
        **overrides,
    }
    config = AutoConfig.for_model(family, **fields)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
        # The families' own initial weights are so small that the layers would hardly differ.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.3)
    model.save_pretrained(folder)
    make_tiny_tokenizer(is_encoder=family in ENCODERS).save_pretrained(folder)
    return folder


def make_tiny_tokenizer(*, is_encoder: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer; an encoder's puts [CLS] before and [SEP] after a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    if is_encoder:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )


def _fields(family: str) -> dict[str, int | bool]:
    """The small sizes under each family's own field names."""
    if family == "gpt2":
        return {"n_layer": NUM_LAYERS, "n_embd": HIDDEN_SIZE, "n_head": 4, "n_positions": MAX_TOKENS}
    if family == "distilbert":
        sizes = {"n_layers": NUM_LAYERS, "dim": HIDDEN_SIZE, "n_heads": 4, "hidden_dim": 64}
        return {**sizes, "max_position_embeddings": MAX_TOKENS}
    fields: dict[str, int | bool] = {
        "num_hidden_layers": NUM_LAYERS,
        "hidden_size": HIDDEN_SIZE,
        "num_attention_heads": 4,
        "max_position_embeddings": MAX_TOKENS,
    }
    if family == "opt":
        return {**fields, "ffn_dim": 64, "word_embed_proj_dim": HIDDEN_SIZE}
    if family in ("albert", "electra"):
        fields["embedding_size"] = 16
    if family == "llama":
        fields["num_key_value_heads"] = 2
    return {**fields, "intermediate_size": 64}
