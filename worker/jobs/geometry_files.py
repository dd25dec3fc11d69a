"""The files a `geometry` experiment leaves: coordinates, the full report, figures."""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.analysis.geometry import Labels, LayerGeometry, PlacedPanel, Score
from sip_model.analysis.group_distances import IntArray
from sip_model.analysis.projections import PROJECTIONS
from sip_model.corpora.samples import Samples
from sip_model.corpora.split import PARTS
from sip_model.experiments.geometry import GeometryConfig
from sip_model.identifiers.artifact import BackboneReading
from worker.jobs.context import JobContext
from worker.jobs.results import JSON, PARQUET

MAX_LAYERS_DRAWN = 8
"""Rows of a figure at most; of more layers, so many evenly spaced ones are drawn."""
MAX_PANELS_DRAWN = 12
"""Columns of a figure at most; the first panels of a series are drawn."""


_COORDINATES = pa.schema(
    [
        ("layer", pa.int64()),
        ("classes", pa.int64()),
        ("seed", pa.int64()),
        ("source", pa.string()),
        ("document", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("split", pa.string()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("projection", pa.string()),
        ("explained_variance_x", pa.float64()),
        ("explained_variance_y", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What all layers have in common."""

    samples: Samples
    categories: tuple[str | None, ...]
    """(C,) of the sources."""
    labels: Labels
    sample: IntArray
    """Sample numbers that silhouettes are computed on."""
    reading: BackboneReading


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What came out of one layer."""

    layer: int
    geometry: LayerGeometry
    panels: list[PlacedPanel]


class Coordinates:
    """``coordinates.parquet``, written layer by layer: where each chunk of each panel lies in the plane.

    `seed` is the number of the draw; `start` and `end` are code points of the document.
    """

    def __init__(self, context: JobContext[GeometryConfig], setting: Setting) -> None:
        self._context = context
        self._setting = setting
        self._path = context.scratch / "coordinates.parquet"
        self._writer = pq.ParquetWriter(self._path, _COORDINATES, compression="zstd")

    def write(self, layer: int, placed: Sequence[PlacedPanel]) -> None:
        """Append a layer's panels."""
        for panel in placed:
            self._writer.write_table(self._table(layer, panel))

    def _table(self, layer: int, placed: PlacedPanel) -> pa.Table:
        samples, panel = self._setting.samples, placed.panel
        rows, count = panel.rows.tolist(), len(panel.rows)
        explained_x, explained_y = placed.explained or (None, None)
        columns: dict[str, list[object]] = {
            "layer": [layer] * count,
            "classes": [len(panel.sources)] * count,
            "seed": [panel.number] * count,
            "source": [samples.sources[panel.sources[label]] for label in panel.labels.tolist()],
            "document": [samples.documents[row] for row in rows],
            "start": samples.starts[rows].tolist(),
            "end": samples.ends[rows].tolist(),
            "split": [PARTS[samples.parts[row]] for row in rows],
            "x": placed.xy[:, 0].tolist(),
            "y": placed.xy[:, 1].tolist(),
            "projection": [self._context.config.geometry.projection] * count,
            "explained_variance_x": [explained_x] * count,
            "explained_variance_y": [explained_y] * count,
        }
        return pa.table(columns, schema=_COORDINATES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()
        if error is None:
            self._context.artifact(self._path.name, self._path, PARQUET)


def leave_report(
    context: JobContext[GeometryConfig], setting: Setting, measured: Sequence[Measured], dimension: int
) -> None:
    """``geometry.json``: every score with its null and what it was computed on."""
    samples, block = setting.samples, context.config.geometry
    sampled = np.bincount(setting.labels.groups[setting.sample], minlength=len(samples.sources))
    content = {
        "backbone": asdict(setting.reading),
        "dimension": dimension,
        "centred_by": "the mean of the training part",
        "samples": {
            "all": len(samples.texts),
            "measured": len(setting.sample),
            "of_several_sources": sum(len(sources) > 1 for sources in samples.positives),
            **{part: len(samples.part(part)) for part in PARTS},
        },
        "split_sha256": samples.split_sha256,
        "category": {
            "field": block.category,
            "values": len({name for name in setting.categories if name}),
            "sources_with_one": sum(name is not None for name in setting.categories),
        },
        "sources": [
            {
                "source": name,
                "category": setting.categories[number],
                "samples": int(sampled[number]),
                "silhouette": {
                    str(entry.layer): _finite(entry.geometry.by_source[number]) for entry in measured
                },
            }
            for number, name in enumerate(samples.sources)
        ],
        "left_out": [asdict(entry) for entry in samples.left_out],
        "layers": [_layer(entry) for entry in measured],
        "projection": block.projection,
        "panels": [
            _panel(entry.layer, placed, samples.sources) for entry in measured for placed in entry.panels
        ],
    }
    path = context.scratch / "geometry.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)


def _layer(entry: Measured) -> dict[str, object]:
    found = entry.geometry
    centroids = None if found.centroids is None else asdict(found.centroids)
    if centroids is not None:
        centroids["correlation"] = _finite(centroids["correlation"])
    return {
        "layer": entry.layer,
        "silhouette": {
            "cosine": asdict(found.cosine),
            "euclidean": asdict(found.euclidean),
            "cosine_test": _maybe(found.test),
            "cosine_by_category": _maybe(found.category),
        },
        "centroids": centroids,
    }


def _panel(layer: int, placed: PlacedPanel, sources: Sequence[str]) -> dict[str, object]:
    return {
        "layer": layer,
        "classes": len(placed.panel.sources),
        "seed": placed.panel.number,
        "sources": [sources[number] for number in placed.panel.sources],
        "chunks": np.bincount(placed.panel.labels).tolist(),
        "explained_variance": placed.explained,
        "silhouette": asdict(placed.silhouette),
        "silhouette_test": _maybe(placed.silhouette_test),
    }


def _maybe(score: Score | None) -> dict[str, object] | None:
    return None if score is None else asdict(score)


def _fitted_on(placed: PlacedPanel, setting: Setting) -> list[bool]:
    """Which chunks of a panel belong to the training part."""
    return [bool(known) for known in np.isin(placed.panel.rows, setting.labels.train)]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def leave_figures(
    context: JobContext[GeometryConfig], setting: Setting, measured: Sequence[Measured]
) -> None:
    """``projection_<C>_classes.png`` and ``.svg``: columns are draws, rows are layers."""
    block = context.config.geometry
    if importlib.util.find_spec("matplotlib") is None:
        context.warn("no figures, since matplotlib isn't installed")
        return
    from sip_model.figures.grid import DIMENSION_NAMES, Points, draw_grid
    from sip_model.figures.style import save

    places = np.linspace(0, len(measured) - 1, min(len(measured), MAX_LAYERS_DRAWN)).round().astype(int)
    drawn = [measured[place] for place in places.tolist()]
    for classes in block.classes:
        figure = draw_grid(
            [
                [
                    Points(
                        xy=placed.xy,
                        labels=placed.panel.labels.tolist(),
                        silhouette=placed.silhouette.silhouette,
                        explained=placed.explained,
                        faint=_fitted_on(placed, setting)
                        if PROJECTIONS[block.projection].uses_labels
                        else None,
                    )
                    for placed in entry.panels
                    if len(placed.panel.sources) == classes and placed.panel.number < MAX_PANELS_DRAWN
                ]
                for entry in drawn
            ],
            row_names=[f"layer {entry.layer}" for entry in drawn],
            column_names=[f"draw {number}" for number in range(min(block.seeds, MAX_PANELS_DRAWN))],
            dimension_names=DIMENSION_NAMES[block.projection],
            title=f"{classes} sources, {setting.reading.id}, {context.dataset_name}",
        )
        png, svg = save(figure, context.scratch, f"projection_{classes}_classes")
        context.artifact(png.name, png, "image/png")
        context.artifact(svg.name, svg, "image/svg+xml")
