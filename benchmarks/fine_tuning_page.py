"""docs/fine-tuning.md from benchmarks/fine_tuning.json's content."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.fine_tuning_arms import (
    BACKBONE_EPOCHS,
    BACKBONE_RATE,
    BATCH_SIZE,
    DROPPED,
    HEAD_EPOCHS,
    HEAD_RATE,
    LAST_LAYERS,
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
    compared = ", ".join(f"*{arm}*" for arm in results["compared"])
    return (
        "Chunks of 32 words of the 100 largest books, at most 100 evenly spaced ones of each, block split "
        f"(60 % train, 10 % validation, 10 % calibration, 20 % test), seeds {results['seeds']}. The "
        "identifier reads the last layer of `minilm`, mean-pooled, and learns with BCE.\n\n"
        "- **frozen**: a linear head on frozen features, stopped by its validation loss.\n"
        f"- **head alone**: the same, but {DROPPED:.0%} of the features are dropped at each step and the "
        "head is stopped by its validation loss at the best scale of its outputs, as in fine-tuning.\n"
        f"- **two rates**: the frozen head, then head and the last {LAST_LAYERS} blocks together for at most "
        f"{BACKBONE_EPOCHS} epochs, with a learning rate of {HEAD_RATE:g} for the head and {BACKBONE_RATE:g} "
        f"for the blocks; {DROPPED:.0%} of tokens and features are dropped at each step.\n"
        "- **one rate**: the same with a single rate in both phases.\n\n"
        f"*The head's* rate is {HEAD_RATE:g}, *the body's* {BACKBONE_RATE:g}. Every other arm is run at both "
        "and compared at the one with the better validation accuracy over all seeds, here "
        f"{compared}. All in batches of {BATCH_SIZE} and with {HEAD_EPOCHS + BACKBONE_EPOCHS} epochs "
        "at most; no choice looks at the test part."
    )


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ({', '.join(f'{value:.4f}' for value in values)})"


def _interval(difference: JSONObject) -> str:
    return f"{difference['mean']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]"


def _table(header: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
