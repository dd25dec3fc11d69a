"""An experiment's progress while it runs: a live bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterable

from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cli.terminal import Terminal, duration
from client.answers import FINAL, Experiment, Metric
from client.following import Update

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
    view = _LiveView(terminal) if terminal.is_interactive else _PlainView(terminal, clock)
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


def describe_loss(rows: Iterable[Metric]) -> str:
    """The newest training and validation losses, for example ``loss 0.12 · validation 0.30``."""
    newest = {row["name"]: row["value"] for row in rows if row["name"].endswith("/loss")}
    shown = (("loss", newest.get("train/loss")), ("validation", newest.get("validation/loss")))
    return " · ".join(f"{label} {value:.4f}" for label, value in shown if value is not None)


def describe_children(experiment: Experiment) -> str:
    """How many children are in which status, for example ``9 queued · 2 running``; empty without any."""
    children = experiment.get("children") or {}
    return " · ".join(f"{number} {status}" for status, number in sorted(children.items()))


class _LiveView:
    """One bar per phase; finished ones stay, full."""

    def __init__(self, terminal: Terminal) -> None:
        self._progress = Progress(
            TextColumn("  "),
            SpinnerColumn(finished_text="[green]✓[/]" if terminal.has_unicode else "ok"),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}[/]"),
            console=terminal.out,
        )
        self._task: TaskID | None = None
        self._phase = ""

    def show(self, experiment: Experiment, rows: list[Metric]) -> None:
        if experiment["status"] in FINAL:
            return
        phase = _phase(experiment)
        if phase != self._phase or self._task is None:
            self._finish()
            self._task = self._progress.add_task(escape(phase), total=None, count="", note="")
            self._phase = phase
        done, total, unit, eta_seconds = _counts(experiment)
        notes = [f"{duration(eta_seconds)} left"] if eta_seconds else []
        notes += [children] if (children := describe_children(experiment)) else []
        notes += [loss] if (loss := describe_loss(rows)) and phase.startswith("train") else []
        self._progress.update(
            self._task,
            completed=done,
            total=total or None,
            count=_count(done, total, unit),
            note=" · ".join(notes),
        )

    def _finish(self) -> None:
        if self._task is None:
            return
        total = self._progress.tasks[self._progress.task_ids.index(self._task)].total or 1
        self._progress.update(self._task, completed=total, total=total, note="")
        self._progress.stop_task(self._task)

    def __enter__(self) -> "_LiveView":
        self._progress.start()
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            self._finish()
        self._progress.stop()


class _PlainView:
    """A line when a phase starts, and at intervals."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float]) -> None:
        self._terminal = terminal
        self._clock = clock
        self._phase = ""
        self._said_at = 0.0

    def show(self, experiment: Experiment, rows: list[Metric]) -> None:
        phase, now = _phase(experiment), self._clock()
        if experiment["status"] in FINAL:
            return
        if phase == self._phase and now - self._said_at < PLAIN_SECONDS:
            return
        self._phase, self._said_at = phase, now
        done, total, unit, eta_seconds = _counts(experiment)
        parts = [escape(phase)]
        if count := _count(done, total, unit):
            parts.append(f"{count} ({done / total:.0%})" if total else count)
        if eta_seconds:
            parts.append(f"{duration(eta_seconds)} left")
        if children := describe_children(experiment):
            parts.append(children)
        if loss := describe_loss(rows):
            parts.append(loss)
        self._terminal.say("  " + ", ".join(parts))

    def __enter__(self) -> "_PlainView":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _phase(experiment: Experiment) -> str:
    progress = experiment["progress"]
    if experiment["status"] == "running" and progress["phase"]:
        return progress["phase"]
    return experiment["status"]


def _count(done: int, total: int, unit: str) -> str:
    """``3/10 files``; ``3 files`` where nobody knows how many there are."""
    if total:
        return f"{done:,}/{total:,} {unit}"
    return f"{done:,} {unit}" if done else ""


def _counts(experiment: Experiment) -> tuple[int, int, str, float | None]:
    progress = experiment["progress"]
    if experiment["status"] != "running":
        return 0, 0, "", None
    return progress["done"] or 0, progress["total"] or 0, progress["unit"] or "", progress["eta_seconds"]
