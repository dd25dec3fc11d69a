"""The parts of the GPU benchmark that need no GPU."""

import torch
from transformers import GPTNeoXConfig, GPTNeoXModel

from benchmarks.gpu.throughput import PythiaShape, flops_per_token


def test_the_products_counted_are_those_of_the_blocks_weights_and_half_of_the_attention() -> None:
    shape, context = PythiaShape(num_layers=3, hidden_size=64, num_heads=4), 128
    config = GPTNeoXConfig(
        vocab_size=100,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=4 * shape.hidden_size,
    )
    with torch.device("meta"):
        model = GPTNeoXModel(config)
    weights = sum(p.numel() for block in model.layers for p in block.parameters() if p.dim() == 2)
    attention = shape.num_layers * 2 * 2 * shape.hidden_size * context / 2
    assert flops_per_token(shape, context) == 2 * weights + attention
