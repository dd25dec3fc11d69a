"""docs/fine-tuning.md from benchmarks/fine_tuning.json's content."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.fine_tuning_arms import (
    BATCH_SIZE,
    DROPPED,
    FROZEN_EPOCHS,
    LAST_LAYERS,
    TUNED_EPOCHS,
    TWO_RATES,
)

JSONObject = dict[str, Any]


def fine_tuning_page(results: JSONObject) -> str:
    """The page, as Markdown."""
    blocks = [
        "# Fine-tuning",
        "This page is made by a script; don't edit it.",
        f"```sh\n{results['command']}\n```",
        _what_is_compared(results),
        "## Top-1 accuracy",
        "Mean over the seeds, each seed in brackets.",
        _table(
            ("arm", "validation", "test"),
            (
                [arm, *(_mean(score[part]) for part in ("validation", "test"))]
                for arm, score in results["top1"].items()
            ),
        ),
        "## Differences on the test part",
        "In brackets the 95 % interval of a paired bootstrap that resamples whole documents; pooled over all "
        "seeds, a document staying one document.",
        _table(
            ("difference", "pooled", *(f"seed {seed}" for seed in results["seeds"])),
            (
                [name, f"**{_interval(value)}**", *(_interval(each) for each in value["by_seed"])]
                for name, value in results["differences"].items()
            ),
        ),
        "## Machine and versions",
        ", ".join(f"{name} {value}" for name, value in {**results["machine"], **results["versions"]}.items()),
    ]
    return "\n\n".join(blocks) + "\n"


def _what_is_compared(results: JSONObject) -> str:
    (two,) = TWO_RATES.values()
    return (
        "Chunks of 32 words of the 100 largest books, at most 100 evenly spaced ones of each, block split "
        f"(60 % train, 10 % validation, 10 % calibration, 20 % test), seeds {results['seeds']}. A linear "
        f"head reads the last layer of `minilm`, mean-pooled, and learns with BCE in batches of "
        f"{BATCH_SIZE}.\n\n"
        f"- **frozen**: on frozen features, for {FROZEN_EPOCHS} epochs at most, which is more than any other "
        "arm has. It stops by the validation loss at the best scale of its outputs, as fine-tuning does.\n"
        f"- **frozen, features dropped**: {DROPPED:.0%} of them at each step, as in fine-tuning.\n"
        f"- **last blocks**: the head alone for one epoch, then with the last {LAST_LAYERS} of 6 blocks for "
        f"{TUNED_EPOCHS}; {DROPPED:.0%} of tokens and features are dropped at each step. Two rates: "
        f"{two.head:g} for the head, {two.body:g} for the blocks.\n\n"
        "Numbers behind a name are learning rates. How many blocks learn, and the two rates, were chosen on "
        "validation parts; what they are compared with is the arm that is right most often on the "
        "validation parts of all seeds. No choice looks at the test part.\n\n"
        "Features are whitened before the head reads them, which by itself makes its steps larger than those "
        "of a head on raw features at the same rate."
    )


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ({', '.join(f'{value:.4f}' for value in values)})"


def _interval(difference: JSONObject) -> str:
    return f"{difference['mean']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]"


def _table(header: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
