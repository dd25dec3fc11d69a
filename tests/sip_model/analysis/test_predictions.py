"""The table of predictions."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sip_model.analysis.predictions import PredictionTable, Spans, evaluation_table

SPANS = Spans(["a", "b"], [0, 7], [5, 12])
PROBABILITIES = np.array([[0.1, 0.6, 0.2], [0.5, 0.1, 0.1]])
UNKNOWN = np.array([0.1, 0.3])


def test_a_row_holds_the_place_and_the_best_sources_first(tmp_path: Path) -> None:
    with PredictionTable(tmp_path / "t", ("x", "y", "z"), top_k=2) as table:
        table.write(SPANS, PROBABILITIES, UNKNOWN)
        table.write(SPANS, PROBABILITIES, UNKNOWN)
    rows = pq.read_table(tmp_path / "t").to_pylist()
    assert len(rows) == 4
    assert rows[1] == {
        "document": "b",
        "start": 7,
        "end": 12,
        "predicted": [{"source": "x", "probability": 0.5}, {"source": "y", "probability": 0.1}],
        "unknown": 0.3,
    }


def test_the_evaluation_table_adds_part_truth_and_baseline(tmp_path: Path) -> None:
    with evaluation_table(tmp_path / "t", ("x", "y", "z")) as table:
        table.write(
            SPANS,
            PROBABILITIES,
            UNKNOWN,
            split=["test", "validation"],
            sources=[["x", "z"], []],
            lexical_baseline=["y", None],
        )
    first, second = pq.read_table(tmp_path / "t").to_pylist()
    assert (first["split"], first["sources"], first["lexical_baseline"]) == ("test", ["x", "z"], "y")
    assert (second["sources"], second["lexical_baseline"]) == ([], None)
    assert [entry["source"] for entry in first["predicted"]] == ["y", "z", "x"]


def test_the_file_is_closed_when_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(IndexError), PredictionTable(tmp_path / "t", ("x",), top_k=3) as table:
        table.write(SPANS, PROBABILITIES, UNKNOWN)
    assert pq.read_table(tmp_path / "t").num_rows == 0
