"""What workers write for TensorBoard is what TensorBoard reads."""

import logging
import math
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from db.metrics import NewMetric
from worker.mirror import TensorBoardMirror


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag → steps and values, as TensorBoard itself reads them."""
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def test_values_are_read_under_their_names_and_steps(tmp_path: Path) -> None:
    mirror = TensorBoardMirror(tmp_path, "exp_0")
    mirror.write([NewMetric(name="train/loss", value=1 / 2**step, step=step) for step in range(3)])
    mirror.write(
        [NewMetric(name="probe/linear/accuracy", value=0.5, split="test", layer=2, backbone="minilm")]
    )
    mirror.close()
    assert read(tmp_path / "exp_0") == {
        "train/loss": [(0, 1.0), (1, 0.5), (2, 0.25)],
        "probe/linear/accuracy/test/layer 2/minilm": [(0, 0.5)],
    }


def test_a_second_attempt_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    for step in (0, 1):
        mirror = TensorBoardMirror(tmp_path, "exp_0")
        mirror.write([NewMetric(name="train/loss", value=float(step), step=step)])
        mirror.close()
    assert read(tmp_path / "exp_0") == {"train/loss": [(0, 0.0), (1, 1.0)]}


def test_what_is_no_number_is_mirrored_as_it_is(tmp_path: Path) -> None:
    mirror = TensorBoardMirror(tmp_path, "exp_0")
    mirror.write([NewMetric(name="train/loss", value=math.nan, step=0)])
    mirror.close()
    ((_, value),) = read(tmp_path / "exp_0")["train/loss"]
    assert math.isnan(value)


def test_a_folder_that_goes_away_is_logged_once_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = TensorBoardMirror(tmp_path, "exp_0")

    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mirror._writer, "flush", fail)
    with caplog.at_level(logging.WARNING):
        for step in (0, 1):
            mirror.write([NewMetric(name="train/loss", value=1.0, step=step)])
    monkeypatch.undo()
    mirror.close()
    assert [record.message for record in caplog.records] == [
        "metrics are no longer mirrored for TensorBoard: [Errno 28] No space left on device"
    ]
