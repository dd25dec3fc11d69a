"""The sizes of the language models that are trained here: small GPT-NeoX models shaped like Pythia's."""

from typing import NamedTuple

import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from sip_model.backbones.parameters import is_table
from sip_model.experiments.pretrain import SizeName

HEAD_SIZE = 32
"""As in Pythia-14m and 31m; from 70m on Pythia's heads have 64 dimensions, too many for these widths."""


class Shape(NamedTuple):
    """Width and depth of a model."""

    hidden_size: int
    num_layers: int
    learning_rate: float
    """AdamW's step size at its highest: smaller for wider models, not tuned."""


SHAPES: dict[SizeName, Shape] = {
    "nano": Shape(96, 3, 4e-3),
    "micro": Shape(128, 5, 3e-3),
    "mini": Shape(192, 6, 2e-3),
    "small": Shape(256, 7, 1.5e-3),
}
"""Parameters besides the two embedding matrices: nano 335,712, micro 991,616, mini 2,669,568,
small 5,528,832 (16.5 times nano): 12 D² + 13 D a layer and 2 D at the end."""

CONTINUED_LEARNING_RATE = 3e-4


def new_model(size: SizeName, vocab_size: int, context: int, end_token: int, seed: int) -> GPTNeoXForCausalLM:
    """A model with random weights.

    As in Pythia (Biderman et al. 2023): attention and MLP side by side, rotary positions on a quarter of each
    head, an MLP four times as wide as the states, embeddings and output not tied. Without dropout.

    Args:
        size: a key of `SHAPES`.
        vocab_size: tokens.
        context: tokens it can read at once.
        end_token: id of the token between texts.
        seed: of the weights.
    """
    shape = SHAPES[size]
    config = GPTNeoXConfig(
        vocab_size=vocab_size,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.hidden_size // HEAD_SIZE,
        intermediate_size=4 * shape.hidden_size,
        max_position_embeddings=context,
        rotary_pct=0.25,
        use_parallel_residual=True,
        tie_word_embeddings=False,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        bos_token_id=end_token,
        eos_token_id=end_token,
    )
    config._attn_implementation = "sdpa"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GPTNeoXForCausalLM(config)


def num_parameters(model: torch.nn.Module) -> tuple[int, int]:
    """Parameters in all, and besides those of embeddings and output."""
    total = inside = 0
    for name, parameter in model.named_parameters():
        total += parameter.numel()
        inside += 0 if is_table(name) else parameter.numel()
    return total, inside
