"""Texts through a backbone beside Hugging Face on the same weights, in one interleaved run.

    python -m benchmarks.extraction [--backbones minilm …] [--texts 256] [--rounds 5] [--json FILE]

Hugging Face's model gets the texts sorted by length in batches of 32, padded to their longest, and pools by
mean: what one writes who cares for speed. That the features agree is checked. Prints medians over rounds:
tokens a second of both, and how much longer Hugging Face takes, by the clock and in processor time; the
latter is the one to look at where other programs use the cores too.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.machine import describe_machine, library_versions
from benchmarks.serving_texts import MixedTexts
from sip_model.backbones.bundled import BUNDLED, verify_bundled
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import DtypeName
from sip_model.backbones.extract import extract_features
from sip_model.backbones.extraction import FloatArray
from sip_model.backbones.load import Backbone

BATCH_TEXTS = 32
MIN_COSINE = 0.999
DTYPES: tuple[DtypeName, ...] = ("float32", "bfloat16")

Embed = Callable[[Sequence[str]], FloatArray]


class Timed(NamedTuple):
    """One reading of the texts."""

    seconds: float
    cpu_seconds: float
    features: FloatArray


def main() -> int:
    arguments = _parser().parse_args()
    texts = MixedTexts()
    found = {
        f"{backbone}, {dtype}": compare(backbone, dtype, texts, arguments.texts, arguments.rounds)
        for backbone in arguments.backbones
        for dtype in DTYPES
    }
    if arguments.json is not None:
        results = {"machine": describe_machine(), "versions": library_versions(), "backbones": found}
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def compare(backbone: str, dtype: DtypeName, texts: MixedTexts, number: int, rounds: int) -> dict[str, float]:
    """Medians over rounds for one backbone and dtype."""
    loaded = BackboneCatalog({}).load(backbone, device="cpu", dtype=dtype)
    folder, max_tokens = verify_bundled(backbone), loaded.info.max_tokens
    safely = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=max_tokens, **safely)
    model = AutoModel.from_pretrained(folder, dtype=loaded.dtype, use_safetensors=True, **safely).eval()
    ours, theirs = our_embed(loaded), hugging_face_embed(model, tokenizer)
    for embed in (ours, theirs):
        embed(texts.take(BATCH_TEXTS))
    rows = []
    for _ in range(rounds):
        taken = texts.take(number)
        num_tokens = sum(map(len, tokenizer(taken, truncation=True)["input_ids"]))
        one, other = timed(ours, taken), timed(theirs, taken)
        check_agreement(one.features, other.features)
        rows.append(
            {
                "ours_tokens_per_second": num_tokens / one.seconds,
                "hugging_face_tokens_per_second": num_tokens / other.seconds,
                "ratio": other.seconds / one.seconds,
                "ratio_of_cpu_time": other.cpu_seconds / one.cpu_seconds,
            }
        )
    medians = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
    shown = "  ".join(f"{name} {value:.2f}" for name, value in medians.items())
    print(f"{backbone:10} {dtype:10} {shown}", flush=True)
    return medians


def our_embed(backbone: Backbone) -> Embed:
    """The last layer, pooled by mean, as it is served."""
    last = (backbone.info.num_layers,)
    return lambda texts: extract_features(backbone, texts, last, "mean").features[:, 0]


def hugging_face_embed(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Embed:
    """The same by transformers alone."""

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> FloatArray:
        features = np.empty((len(texts), model.config.hidden_size), np.float32)
        order = np.argsort([-len(text) for text in texts])
        for first in range(0, len(order), BATCH_TEXTS):
            rows = order[first : first + BATCH_TEXTS]
            batch = tokenizer(
                [texts[row] for row in rows], padding=True, truncation=True, return_tensors="pt"
            )
            states = model(**batch).last_hidden_state.float()  # (B, T, D)
            mask = batch["attention_mask"].unsqueeze(-1)  # (B, T, 1)
            features[rows] = ((states * mask).sum(1) / mask.sum(1)).numpy()
        return features

    return embed


def timed(embed: Embed, texts: Sequence[str]) -> Timed:
    """How long it takes, on the clock and on all cores together."""
    started, cpu_started = time.perf_counter(), time.process_time()
    features = embed(texts)
    return Timed(time.perf_counter() - started, time.process_time() - cpu_started, features)


def check_agreement(ours: FloatArray, theirs: FloatArray) -> None:
    """Raise `RuntimeError` unless every text has the same direction."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosine = float(((ours * theirs).sum(1) / lengths).min())
    if cosine < MIN_COSINE:
        raise RuntimeError(f"features: expected cosine {MIN_COSINE}, found {cosine:.5f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Texts through a backbone beside Hugging Face.")
    parser.add_argument("--backbones", nargs="+", choices=BUNDLED, default=list(BUNDLED))
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
