"""Kind `geometry`: do hidden states group by source, and sources by author or category?

Silhouettes are computed on the chunks of all parts: the backbone stays as it was found, and the mean of the
training part is all that is fitted. The test part alone has a score beside them, for backbones that have
learned from the training part. A chunk of several sources counts for the rarest of them.

A score far below its null (z below −2, p near 1) is no sign of sources that mean nothing: where many sources
overlap, one of the many other centres is nearer to a chunk than its own source's, which permuted labels,
whose centres all coincide, never show. The correlation of centroid distances and the nearest centroid say
what such a score hides.
"""

import numpy as np

from sip_model.analysis.geometry import (
    Labels,
    LayerGeometry,
    PlacedPanel,
    centred,
    measure_layer,
    place_panels,
)
from sip_model.analysis.group_distances import IntArray
from sip_model.analysis.panels import Panel, draw_panel
from sip_model.analysis.permutation import Null
from sip_model.analysis.projections import PROJECTIONS
from sip_model.analysis.sampling import stratified_sample
from sip_model.corpora.categories import source_categories
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.store import Corpus
from sip_model.errors import InvalidInputError
from sip_model.experiments.geometry import AUTHOR, GeometryConfig
from worker.jobs.context import JobContext
from worker.jobs.geometry_files import Coordinates, Measured, Setting, leave_figures, leave_report
from worker.jobs.reading import BackboneReader, report_memory


def run(context: JobContext[GeometryConfig]) -> None:
    """Read features, then measure and draw one layer after the other."""
    config, block = context.config, context.config.geometry
    reader = BackboneReader(context, config.measured)
    context.progress("samples", 0, 1, "corpora")
    corpus = Corpus(context.corpus_path)
    samples = prepare_samples(
        corpus,
        config.chunk,
        config.sources,
        config.split,
        context.seed,
        reader.offsets() if config.chunk.num_tokens is not None else None,
        context.kept,
    )
    categories = (
        samples.authors
        if block.category == AUTHOR
        else source_categories(corpus, samples.sources, block.category)
    )
    labels = _labels(samples, categories)
    panels = _draw_panels(context, labels.groups)
    sample = stratified_sample(labels.groups, block.max_samples, context.seed)
    setting = Setting(samples, categories, labels, sample, reader.reading)
    layers = reader.reading.layers
    features = reader.features(samples.texts).reshape(len(samples.texts), len(layers), -1)  # (n, K, D)
    context.metric("geometry/dimension", features.shape[2], backbone=reader.reading.id)
    context.metric("geometry/samples", len(sample), backbone=reader.reading.id)
    context.metric("data/sources", len(samples.sources))
    context.metric("data/sources_left_out", len(samples.left_out))

    measured: list[Measured] = []
    with Coordinates(context, setting) as coordinates:
        for number, layer in enumerate(layers):
            context.progress("geometry", number, len(layers), "layers")
            states = centred(features[:, number], labels.train)  # (n, D)
            found = measure_layer(states, labels, sample, block.permutations, context.seed, context.device)
            _report(context, found, layer, reader.reading.id)
            placed = place_panels(
                states, labels, panels, PROJECTIONS[block.projection], block.permutations, context.seed
            )
            _report_panels(context, placed, layer, reader.reading.id)
            coordinates.write(layer, placed)
            measured.append(Measured(layer, found, placed))
    context.progress("geometry", len(layers), len(layers), "layers")
    leave_report(context, setting, measured, features.shape[2])
    leave_figures(context, setting, measured)
    report_memory(context)


def _labels(samples: Samples, categories: tuple[str | None, ...]) -> Labels:
    counts = np.bincount(np.concatenate(samples.positives), minlength=len(samples.sources))
    names = {name: number for number, name in enumerate(dict.fromkeys(filter(None, categories)))}
    return Labels(
        groups=np.array([sources[counts[sources].argmin()] for sources in samples.positives], dtype=np.int64),
        categories=np.array([names[name] if name else -1 for name in categories], dtype=np.int64),
        train=samples.part("train"),
        validation=samples.part("validation"),
        test=samples.part("test"),
    )


def _draw_panels(context: JobContext[GeometryConfig], groups: IntArray) -> list[Panel]:
    """Every panel of every series; `InvalidInputError` when a series wants more sources than there are."""
    block, num_sources = context.config.geometry, len(np.unique(groups))
    if num_sources < max((2, *block.classes)):
        raise InvalidInputError(
            ("geometry", "classes"),
            f"at most {num_sources}, the number of sources that take part",
            str(max(block.classes, default=2)),
        )
    return [
        draw_panel(groups, num_classes, block.chunks_per_class, context.seed, number)
        for num_classes in block.classes
        for number in range(block.seeds)
    ]


def _report(context: JobContext[GeometryConfig], found: LayerGeometry, layer: int, backbone: str) -> None:
    """The layer's metrics; what can't be had, as a score by author without authors, is left out."""
    group = "author" if context.config.geometry.category == AUTHOR else "category"
    values: dict[str, float | None] = {
        "silhouette": found.cosine.silhouette,
        "silhouette_euclidean": found.euclidean.silhouette,
        **_null("silhouette", found.cosine.null),
    }
    if found.category is not None:
        values[f"silhouette_{group}"] = found.category.silhouette
        values |= _null(f"silhouette_{group}", found.category.null)
    if found.centroids is not None:
        centroids = found.centroids
        values[f"centroid_{group}_correlation"] = centroids.correlation
        values |= _null(f"centroid_{group}_correlation", centroids.correlation_null)
        values[f"nearest_centroid_same_{group}"] = centroids.nearest_same
        values[f"nearest_centroid_same_{group}_chance"] = centroids.nearest_same_chance
        values |= _null(f"nearest_centroid_same_{group}", centroids.nearest_same_null)
    for name, value in values.items():
        if value is not None and np.isfinite(value):
            context.metric(f"geometry/{name}", value, layer=layer, backbone=backbone)
    if found.test is not None:
        context.metric(
            "geometry/silhouette_test", found.test.silhouette, split="test", layer=layer, backbone=backbone
        )


def _null(name: str, null: Null | None) -> dict[str, float | None]:
    if null is None:
        return {}
    return {
        f"{name}_null_mean": null.mean,
        f"{name}_null_sd": null.sd,
        f"{name}_z": null.z,
        f"{name}_p": null.p,
    }


def _report_panels(
    context: JobContext[GeometryConfig], placed: list[PlacedPanel], layer: int, backbone: str
) -> None:
    """Each panel's silhouette in the plane; the step is the number of the draw."""
    for panel in placed:
        name = f"geometry/panel_silhouette_{len(panel.panel.sources)}_classes"
        for split, score in ((None, panel.silhouette), ("test", panel.silhouette_test)):
            if score is not None:
                context.metric(
                    name if split is None else f"{name}_test",
                    score.silhouette,
                    step=panel.panel.number,
                    split=split,
                    layer=layer,
                    backbone=backbone,
                )
