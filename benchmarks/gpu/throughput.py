"""Tokens per second of reading hidden states with Pythia's shapes, and their share of a GPU's bf16 peak.

    python -m benchmarks.gpu.throughput [--sizes 160m 1.4b 6.9b] [--json FILE]

Weights are random: what a pass costs doesn't depend on them. Needs a GPU; prints a line for each size and
exits with 1 where there is none.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import GPTNeoXConfig, GPTNeoXModel

from benchmarks.machine import library_versions
from sip_model.backbones.extract import BATCH_TOKENS
from sip_model.backbones.forward import LayerReader
from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.pooling import pooling_of

CONTEXT = 512
ROUNDS, ROUND_PASSES = 5, 20


class PythiaShape(NamedTuple):
    """Of the table in Biderman et al. 2023."""

    num_layers: int
    hidden_size: int
    num_heads: int


SHAPES = {
    "160m": PythiaShape(12, 768, 12),
    "1.4b": PythiaShape(24, 2048, 16),
    "6.9b": PythiaShape(32, 4096, 32),
}
# Dense bf16 products per second by NVIDIA's data sheets, by a part of the device's name.
PEAKS = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}


def main() -> int:
    """Measure every size asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description="Tokens per second of reading hidden states on a GPU.")
    parser.add_argument("--sizes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("device: expected a GPU, found none")
        return 1
    name = torch.cuda.get_device_name()
    peak = next((flops for part, flops in PEAKS.items() if part in name), None)
    sizes = {}
    for size in arguments.sizes:
        rates = list(_rates(SHAPES[size]))
        shape, rate = SHAPES[size], statistics.median(rates)
        share = None if peak is None else rate * flops_per_token(shape, CONTEXT) / peak
        sizes[size] = {"tokens_per_second": round(rate), "rounds": [round(r) for r in rates], "share": share}
        shown = "peak unknown" if share is None else f"{share:.1%} of the bf16 peak"
        print(f"pythia-{size}  {rate:12,.0f} tokens/s  {shown}", flush=True)
    results = {"device": name, "context": CONTEXT, "sizes": sizes, "versions": library_versions()}
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def flops_per_token(shape: PythiaShape, context: int) -> float:
    """Multiplications and additions of all blocks, for each token of a text of `context` tokens.

    Two for each of a block's 12 D² weights; scores and sums over values take 4 D for each earlier token, of
    which causal attention needs half.
    """
    weights = 24 * shape.hidden_size**2
    attention = 2 * shape.hidden_size * context
    return float(shape.num_layers * (weights + attention))


def _rates(shape: PythiaShape) -> Iterator[float]:
    """Tokens per second of each round of passes of the size that extraction uses."""
    device = torch.device("cuda")
    config = GPTNeoXConfig(
        vocab_size=50_304,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=4 * shape.hidden_size,
        max_position_embeddings=2048,
        rotary_pct=0.25,
    )
    config._attn_implementation = "sdpa"
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            model = GPTNeoXModel(config).eval()
    finally:
        torch.set_default_dtype(torch.float32)
    info = BackboneInfo(
        "random", "-", "gpt_neox", True, shape.num_layers, shape.hidden_size, 2048, ("mean", "last")
    )
    reader = LayerReader(model, list(model.layers), info)
    batch = BATCH_TOKENS["gpu"] // CONTEXT
    ids = torch.randint(0, config.vocab_size, (batch, CONTEXT), device=device)
    mask = torch.ones_like(ids)
    pool = pooling_of("mean")
    for round_number in range(ROUNDS + 1):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(ROUND_PASSES):
            reader.pooled_layers(ids, mask, (shape.num_layers,), pool).cpu()
        torch.cuda.synchronize()
        if round_number > 0:  # the first one warms up
            yield ROUND_PASSES * ids.numel() / (time.perf_counter() - started)
    del model, reader
    torch.cuda.empty_cache()


if __name__ == "__main__":
    sys.exit(main())
