"""The low-dimensional distribution: a grid per number of classes and seed, backbones over corpora."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow.parquet as pq

from sip_model.figures.grid import DIMENSION_NAMES, Points, draw_grid
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Value, distinct
from sip_model.figures.study import Coordinates, Study
from sip_model.figures.words import listed

Draw = tuple[int, int, int]
"""Number of classes, seed of the experiment, number of the draw within it."""
PanelKey = tuple[Draw, str, str]
"""Draw, corpus, backbone."""
COLUMNS = ("layer", "classes", "seed", "source", "split", "x", "y", "projection")
PANEL_SCORE = "geometry/panel_silhouette_"
PROJECTION_NAMES = {
    "pca": "PCA",
    "lda": "LDA",
    "raw": "the raw first two dimensions",
    "bottleneck": "a trained bottleneck of two units",
    "umap": "UMAP",
}
EXPLAINED = ("explained_variance_x", "explained_variance_y")


def distributions(study: Study) -> list[Picture]:
    """A grid for every number of classes and seed; all but the first of each number are folded away."""
    scores = [row for row in study.rows if row.name.startswith(PANEL_SCORE)]
    panels: dict[PanelKey, Points] = {}
    projections: list[str] = []
    for coordinates in study.coordinates:
        found, projection = _read(coordinates, scores)
        panels |= found
        projections += projection
    sizes = {coordinates.backbone: coordinates.num_parameters for coordinates in study.coordinates}
    columns = sorted(sizes, key=lambda name: (sizes[name] is None, sizes[name] or 0, name))
    corpora = distinct(coordinates.dataset for coordinates in study.coordinates)
    names = distinct(projections)
    pictures = []
    seen: set[int] = set()
    for draw in sorted({key[0] for key in panels}):
        pictures.append(_picture(draw, panels, corpora, columns, names, folded=draw[0] in seen))
        seen.add(draw[0])
    return pictures


def _picture(
    draw: Draw,
    panels: Mapping[PanelKey, Points],
    corpora: Sequence[str],
    backbones: Sequence[str],
    projections: Sequence[str],
    *,
    folded: bool,
) -> Picture:
    classes, seed, number = draw
    shown = [[panels.get((draw, corpus, backbone)) for backbone in backbones] for corpus in corpora]
    dimensions = DIMENSION_NAMES.get(projections[0], ("first dimension", "second dimension"))
    figure = draw_grid(shown, row_names=corpora, column_names=backbones, dimension_names=dimensions)
    missing = [
        f"{backbone} on {corpus}"
        for corpus, line in zip(corpora, shown, strict=True)
        for backbone, points in zip(backbones, line, strict=True)
        if points is None
    ]
    chunks = sorted({len(points.labels) for line in shown for points in line if points is not None})
    count = str(chunks[0]) if len(chunks) == 1 else f"{chunks[0]} to {chunks[-1]}"
    which = f"seed {seed}" if number == 0 else f"seed {seed}, draw {number}"
    caption = (
        f"Hidden states of {count} chunks of {classes} sources in two dimensions "
        f"({listed([PROJECTION_NAMES.get(name, name) for name in projections])}), "
        f"last layer; columns: backbones by size, rows: corpora. The seed draws sources and chunks. Faint "
        "points are training chunks, on which the projection is fitted; every panel has its own scale."
        + (f" Not shown: {listed(missing)}." if missing else "")
    )
    alt = (
        f"A grid of {len(corpora)} times {len(backbones)} scatter plots, {classes} sources each, told apart "
        "by marker."
    )
    title = f"Low-dimensional distribution, {classes} classes, {which}"
    name = f"distribution-{classes}-classes-seed-{seed}" + ("" if number == 0 else f"-{number}")
    return Picture(name, title, figure, caption, alt, folded=folded)


def _read(coordinates: Coordinates, rows: Sequence[Value]) -> tuple[dict[PanelKey, Points], list[str]]:
    """The panels of the deepest layer, and what projected them."""
    file = pq.ParquetFile(coordinates.path)
    explained = [name for name in EXPLAINED if name in file.schema_arrow.names]
    table = file.read(columns=[*COLUMNS, *explained])
    columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
    deepest = columns["layer"] == columns["layer"].max() if table.num_rows else np.zeros(0, dtype=bool)
    panels: dict[PanelKey, Points] = {}
    pairs = set(zip(columns["classes"][deepest].tolist(), columns["seed"][deepest].tolist(), strict=True))
    for classes, number in sorted(pairs):
        chosen = deepest & (columns["classes"] == classes) & (columns["seed"] == number)
        sources = list(dict.fromkeys(columns["source"][chosen].tolist()))
        shares = tuple(columns[name][chosen][0] for name in explained)
        panels[(classes, coordinates.seed, number), coordinates.dataset, coordinates.backbone] = Points(
            xy=np.stack([columns["x"][chosen], columns["y"][chosen]], axis=1).astype(np.float64),  # (n, 2)
            labels=[sources.index(name) for name in columns["source"][chosen].tolist()],
            silhouette=_silhouette(coordinates, rows, classes, number),
            explained=(float(shares[0]), float(shares[1]))
            if len(shares) == 2 and None not in shares
            else None,
            faint=(columns["split"][chosen] == "train").tolist(),
            sources=sources,
        )
    return panels, columns["projection"].tolist()


def _silhouette(coordinates: Coordinates, rows: Sequence[Value], classes: int, number: int) -> float | None:
    """Of the panel in the plane, where it was measured; the deepest layer's."""
    values = [
        row
        for row in rows
        if row.name == f"{PANEL_SCORE}{classes}_classes"
        and (row.backbone, row.dataset, row.seed)
        == (coordinates.backbone, coordinates.dataset, coordinates.seed)
        and row.step == number
        and row.split is None
    ]
    return max(values, key=lambda row: row.layer or 0).value if values else None
