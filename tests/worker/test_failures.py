"""Reasons a person can act on, in a form the database takes."""

import errno
import signal

from worker.failures import describe, describe_exit


def test_the_exception_and_its_message_are_the_reason() -> None:
    assert describe(ValueError("layers: expected 0 to 6")) == ("ValueError", "layers: expected 0 to 6")
    assert describe(KeyError()).message == "KeyError"


def test_lack_of_memory_and_disk_are_named() -> None:
    assert describe(MemoryError()).message.startswith("out of memory")
    assert describe(OSError(errno.ENOSPC, "No space left on device")).message.startswith("the disk is full")


def test_messages_the_database_would_refuse_are_made_storable() -> None:
    message = describe(ValueError("nul \0 and surrogate \ud800" + "x" * 10_000)).message
    assert "\0" not in message
    assert len(message.encode()) < 2100


def test_the_way_a_process_ended_is_told() -> None:
    assert "SIGKILL (often: out of memory)" in describe_exit(-signal.SIGKILL).message
    assert "SIGSEGV" in describe_exit(-signal.SIGSEGV).message
    assert "status 1 and no result" in describe_exit(1).message
