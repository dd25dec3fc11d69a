import io

import pytest
from rich.console import Console

from cli.terminal import Terminal
from cli.watching import watch
from client.answers import Experiment, Metric, Progress, Status
from client.progress import count_of, describe_children, describe_loss
from client.update import Update


def an_experiment(status: Status, phase: str | None = None, done: int = 0) -> Experiment:
    progress = Progress(phase=phase, done=done, total=100, unit="chunks", eta_seconds=9.0)
    return Experiment(
        id="exp_0",
        kind="train",
        name=None,
        status=status,
        dataset="ds_0",
        model=None,
        backbone="minilm",
        config={},
        seed=0,
        progress=progress,
        metrics={},
        error=None,
        attempt=1,
        artifacts=[],
        created_at="",
        started_at=None,
        finished_at=None,
    )


def a_metric(name: str, value: float | None) -> Metric:
    return Metric(
        experiment="exp_0",
        name=name,
        value=value,
        step=0,
        split=None,
        layer=None,
        seed=0,
        backbone=None,
        dataset=None,
        recorded_at="",
    )


UPDATES = [
    Update(an_experiment("queued"), []),
    Update(an_experiment("running", "extracting features", 10), []),
    Update(an_experiment("running", "extracting features", 60), []),
    Update(an_experiment("running", "training", 50), [a_metric("train/loss", 0.5)]),
    Update(an_experiment("succeeded"), [a_metric("validation/loss", 0.75)]),
]


def test_outside_a_terminal_each_phase_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    experiment, rows = watch(Terminal(), UPDATES, clock=lambda: 0.0)
    assert experiment["status"] == "succeeded"
    assert [row["name"] for row in rows] == ["train/loss", "validation/loss"]
    assert capsys.readouterr().out.splitlines() == [
        "  queued",
        "  extracting features, 10/100 chunks (10%), 9 s left",
        "  training, 50/100 chunks (50%), 9 s left, loss 0.5000",
    ]


def test_a_long_phase_is_reported_again_after_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 1.0, 17.0])
    watch(Terminal(), UPDATES[:3], clock=lambda: next(times))
    assert "60/100" in capsys.readouterr().out


def test_on_a_terminal_every_phase_keeps_its_bar() -> None:
    terminal = Terminal()
    screen = io.StringIO()
    terminal.out = Console(file=screen, force_terminal=True, width=120, highlight=False)
    terminal.is_interactive = True
    watch(terminal, UPDATES)
    shown = screen.getvalue()
    assert "extracting features" in shown
    assert "50/100 chunks" in shown


def test_a_loss_that_is_not_a_number_is_left_out() -> None:
    assert (
        describe_loss([a_metric("train/loss", None), a_metric("validation/loss", 1.0)]) == "validation 1.0000"
    )


def test_nothing_to_watch_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        watch(Terminal(), [])


def test_children_are_counted_by_status() -> None:
    experiment = an_experiment("running", "children")
    assert describe_children(experiment) == ""
    experiment["children"] = {"running": 2, "failed": 1}
    assert describe_children(experiment) == "1 failed · 2 running"


@pytest.mark.parametrize(("done", "total", "said"), [(3, 10, "3/10 files"), (3, 0, "3 files"), (0, 1, "")])
def test_a_count_is_said_where_it_says_something(done: int, total: int, said: str) -> None:
    assert count_of(done, total, "files") == said
