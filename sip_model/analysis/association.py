"""How two measures move together across models, within corpora: descriptive, with exact permutations.

The models are the units: the values of one model on several corpora belong together, so permutations and
bootstrap draws move whole models. With n models in one block no two-sided permutation test of a rank
correlation can give less than 2/n!: 0.083 for four.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_PERMUTATIONS = 50_000
"""Up to here all of them are tried (8 models in one block: 40,320)."""
DRAWN_PERMUTATIONS = 9_999
"""How many are drawn where all would be too many."""
TOLERANCE = 1e-9
MIN_MODELS = 3
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Point:
    """Two measures of one model on one corpus."""

    model: str
    stratum: str
    """The corpus; its own level is removed before anything is compared."""
    first: Sequence[float]
    """One value per seed."""
    second: Sequence[float]
    """One value per seed."""
    block: str = ""
    """Only models of one block are exchanged: the size, where pre-training seeds are compared."""


@dataclass(frozen=True, slots=True)
class Association:
    """How two measures move together."""

    num_models: int
    num_strata: int
    spearman: float
    """Correlation of the ranks within strata; NaN where one measure doesn't vary."""
    spearman_low: float
    spearman_high: float
    """Percentile interval of the bootstrap over models and seeds; NaN below 4 models."""
    kendall: float
    """τ-b, averaged over strata."""
    p_value: float
    """Two-sided permutation p of the Spearman correlation; unadjusted."""
    smallest_p: float
    """What a perfect rank correlation would give with so many models."""
    exact: bool
    """Whether all permutations were tried."""
    slope: float
    """Least squares of the second measure on the first, within strata."""
    slope_low: float
    slope_high: float

    @property
    def can_be_significant(self) -> bool:
        """Whether any rank correlation of so many models could have p ≤ 0.05."""
        return self.smallest_p <= 1 - LEVEL + TOLERANCE


