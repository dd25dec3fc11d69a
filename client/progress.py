"""An experiment's progress: bars, and the words beside them."""

from collections.abc import Iterable, Sequence
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from client.answers import FINAL, Experiment, Metric


def describe_loss(rows: Iterable[Metric]) -> str:
    """The newest training and validation losses, for example ``loss 0.12 · validation 0.30``."""
    newest = {row["name"]: row["value"] for row in rows if row["name"].endswith("/loss")}
    shown = (("loss", newest.get("train/loss")), ("validation", newest.get("validation/loss")))
    return " · ".join(f"{label} {value:.4f}" for label, value in shown if value is not None)


def describe_children(experiment: Experiment) -> str:
    """How many children are in which status, for example ``9 queued · 2 running``; empty without any."""
    children = experiment.get("children") or {}
    return " · ".join(f"{number} {status}" for status, number in sorted(children.items()))


class PhaseBars:
    """One bar per phase of an experiment; finished ones stay, full. A context manager.

    Args:
        console: where to draw; standard output or the notebook unless given.
        has_unicode: whether it can show a check mark.
    """

    def __init__(self, console: Console | None = None, *, has_unicode: bool = True) -> None:
        self._progress = Progress(
            TextColumn("  "),
            SpinnerColumn(finished_text="[green]✓[/]" if has_unicode else "ok"),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}[/]"),
            console=console,
        )
        self._task: TaskID | None = None
        self._phase = ""

    def show(self, experiment: Experiment, rows: Sequence[Metric]) -> None:
        """Draw how it stands.

        Args:
            rows: metric rows; the newest losses among them are written beside the bar.
        """
        if experiment["status"] in FINAL:
            return
        phase = phase_of(experiment)
        if phase != self._phase or self._task is None:
            self._finish()
            self._task = self._progress.add_task(escape(phase), total=None, count="", note="")
            self._phase = phase
        done, total, unit, eta_seconds = counts_of(experiment)
        notes = [f"{duration(eta_seconds)} left"] if eta_seconds else []
        notes += [children] if (children := describe_children(experiment)) else []
        notes += [loss] if (loss := describe_loss(rows)) and phase.startswith("train") else []
        self._progress.update(
            self._task,
            completed=done,
            total=total or None,
            count=count_of(done, total, unit),
            note=" · ".join(notes),
        )

    def _finish(self) -> None:
        if self._task is None:
            return
        total = self._progress.tasks[self._progress.task_ids.index(self._task)].total or 1
        self._progress.update(self._task, completed=total, total=total, note="")
        self._progress.stop_task(self._task)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            self._finish()
        self._progress.stop()


def phase_of(experiment: Experiment) -> str:
    """The phase of a running experiment, else its status."""
    progress = experiment["progress"]
    if experiment["status"] == "running" and progress["phase"]:
        return progress["phase"]
    return experiment["status"]


def count_of(done: int, total: int, unit: str) -> str:
    """``3/10 files``; ``3 files`` where nobody knows how many there are; nothing where there is one."""
    if total == 1:
        return ""
    if total:
        return f"{done:,}/{total:,} {unit}"
    return f"{done:,} {unit}" if done else ""


def counts_of(experiment: Experiment) -> tuple[int, int, str, float | None]:
    """How much is done, of how much, of what, and how many seconds are left; zeros unless it is running."""
    progress = experiment["progress"]
    if experiment["status"] != "running":
        return 0, 0, "", None
    return progress["done"] or 0, progress["total"] or 0, progress["unit"] or "", progress["eta_seconds"]


def duration(seconds: float) -> str:
    """Seconds for people: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
