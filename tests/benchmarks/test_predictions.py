from pathlib import Path

import numpy as np
import pytest

from benchmarks.predictions import Answers, UnequalPartsError, check_same, compare, read_answers
from sip_model.analysis.predictions import Spans, evaluation_table


@pytest.fixture
def rows(tmp_path: Path) -> Answers:
    """Four chunks of two documents, the last of them in another part."""
    path = tmp_path / "predictions.parquet"
    with evaluation_table(path, ("sea", "snow")) as table:
        table.write(
            Spans(["b", "a", "a", "a"], [0, 9, 0, 20], [5, 18, 8, 25]),
            np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]),
            np.zeros(4),
            split=["test", "test", "test", "validation"],
            sources=[["sea"], ["sea", "snow"], ["snow"], ["sea"]],
            lexical_baseline=["sea", "sea", "sea", None],
        )
    return read_answers(path)


def test_the_test_part_alone_is_read_in_order_of_place(rows: Answers) -> None:
    assert rows.spans == [("a", 0, 8), ("a", 9, 18), ("b", 0, 5)]
    assert rows.lexical == ["sea", "sea", "sea"]


def test_a_prediction_is_right_when_it_is_among_the_sources(rows: Answers) -> None:
    assert rows.right.tolist() == [0, 1, 1]
    assert rows.lexical_right.tolist() == [0, 1, 1]


def test_runs_with_other_samples_or_another_baseline_are_not_compared(rows: Answers) -> None:
    others = (
        Answers(rows.spans[:2], rows.right[:2], rows.lexical[:2], rows.lexical_right[:2]),
        Answers(rows.spans, rows.right, ["sea", "snow", "sea"], rows.lexical_right),
    )
    check_same(rows, rows)
    for other in others:
        with pytest.raises(UnequalPartsError):
            check_same(rows, other)


def test_seeds_are_pooled_with_their_documents_kept_together() -> None:
    first, second = np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    documents = np.array(["a", "a", "b", "b"])
    pooled, each = compare([first, second], [second, second], [documents, documents])
    assert pooled.mean == pytest.approx(0.25)
    assert [difference.mean for difference in each] == [0.5, 0.0]
    # both documents differ by the same share, so every draw has the same mean
    assert pooled.low == pytest.approx(0.25)
    assert pooled.high == pytest.approx(0.25)
