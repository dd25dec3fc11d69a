"""What watching an experiment brings."""

from typing import NamedTuple

from client.answers import Experiment, Metric


class Update(NamedTuple):
    """How an experiment stands, and the metric rows that came since the last update."""

    experiment: Experiment
    rows: list[Metric]
