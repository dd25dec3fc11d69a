"""One layer's geometry: silhouettes by source and by category, centroids, and panels in two dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.analysis.centroids import CentroidReport, centroids_of, compare_centroids
from sip_model.analysis.group_distances import CosineDistances, EuclideanDistances, IntArray
from sip_model.analysis.panels import Panel
from sip_model.analysis.permutation import Null
from sip_model.analysis.projections import FittingData, Method, Projection
from sip_model.analysis.silhouette import (
    merged_sums,
    silhouette_samples,
    silhouette_score,
    silhouettes_of_permuted_groups,
    silhouettes_of_permuted_samples,
)
from sip_model.errors import InvalidInputError

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

MIN_TRAINING_CHUNKS = 2
"""Of each source, for a projection that learns to tell sources apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is known of n samples."""

    groups: IntArray
    """(n,) source of each."""
    categories: IntArray
    """(C,) category (author, genre, ...) of each source; −1 where it has none."""
    train: IntArray
    """Sample numbers of the training part."""
    validation: IntArray
    """Sample numbers of the validation part."""
    test: IntArray
    """Sample numbers of the test part."""


@dataclass(frozen=True, slots=True)
class Score:
    """A silhouette score and what it was computed on."""

    silhouette: float
    samples: int
    groups: int
    null: Null | None
    """Over permuted labels; None where none was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerGeometry:
    """What is measured at one layer."""

    cosine: Score
    """By source, cosine distance of centred states; the null permutes chunks."""
    euclidean: Score
    """By source, Euclidean distance; without null."""
    test: Score | None
    """As `cosine`, of the test part alone, for backbones that have learned from the training part; None
    where it holds fewer than two sources."""
    category: Score | None
    """By category, cosine; the null deals the categories anew to whole sources. None where fewer than two
    categories are known or none has two sources."""
    centroids: CentroidReport | None
    by_source: Array
    """(C,) mean silhouette (cosine) of each source's samples; NaN for one that wasn't sampled."""


def centred(states: FloatArray, train: IntArray) -> FloatArray:
    """States (n, D) less the mean of the training part."""
    return np.asarray(states - states[train].mean(axis=0, dtype=np.float64), dtype=np.float32)


def measure_layer(
    states: FloatArray, labels: Labels, sample: IntArray, permutations: int, seed: int, device: str
) -> LayerGeometry:
    """Measure one layer.

    Args:
        states: (n, D), centred.
        labels: of the n samples.
        sample: sample numbers that silhouettes are computed on; centroids are those of all n.
        permutations: P labelings to compare each score with.
        seed: of the permutations.
        device: torch device.
    """
    chosen = states[sample]
    numbers, groups = np.unique(labels.groups[sample], return_inverse=True)
    sums = CosineDistances(chosen, device).sums(groups, len(numbers))  # (n, G)
    scores = silhouette_samples(sums, groups)
    by_source = np.full(len(labels.categories), np.nan)
    by_source[numbers] = np.bincount(groups, weights=scores.cpu().numpy()) / np.bincount(groups)
    observed = float(scores.mean())
    # single precision will do for a null: its rounding is a hundredth of its spread at most
    drawn = silhouettes_of_permuted_samples(
        CosineDistances(chosen, device, torch.float32), groups, len(numbers), permutations, seed
    )
    euclidean = silhouette_score(EuclideanDistances(chosen, device).sums(groups, len(numbers)), groups)
    return LayerGeometry(
        cosine=_score(observed, groups, drawn),
        euclidean=_score(euclidean, groups, np.empty(0)),
        test=_score_of_part(states, labels.groups, labels.test, device),
        category=_score_by_category(sums, groups, labels.categories[numbers], permutations, seed),
        centroids=compare_centroids(
            centroids_of(states, labels.groups, len(labels.categories)), labels.categories, permutations, seed
        ),
        by_source=by_source,
    )


def _score(observed: float, groups: IntArray, drawn: Array) -> Score:
    null = Null.of(observed, drawn) if len(drawn) else None
    return Score(observed, len(groups), len(np.unique(groups)), null)


def _score_of_part(states: FloatArray, groups: IntArray, rows: IntArray, device: str) -> Score | None:
    numbers, groups = np.unique(groups[rows], return_inverse=True)
    if len(numbers) < 2:
        return None
    sums = CosineDistances(states[rows], device).sums(groups, len(numbers))
    return _score(silhouette_score(sums, groups), groups, np.empty(0))


