"""Promise 7: a poison job stops after 3 attempts, with its reason."""

from collections.abc import Callable

import pytest

from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until

StartWorker = Callable[[], WorkerProcess]


@pytest.mark.parametrize(
    ("kind", "message"),
    [("kill-itself", "SIGKILL"), ("leave-quietly", "status 0 and no result"), ("crash-natively", "SIGSEGV")],
)
def test_a_job_that_kills_its_process_is_given_up_and_the_queue_moves_on(
    start_worker: StartWorker, submit: Submit, read: Read, kind: str, message: str
) -> None:
    poison, harmless = submit(kind), submit("complete")
    start_worker()
    wait_until(lambda: read(harmless).status == "succeeded", "the other experiment succeeds")
    wait_until(lambda: read(poison).status == "failed", "the poison is given up")
    row = read(poison)
    assert (row.attempt, row.crashes, row.error_type) == (3, 3, "ProcessDied")
    assert message in (row.error_message or "")
    assert "given up after 3" in (row.error_message or "")


def test_a_job_that_kills_its_worker_is_given_up_and_the_queue_moves_on(
    start_worker: StartWorker, submit: Submit, read: Read
) -> None:
    poison = submit("kill-the-worker")
    victims = [start_worker() for _ in range(3)]
    for victim in victims:
        victim.wait()
    start_worker()
    wait_until(lambda: read(poison).status == "failed", "the poison is given up")
    harmless = submit("complete")
    wait_until(lambda: read(harmless).status == "succeeded", "the last worker works on")
    row = read(poison)
    assert (row.attempt, row.crashes, row.error_type) == (3, 3, "WorkerLost")
    assert "stopped answering" in (row.error_message or "")
    assert "given up after 3" in (row.error_message or "")
