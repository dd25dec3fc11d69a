"""An experiment's log tells what has happened to it, whoever did it."""

from db import claims, experiments, log_lines
from db.claims import Failure, Progress
from db.log_lines import Level
from db.needs import NewChild
from db.session import Database
from db.states import Queue
from db.tables import Experiment
from tests.db.test_claims import take

FAILURE = Failure("Broken", "it broke")


def lines(database: Database, experiment_id: str) -> list[tuple[int, str, str]]:
    """Attempt, level and message of each line."""
    with database.session() as session:
        page = log_lines.read(session, experiment_id)
        return [(line.attempt, line.level, line.message) for line in page.lines]


def progress(phase: str, done: int, total: int) -> Progress:
    return Progress(phase=phase, done=done, total=total, unit="texts")


def test_a_life_with_two_attempts_is_told_line_by_line(database: Database, experiment: Experiment) -> None:
    first = take(database, experiment)
    with database.session() as session:
        claims.crash(session, first, FAILURE, 3)
    second = take(database, experiment)
    for report in (progress("features", 1, 9), progress("features", 9, 9), progress("evidence", 0, 1)):
        with database.session() as session:
            claims.record(session, second, progress=report, new_metrics=[], dataset=None)
    with database.session() as session:
        claims.resume(session, second, 40)
        claims.warn(session, second, "2 of 9 sources are left out")
        claims.succeed(session, second, artifacts=[], model=None)
    assert lines(database, experiment.id) == [
        (0, "info", "accepted"),
        (1, "info", "attempt 1 begins on worker w"),
        (1, "warning", "attempt 1 ends: Broken: it broke"),
        (1, "info", "queued"),
        (2, "info", "attempt 2 begins on worker w"),
        (2, "info", "begins: features, 9 texts"),
        (2, "info", "begins: evidence"),
        (2, "info", "takes up from step 40, where an earlier attempt left a checkpoint"),
        (2, "warning", "2 of 9 sources are left out"),
        (2, "info", "succeeded"),
    ]


def test_the_reason_of_every_end_is_told(database: Database, experiment: Experiment) -> None:
    first = take(database, experiment)
    with database.session() as session:
        claims.release(session, first)
    second = take(database, experiment)
    with database.session() as session:
        claims.fail(session, second, FAILURE)
    with database.session() as session:
        experiments.retry(session, experiment.id)
    take(database, experiment, lease_seconds=0)
    with database.session() as session:
        claims.reap(session, max_attempts=1)
    messages = [(level, message) for _, level, message in lines(database, experiment.id)]
    gone = "attempt 3 ends: WorkerLost: worker w stopped answering during attempt 3"
    assert messages[2:4] == [("info", "worker w stops and gives it back"), ("info", "queued")]
    assert messages[5:9] == [
        ("error", "attempt 2 ends: Broken: it broke"),
        ("error", "failed"),
        ("info", "tried again"),
        ("info", "queued"),
    ]
    assert messages[-2:] == [("warning", gone), ("error", "failed")]


def test_a_cancellation_is_told_when_it_is_asked_for_and_when_it_is_done(
    database: Database, experiment: Experiment
) -> None:
    claim = take(database, experiment)
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)  # asked again, told once
    with database.session() as session:
        claims.release(session, claim)
    told = [message for _, _, message in lines(database, experiment.id)]
    assert told[-3:] == ["asked to stop", "worker w stops and gives it back", "cancelled"]


def test_parts_tell_what_they_belong_to_and_what_they_waited_for(
    database: Database, experiment: Experiment
) -> None:
    def child(name: str, needed: tuple[str, ...]) -> NewChild:
        return NewChild(
            name=name,
            kind="train",
            config={},
            seed=0,
            dataset_id=experiment.dataset_id,
            backbone_id=None,
            queue=Queue.CPU,
            needs=needed,
        )

    claim = take(database, experiment)
    with database.session() as session:
        claims.wait_for_children(session, claim, [child("a", ()), child("b", ("a",)), child("c", ("b",))])
    with database.session() as session:
        first, second, third = experiments.children(session, experiment.id)
    with database.session() as session:
        claims.succeed(session, take(database, first), artifacts=[], model=None)
    with database.session() as session:
        claims.fail(session, take(database, second), FAILURE)
    belongs = f"accepted as a part of {experiment.id}"
    assert lines(database, experiment.id)[-2:] == [
        (1, "info", "waits for its parts"),
        (1, "info", "queued: what it waited for is final"),
    ]
    assert lines(database, second.id)[:2] == [
        (0, "info", belongs),
        (0, "info", "queued: what it waited for is final"),
    ]
    assert lines(database, third.id)[1:] == [
        (0, "error", f"failed: it needs b ({second.id}), which has failed")
    ]


def test_lines_are_read_on_from_the_last_one_seen(database: Database, experiment: Experiment) -> None:
    with database.session() as session:
        row = experiments.get(session, experiment.id)
        log_lines.note_each(session, [(row, f"line {n}") for n in range(4)], Level.WARNING)
    with database.session() as session:
        head = log_lines.read(session, experiment.id, limit=2)
        rest = log_lines.read(session, experiment.id, since=head.lines[-1].id, limit=3)
    assert ([line.message for line in head.lines], head.has_more) == (["accepted", "line 0"], True)
    assert ([line.message for line in rest.lines], rest.has_more) == (["line 1", "line 2", "line 3"], False)
