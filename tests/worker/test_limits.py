"""What an attempt may take: time, memory and room on the disk."""

import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from db.settings import Settings
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from worker.failures import describe

PATIENCE_SECONDS = 120.0
StartWorker = Callable[[], WorkerProcess]
ALLOCATE = """
from db.process_limits import forbid_core_dumps, limit_memory
import resource, sys
forbid_core_dumps()
limit_memory(512 * 2**20)
print(resource.getrlimit(resource.RLIMIT_CORE))
kept = bytearray(64 * 2**20)
try:
    bytearray(2**30)
except MemoryError:
    print("refused")
"""


@pytest.fixture
def limits() -> dict[str, object]:
    return {"max_job_seconds": 20.0}


@pytest.fixture
def settings(settings: Settings, limits: dict[str, object]) -> Settings:
    return settings.model_copy(update=limits)


def test_an_attempt_that_takes_too_long_is_ended_and_not_tried_again(
    start_worker: StartWorker, submit: Submit, read: Read
) -> None:
    start_worker()
    endless = submit("ignore-sigterm")
    wait_until(lambda: read(endless).status == "failed", "the experiment fails", PATIENCE_SECONDS)
    row = read(endless)
    assert (row.error_type, row.attempt) == ("TimeLimit", 1)
    assert "longer than the 20 seconds" in (row.error_message or "")
    after = submit("complete")
    wait_until(lambda: read(after).status == "succeeded", "the worker goes on", PATIENCE_SECONDS)


@pytest.mark.parametrize("limits", [{"max_job_memory_bytes": 900 * 2**20}])
def test_an_attempt_that_wants_too_much_memory_fails_with_that_reason(
    start_worker: StartWorker, submit: Submit, read: Read
) -> None:
    start_worker()
    greedy = submit("allocate")
    wait_until(lambda: read(greedy).status == "failed", "the experiment fails", PATIENCE_SECONDS)
    row = read(greedy)
    assert (row.error_type, row.attempt) == ("MemoryError", 1)
    assert "out of memory" in (row.error_message or "")


@pytest.mark.parametrize("limits", [{"min_free_bytes": 2**60}])
def test_an_attempt_begins_only_where_there_is_room(
    start_worker: StartWorker, submit: Submit, read: Read
) -> None:
    start_worker()
    crowded = submit("complete")
    wait_until(lambda: read(crowded).status == "failed", "the experiment fails", PATIENCE_SECONDS)
    assert "the disk is full" in (read(crowded).error_message or "")
    assert "SIP_MIN_FREE_BYTES" in (read(crowded).error_message or "")


def test_the_kernel_holds_a_process_to_its_memory_and_keeps_no_image_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["(0, 0)", "refused", ""]
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 512 * 2**20


def test_a_processor_s_lack_of_memory_is_named_as_such() -> None:
    torchs = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
    assert describe(torchs).message.startswith("out of memory: ")
    assert describe(RuntimeError("something else")).message == "something else"
