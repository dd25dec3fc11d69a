"""Metrics written a second time, as TensorBoard's event files, for those who look at them there.

The database stays the only truth: what a killed process had not written here yet is missing here alone.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from db.metrics import NewMetric

logger = logging.getLogger(__name__)


class TensorBoardMirror:
    """Event files of one attempt at an experiment, in a folder of the experiment's.

    A metric's split, layer and backbone, where it has them, are part of its tag; one without a step is at 0.

    Args:
        folder: of all experiments; TensorBoard's `--logdir`.
        experiment_id: name of the folder in it.

    Raises:
        OSError: the folder can't be written.
    """

    def __init__(self, folder: Path, experiment_id: str) -> None:
        # Here and not above: it is an extra.
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder / experiment_id))
        self._is_broken = False

    def write(self, metrics: Sequence[NewMetric]) -> None:
        """Append values; what goes wrong is logged once, and is no reason to end an experiment."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._is_broken:
            return
        now = time.time()
        try:
            for metric in metrics:
                value = Summary.Value(tag=_tag(metric), simple_value=metric.value)
                self._writer.add_event(
                    Event(wall_time=now, step=metric.step or 0, summary=Summary(value=[value]))
                )
            self._writer.flush()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is left."""
        try:
            self._writer.close()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._is_broken = True
        logger.warning("metrics are no longer mirrored for TensorBoard: %s", error)


def _tag(metric: NewMetric) -> str:
    layer = None if metric.layer is None else f"layer {metric.layer}"
    return "/".join(part for part in (metric.name, metric.split, layer, metric.backbone) if part)