def associate(points: Sequence[Point], *, resamples: int = 2000, seed: int = 0) -> Association | None:
    """Compare two measures over the models that have both on every corpus of their block.

    Args:
        points: one per model and stratum.
        resamples: bootstrap draws for the intervals.
        seed: of the draws, and of the permutations where they are too many to try all.

    Returns:
        None for fewer than three models.
    """
    kept = _complete(points)
    if len(kept) < MIN_MODELS:
        return None
    generator = np.random.default_rng(seed)
    table = _Table.of(kept)
    ranks = _centred_ranks(table.first), _centred_ranks(table.second)  # (n, s) each
    spearman = float(_correlation(*ranks))
    p_value, exact = _permutation_p(*ranks, table.blocks, spearman, generator)
    if len(kept) > MIN_MODELS:
        slopes, correlations = _bootstrap(kept, table, resamples, generator)
    else:
        slopes = correlations = np.array([])
    slope_low, slope_high = _interval(slopes)
    spearman_low, spearman_high = _interval(correlations)
    return Association(
        num_models=len(kept),
        num_strata=len({point.stratum for mine in kept.values() for point in mine}),
        spearman=spearman,
        spearman_low=spearman_low,
        spearman_high=spearman_high,
        kendall=_kendall(table),
        p_value=p_value,
        smallest_p=_smallest_p(table.blocks),
        exact=exact,
        slope=float(_slope(_centred(table.first), _centred(table.second))),
        slope_low=slope_low,
        slope_high=slope_high,
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """n models × s columns, one per corpus and block; NaN where a column is another block's."""

    first: Array
    second: Array
    blocks: IntArray
    """(n,) block number of each model, rising."""
    columns: tuple[tuple[str, str], ...]
    """Stratum and block of each column."""

    @classmethod
    def of(cls, kept: "dict[str, list[Point]]") -> "_Table":
        every = [point for mine in kept.values() for point in mine]
        columns = tuple(dict.fromkeys((point.stratum, point.block) for point in every))
        names = sorted({point.block for point in every})
        first = np.full((len(kept), len(columns)), np.nan)
        second = first.copy()
        for row, mine in enumerate(kept.values()):
            for point in mine:
                column = columns.index((point.stratum, point.block))
                first[row, column] = np.mean(point.first)
                second[row, column] = np.mean(point.second)
        blocks = np.array([names.index(mine[0].block) for mine in kept.values()], dtype=np.int64)
        return cls(first, second, blocks, columns)


def _complete(points: Sequence[Point]) -> dict[str, list[Point]]:
    """By model, ordered by block: those with a value on every corpus on which their block has one."""
    by_model: dict[str, list[Point]] = {}
    wanted: dict[str, set[str]] = {}
    for point in sorted(points, key=lambda point: (point.block, point.model)):
        by_model.setdefault(point.model, []).append(point)
        wanted.setdefault(point.block, set()).add(point.stratum)
    return {
        model: mine
        for model, mine in by_model.items()
        if {point.stratum for point in mine} == wanted[mine[0].block]
    }


def _centred_ranks(values: Array) -> Array:
    """Ranks within each column, minus their mean; 0 where there is no value.  (…, n, s) -> (…, n, s)"""
    return _centred(rankdata(values, axis=-2, nan_policy="omit"))


def _centred(values: Array) -> Array:
    """Values minus their column's mean; 0 where there is no value.  (…, n, s) -> (…, n, s)"""
    centred: Array = np.nan_to_num(values - np.nanmean(values, axis=-2, keepdims=True))
    return centred


def _correlation(first: Array, second: Array) -> Array:
    """Of centred values, all columns together; NaN where one doesn't vary.  (…, n, s) -> (…)"""
    product = (first * second).sum(axis=(-2, -1))
    scale = np.sqrt((first**2).sum(axis=(-2, -1)) * (second**2).sum(axis=(-2, -1)))
    varies = scale > TOLERANCE
    return np.where(varies, product / np.where(varies, scale, 1), np.nan)


def _slope(first: Array, second: Array) -> Array:
    """Least squares of centred values, all columns together.  (…, n, s) -> (…)"""
    squares = (first**2).sum(axis=(-2, -1))
    varies = squares > 0
    return np.where(varies, (first * second).sum(axis=(-2, -1)) / np.where(varies, squares, 1), np.nan)


def _kendall(table: _Table) -> float:
    taus = []
    for first, second in zip(table.first.T, table.second.T, strict=True):
        there = ~np.isnan(first)
        if there.sum() > 1:
            taus.append(float(kendalltau(first[there], second[there]).statistic))
    return float(np.mean(taus)) if taus else math.nan


def _permutation_p(
    first: Array, second: Array, blocks: IntArray, observed: float, generator: np.random.Generator
) -> tuple[float, bool]:
    """Share of permutations of models with at least as large a |correlation|, and whether all were tried."""
    exact = _num_permutations(blocks) <= MOST_PERMUTATIONS
    if math.isnan(observed):
        return math.nan, exact
    orders = _all_orders(blocks) if exact else _drawn_orders(blocks, generator)  # (p, n)
    products = np.einsum("is,jis->j", first, second[orders])  # (p,)
    scale = math.sqrt(float((first**2).sum() * (second**2).sum()))
    extreme = int((np.abs(products) / scale >= abs(observed) - TOLERANCE).sum())
    return (extreme / len(orders), True) if exact else ((extreme + 1) / (len(orders) + 1), False)


def _num_permutations(blocks: IntArray) -> int:
    return math.prod(math.factorial(int(count)) for count in np.bincount(blocks))


def _smallest_p(blocks: IntArray) -> float:
    total = _num_permutations(blocks)
    return min(1.0, 2 / total) if total <= MOST_PERMUTATIONS else 1 / (DRAWN_PERMUTATIONS + 1)


def _all_orders(blocks: IntArray) -> IntArray:
    """Every order of the models within their blocks, (p, n)."""
    members = [np.flatnonzero(blocks == block).tolist() for block in range(int(blocks.max()) + 1)]
    choices = itertools.product(*(itertools.permutations(rows) for rows in members))
    return np.array([[row for rows in choice for row in rows] for choice in choices])


def _drawn_orders(blocks: IntArray, generator: np.random.Generator) -> IntArray:
    """Random orders of the models within their blocks, (p, n)."""
    members = [np.flatnonzero(blocks == block) for block in range(int(blocks.max()) + 1)]
    drawn = [generator.permuted(np.tile(rows, (DRAWN_PERMUTATIONS, 1)), axis=1) for rows in members]
    return np.concatenate(drawn, axis=1)


def _bootstrap(
    kept: dict[str, list[Point]], table: _Table, resamples: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Slopes and Spearman correlations, (b,) each: models drawn with replacement, and seeds within a model.

    Draws with fewer than three different models are left out: two always lie on a line.
    """
    first = np.full((resamples, *table.first.shape), np.nan)  # (b, n, s)
    second = first.copy()
    for row, mine in enumerate(kept.values()):
        for point in mine:
            column = table.columns.index((point.stratum, point.block))
            first[:, row, column] = _resampled_means(point.first, resamples, generator)
            second[:, row, column] = _resampled_means(point.second, resamples, generator)
    members = [np.flatnonzero(table.blocks == block) for block in range(int(table.blocks.max()) + 1)]
    rows = np.concatenate([generator.choice(own, (resamples, len(own))) for own in members], axis=1)  # (b, n)
    varied = np.array([len(set(draw)) >= MIN_MODELS for draw in rows.tolist()])
    places = rows[varied][:, :, None]
    first = np.take_along_axis(first[varied], places, axis=1)
    second = np.take_along_axis(second[varied], places, axis=1)
    return (
        _slope(_centred(first), _centred(second)),
        _correlation(_centred_ranks(first), _centred_ranks(second)),
    )


def _resampled_means(values: Sequence[float], resamples: int, generator: np.random.Generator) -> Array:
    means: Array = generator.choice(np.asarray(values), (resamples, len(values))).mean(axis=1)
    return means


def _interval(draws: Array) -> tuple[float, float]:
    there = draws[~np.isnan(draws)]
    if not len(there):
        return math.nan, math.nan
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
