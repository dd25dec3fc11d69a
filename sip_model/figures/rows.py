"""The plain rows that figures and tables are made of, and how they are summarised over seeds."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeVar

Setting = str | int | float | bool | None
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measured value with what it was measured on; None where a thing doesn't apply."""

    name: str
    """As in `GET /metrics`: ``probe/linear/accuracy``, ``lm/perplexity``, …"""
    value: float
    """NaN and infinities stand for values that aren't there."""
    backbone: str | None = None
    """Its name as it is to be shown."""
    num_parameters: int | None = None
    """Of the backbone, without its token embeddings."""
    dataset: str | None = None
    """The corpus' name as it is to be shown."""
    seed: int | None = None
    layer: int | None = None
    """0 = embeddings."""
    step: int | None = None
    split: str | None = None
    """`train`, `validation`, `calibration` or `test`."""
    kind: str | None = None
    """Of the experiment that measured it: `pretrain` and `train` both have a ``train/loss``."""
    varied: tuple[tuple[str, Setting], ...] = ()
    """What a preset varies, as (key, value) pairs sorted by key: `num_words`, `shots`, `num_sources`, `loss`,
    `ngram`, `split_by`."""

    def setting(self, key: str) -> Setting:
        """The value of one varied key; None where it isn't varied."""
        return dict(self.varied).get(key)


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean with its spread over seeds."""

    mean: float
    sd: float
    """Sample standard deviation; 0 for one value."""
    n: int
    """Number of values, one per seed."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))


def named(rows: Iterable[Value], *names: str) -> list[Value]:
    """The rows of these metrics that hold a number."""
    return [row for row in rows if row.name in names and math.isfinite(row.value)]


def held_out(rows: Iterable[Value], metric: str) -> list[Value]:
    """The rows of ``lm/perplexity`` or ``lm/bits_per_byte`` that hold a number.

    Those of kind `pretrain` are left out: they lump the corpora together that a backbone was trained on.
    """
    return [row for row in named(rows, metric) if row.kind != "pretrain"]


def final(rows: Iterable[Value]) -> list[Value]:
    """The last step of each series."""
    newest: dict[tuple[object, ...], Value] = {}
    for row in rows:
        key = (row.name, row.kind, row.backbone, row.dataset, row.seed, row.layer, row.split, row.varied)
        if key not in newest or (row.step or 0) >= (newest[key].step or 0):
            newest[key] = row
    return list(newest.values())


def spreads(rows: Iterable[Value], by: Callable[[Value], Key]) -> dict[Key, Spread]:
    """Mean and spread per group, in the order in which the groups first come.

    Rows of one group and seed are averaged first, so that each seed counts once.
    """
    groups: dict[Key, dict[int | None, list[float]]] = {}
    for row in rows:
        groups.setdefault(by(row), {}).setdefault(row.seed, []).append(row.value)
    return {key: Spread.of([fmean(values) for values in seeds.values()]) for key, seeds in groups.items()}


def distinct(values: Iterable[Key | None]) -> list[Key]:
    """The values in the order in which they first come, without None."""
    return [value for value in dict.fromkeys(values) if value is not None]


def deepest(rows: Sequence[Value]) -> list[Value]:
    """Of each backbone the rows of its last layer; rows without a layer stay."""
    last: dict[str | None, int] = {}
    for row in rows:
        if row.layer is not None:
            last[row.backbone] = max(last.get(row.backbone, 0), row.layer)
    return [row for row in rows if row.layer is None or row.layer == last[row.backbone]]


def backbones_by_size(rows: Iterable[Value]) -> list[str]:
    """Names of the backbones from small to large; those of unknown size last, then by name."""
    sizes: dict[str, int | None] = {}
    for row in rows:
        if row.backbone is not None:
            sizes[row.backbone] = sizes.get(row.backbone) or row.num_parameters
    return sorted(sizes, key=lambda name: (sizes[name] is None, sizes[name] or 0, name))
