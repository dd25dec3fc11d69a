"""An experiment's progress while it runs: a live bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterable

from rich.markup import escape

from cli.terminal import Terminal
from client.answers import FINAL, Experiment, Metric
from client.progress import (
    PhaseBars,
    count_of,
    counts_of,
    describe_children,
    describe_loss,
    duration,
    phase_of,
)
from client.update import Update

PLAIN_SECONDS = 15.0
"""Outside a terminal a phase is reported when it starts, when it ends and this often between."""


def watch(
    terminal: Terminal, updates: Iterable[Update], *, clock: Callable[[], float] = time.monotonic
) -> tuple[Experiment, list[Metric]]:
    """Show updates until they end; returns the last state and all metric rows seen.

    The caller says how it ended.

    Args:
        updates: as from `client.Client.follow`; at least one.
    """
    view = (
        PhaseBars(terminal.out, has_unicode=terminal.has_unicode)
        if terminal.is_interactive
        else _PlainView(terminal, clock)
    )
    rows: list[Metric] = []
    experiment: Experiment | None = None
    with view:
        for update in updates:
            experiment = update.experiment
            rows += update.rows
            view.show(experiment, rows)
    if experiment is None:
        raise ValueError("updates: expected at least one, found none")
    return experiment, rows


class _PlainView:
    """A line when a phase starts, and at intervals."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float]) -> None:
        self._terminal = terminal
        self._clock = clock
        self._phase = ""
        self._said_at = 0.0

    def show(self, experiment: Experiment, rows: list[Metric]) -> None:
        phase, now = phase_of(experiment), self._clock()
        if experiment["status"] in FINAL:
            return
        if phase == self._phase and now - self._said_at < PLAIN_SECONDS:
            return
        self._phase, self._said_at = phase, now
        done, total, unit, eta_seconds = counts_of(experiment)
        parts = [escape(phase)]
        if count := count_of(done, total, unit):
            parts.append(f"{count} ({done / total:.0%})" if total else count)
        if eta_seconds:
            parts.append(f"{duration(eta_seconds)} left")
        if children := describe_children(experiment):
            parts.append(children)
        if (loss := describe_loss(rows)) and phase.startswith("train"):
            parts.append(loss)
        self._terminal.say("  " + ", ".join(parts))

    def __enter__(self) -> "_PlainView":
        return self

    def __exit__(self, *_: object) -> None:
        return None