def _score_by_category(
    sums: torch.Tensor, groups: IntArray, categories: IntArray, permutations: int, seed: int
) -> Score | None:
    """The silhouette by category of the samples whose source has one, among those samples."""
    known = categories >= 0
    _, numbers, sizes = np.unique(categories[known], return_inverse=True, return_counts=True)
    if len(sizes) < 2 or sizes.max() < 2:
        return None
    rows = np.flatnonzero(known[groups])
    renumbered = np.cumsum(known) - 1
    part = sums[torch.from_numpy(rows).to(sums.device)][:, torch.from_numpy(known).to(sums.device)]
    part_groups = renumbered[groups[rows]]
    labels = numbers[part_groups]
    observed = silhouette_score(merged_sums(part, numbers, len(sizes)), labels)
    drawn = silhouettes_of_permuted_groups(part, part_groups, numbers, permutations, seed)
    return _score(observed, labels, drawn)


@dataclass(frozen=True, slots=True, eq=False)
class PlacedPanel:
    """A panel whose chunks have their places in the plane."""

    panel: Panel
    xy: Array
    """(n, 2)"""
    explained: tuple[float, float] | None
    silhouette: Score
    """Euclidean, in the plane, of all chunks of the panel; the null permutes chunks."""
    silhouette_test: Score | None
    """The same of the chunks of the test part alone; None where they are of fewer than two sources."""


def place_panels(
    states: FloatArray,
    labels: Labels,
    panels: Sequence[Panel],
    method: Method,
    permutations: int,
    seed: int,
) -> list[PlacedPanel]:
    """Fit a projection on training states, apply it to the chunks of each panel, and score what comes out.

    Args:
        states: (n, D), centred.
        labels: of the n samples.
        panels: what to place.
        method: how; see :class:`Method` for which training states it is fitted on.
        permutations: labelings to compare a panel's score with.
        seed: of the projection and the permutations.

    Raises:
        InvalidInputError: a projection that learns the panel's sources has too few training chunks of one.
    """
    if not panels:
        return []
    shared = None if method.uses_labels else method.fit(_all_sources(states, labels, seed))
    return [
        _placed(
            panel,
            shared or method.fit(_sources_of(panel, states, labels, seed)),
            states,
            labels,
            permutations,
            seed,
        )
        for panel in panels
    ]


def _all_sources(states: FloatArray, labels: Labels, seed: int) -> FittingData:
    train, validation = labels.train, labels.validation
    return FittingData(
        states[train],
        labels.groups[train],
        states[validation],
        labels.groups[validation],
        len(labels.categories),
        seed,
    )


def _sources_of(panel: Panel, states: FloatArray, labels: Labels, seed: int) -> FittingData:
    """The training and validation chunks of a panel's sources, drawn or not."""
    sources = np.array(panel.sources)
    train = labels.train[np.isin(labels.groups[labels.train], sources)]
    validation = labels.validation[np.isin(labels.groups[labels.validation], sources)]
    classes = np.searchsorted(sources, labels.groups[train])
    fewest = int(np.bincount(classes, minlength=len(sources)).min())
    if fewest < MIN_TRAINING_CHUNKS:
        raise InvalidInputError(
            ("geometry", "projection"),
            f"{MIN_TRAINING_CHUNKS} training chunks or more of every source drawn, to learn a plane from",
            f"a source with {fewest}",
            "Choose pca or raw, raise chunk.min_per_source, or split by block or position",
        )
    return FittingData(
        states[train],
        classes,
        states[validation],
        np.searchsorted(sources, labels.groups[validation]),
        len(sources),
        seed,
    )


def _placed(
    panel: Panel, projection: Projection, states: FloatArray, labels: Labels, permutations: int, seed: int
) -> PlacedPanel:
    xy = projection.apply(states[panel.rows])  # (n, 2)
    num_classes = len(panel.sources)
    distances = EuclideanDistances(xy)
    observed = silhouette_score(distances.sums(panel.labels, num_classes), panel.labels)
    drawn = silhouettes_of_permuted_samples(distances, panel.labels, num_classes, permutations, seed)
    in_test = np.isin(panel.rows, labels.test)
    test_labels = panel.labels[in_test]
    test = None
    if len(np.unique(test_labels)) > 1:
        sums = EuclideanDistances(xy[in_test]).sums(test_labels, num_classes)
        test = _score(silhouette_score(sums, test_labels), test_labels, np.empty(0))
    return PlacedPanel(panel, xy, projection.explained, _score(observed, panel.labels, drawn), test)
