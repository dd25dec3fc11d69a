"""Which layer of each backbone stands for it where one number is wanted."""

from collections.abc import Sequence
from dataclasses import replace

from sip_model.figures.rows import Value, deepest, final, named, spreads

PROBES = {
    "probe/linear/accuracy": "linear probe",
    "probe/nonlinear/accuracy": "non-linear probe",
    "probe/linear/control": "control, linear",
    "probe/nonlinear/control": "control, non-linear",
}


def probe_rows(rows: Sequence[Value]) -> tuple[list[Value], str]:
    """Test accuracies of both probes and their controls, of one layer per backbone and corpus.

    The layer is the one whose linear probe does best on the validation part, averaged over seeds; without
    such rows the last one. The control's accuracy is accuracy − selectivity (Hewitt and Liang 2019).

    Returns:
        Rows named as in :data:`PROBES`, and how the layer was chosen, as a caption says it.
    """
    values = final(
        named(
            rows,
            "probe/linear/accuracy",
            "probe/nonlinear/accuracy",
            "probe/linear/selectivity",
            "probe/nonlinear/selectivity",
        )
    )
    test = [row for row in values if row.split in ("test", None)]
    chosen = _best_on_validation([row for row in values if row.split == "validation"])
    if chosen:
        kept = [
            row
            for row in test
            if row.layer is None or row.layer == chosen.get((row.backbone, row.dataset), row.layer)
        ]
        note = "the layer being the one that does best on the validation part"
    else:
        kept, note = deepest(test), "last layer"
    accuracies = [row for row in kept if row.name.endswith("/accuracy")]
    return accuracies + _controls(kept), note


def _best_on_validation(rows: Sequence[Value]) -> dict[tuple[str | None, str | None], int]:
    best: dict[tuple[str | None, str | None], tuple[float, int]] = {}
    linear = [row for row in rows if row.name == "probe/linear/accuracy" and row.layer is not None]
    means = spreads(linear, lambda row: (row.backbone, row.dataset, row.layer or 0))
    for (backbone, dataset, layer), spread in means.items():
        key = (backbone, dataset)
        if key not in best or spread.mean > best[key][0]:
            best[key] = (spread.mean, layer)
    return {key: layer for key, (_, layer) in best.items()}


def _controls(rows: Sequence[Value]) -> list[Value]:
    accuracy = {
        (row.name, row.backbone, row.dataset, row.seed, row.layer, row.varied): row
        for row in rows
        if row.name.endswith("/accuracy")
    }
    controls = []
    for row in rows:
        if not row.name.endswith("/selectivity"):
            continue
        probe = row.name.removesuffix("/selectivity")
        key = (f"{probe}/accuracy", row.backbone, row.dataset, row.seed, row.layer, row.varied)
        if key in accuracy:
            controls.append(replace(row, name=f"{probe}/control", value=accuracy[key].value - row.value))
    return controls
