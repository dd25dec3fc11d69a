"""An attempt's process and its template."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from db.settings import Settings
from tests.reliability.processes import is_alive
from tests.worker.conftest import wait_until
from tests.worker.forked import STATUS
from tests.worker.forking import FORKED
from worker.assignment import Assignment
from worker.child import EXIT_LOST
from worker.process import AttemptProcess, Template


@pytest.fixture
def template() -> Iterator[Template]:
    template = Template(FORKED)
    yield template
    template.end()


@pytest.fixture
def assignment(settings: Settings, tmp_path: Path) -> Assignment:
    return Assignment(
        settings=settings,
        experiment_id="exp_1",
        kind="any",
        token=uuid4(),
        attempt=1,
        scratch=tmp_path,
        request_id=None,
        worker="test",
        device="cpu",
    )


def run_to_end(template: Template, assignment: Assignment) -> int | None:
    process = AttemptProcess(template, assignment.kind, assignment)
    wait_until(lambda: process.has_ended(0.05), "the process ends")
    return process.end(0.1)


def pids(assignment: Assignment) -> list[int]:
    path = assignment.scratch / "pids"
    wait_until(lambda: path.exists() and bool(path.read_text()), "the process wrote its number down")
    return [int(pid) for pid in path.read_text().split()]


def of_kind(assignment: Assignment, kind: str) -> Assignment:
    return assignment.model_copy(update={"kind": kind})


def template_process() -> psutil.Process:
    (process,) = (p for p in psutil.Process().children() if FORKED[-1] in " ".join(p.cmdline()))
    return process


@pytest.mark.parametrize("kind", ["any", "can't be imported"])
def test_one_template_forks_processes_which_end_with_their_own_status(
    template: Template, assignment: Assignment, kind: str
) -> None:
    assert [run_to_end(template, of_kind(assignment, kind)) for _ in range(3)] == [STATUS] * 3
    assert int((assignment.scratch / "session").read_text()) not in (os.getsid(0), template_process().pid)


def test_a_process_that_ignores_the_request_to_end_is_killed_with_what_it_started(
    template: Template, assignment: Assignment
) -> None:
    process = AttemptProcess(template, "is stubborn", of_kind(assignment, "is stubborn"))
    assert not process.has_ended(0)
    wait_until(lambda: not process.has_ended(0.05) and (assignment.scratch / "pids").exists(), "it runs")
    family = pids(assignment)
    assert process.end(0.2) == -signal.SIGKILL
    wait_until(lambda: not any(is_alive(pid) for pid in family), "both are gone")


def test_a_process_that_takes_the_request_ends_by_it(template: Template, assignment: Assignment) -> None:
    process = AttemptProcess(template, "waits", of_kind(assignment, "waits"))
    wait_until(lambda: not process.has_ended(0.05) and (assignment.scratch / "pids").exists(), "it runs")
    assert process.end(10) == -signal.SIGTERM


def test_an_attempt_is_ended_while_the_template_still_imports(
    template: Template, assignment: Assignment
) -> None:
    process = AttemptProcess(template, "imports slowly", of_kind(assignment, "imports slowly"))
    assert not process.has_ended(0.5)
    began = time.monotonic()
    assert process.end(30) == -signal.SIGKILL
    assert time.monotonic() - began < 5
    assert not (assignment.scratch / "session").exists()
    assert run_to_end(template, assignment) == STATUS


def test_a_template_that_dies_on_an_import_is_the_attempts_death_and_another_takes_its_place(
    template: Template, assignment: Assignment
) -> None:
    assert run_to_end(template, of_kind(assignment, "dies on import")) == -signal.SIGKILL
    assert run_to_end(template, assignment) == STATUS


def test_a_process_outlives_its_template(template: Template, assignment: Assignment) -> None:
    process = AttemptProcess(template, "waits", of_kind(assignment, "waits"))
    wait_until(lambda: not process.has_ended(0.05) and (assignment.scratch / "pids").exists(), "it runs")
    template_process().kill()
    assert not process.has_ended(0.2)
    (pid,) = pids(assignment)
    assert process.end(10) is None
    assert not is_alive(pid)
    assert run_to_end(template, assignment) == STATUS


def test_a_template_and_its_process_end_with_a_killed_worker(assignment: Assignment) -> None:
    waiting = of_kind(assignment, "waits")
    worker = subprocess.Popen([sys.executable, "-m", "tests.worker.forking", waiting.model_dump_json()])
    (pid,) = pids(waiting)
    (template,) = psutil.Process(worker.pid).children()
    worker.kill()
    worker.wait()
    wait_until(lambda: not is_alive(template.pid) and not is_alive(pid), "both are gone")


def test_two_attempts_at_once_get_their_own_processes(template: Template, assignment: Assignment) -> None:
    statuses: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(run_to_end(template, assignment))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [STATUS] * 4


def test_a_process_without_an_assignment_ends(settings: Settings, tmp_path: Path) -> None:
    """Its supervisor was gone before it could give one."""
    template = Template()
    reading, writing = os.pipe()
    os.close(writing)
    answer = template.start("ingest", reading)
    os.close(reading)
    pid = int(os.read(answer, 32))
    status = template.collect(pid)
    assert int(os.read(status, 32)) == EXIT_LOST
    for descriptor in (answer, status):
        os.close(descriptor)
    template.end()
