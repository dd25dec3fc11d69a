"""One event per line, from whatever library and thread it comes."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROLOGUE = """
import logging, threading, structlog
from db.logs import bind_experiment, bind_request, current_request_id, set_up_logging
from db.settings import Settings
log = logging.getLogger("worker.child")
"""


def logged(script: str, *, process: str = "'worker', worker='w'", **settings: str) -> list[str]:
    """Lines that a process writes to standard error."""
    chosen = {"log_format": "json", **settings}
    setup = f"set_up_logging(Settings(**{chosen!r}), {process})\n"
    words = [sys.executable, "-c", PROLOGUE + setup + script]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False).stderr.splitlines()


def parsed(script: str, **options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(script, **options)]


def test_every_library_and_thread_writes_the_same_fields() -> None:
    lines = parsed("""
log.info("%s begins", "exp_1")
structlog.get_logger("api").warning("slow", seconds=3)
logging.getLogger("celery.worker").error("gone")
thread = threading.Thread(target=lambda: log.info("from a thread"))
thread.start(); thread.join()
""")
    assert [line["event"] for line in lines] == ["exp_1 begins", "slow", "gone", "from a thread"]
    assert [line["level"] for line in lines] == ["info", "warning", "error", "info"]
    assert [line["logger"] for line in lines] == ["worker.child", "api", "celery.worker", "worker.child"]
    assert {(line["process"], line["worker"]) for line in lines} == {("worker", "w")}
    assert all(line["timestamp"].endswith("Z") and line["timestamp"][10] == "T" for line in lines)
    assert lines[1]["seconds"] == 3


def test_lines_within_the_block_carry_the_experiment_and_its_request() -> None:
    inside, outside = parsed("""
with bind_experiment("exp_1", attempt=2, request_id="abc"):
    log.info("inside")
log.info("outside")
""")
    assert (inside["experiment"], inside["attempt"], inside["request_id"]) == ("exp_1", 2, "abc")
    assert not {"experiment", "attempt", "request_id"} & set(outside)


def test_the_fields_of_a_job_are_in_every_line_of_its_process() -> None:
    job = "'job', worker='w', experiment='exp_1', attempt=1, request_id='abc'"
    (line,) = parsed(
        "thread = threading.Thread(target=lambda: log.info('x')); thread.start(); thread.join()", process=job
    )
    assert {name: line[name] for name in ("process", "experiment", "attempt", "request_id", "worker")} == {
        "process": "job",
        "experiment": "exp_1",
        "attempt": 1,
        "request_id": "abc",
        "worker": "w",
    }


def test_a_request_is_bound_until_another_is() -> None:
    (line,) = parsed("""
assert current_request_id() is None
bind_request("one"); bind_request("two")
log.info("x", extra={"unknown": 1})
assert current_request_id() == "two"
""")
    assert line["request_id"] == "two"


def test_an_exception_is_one_line_without_what_it_quotes() -> None:
    caught, uncaught_in_thread, uncaught = parsed("""
def fail(text):
    return int(text)
try:
    fail("a secret passage")
except ValueError:
    log.exception("failed")
thread = threading.Thread(target=fail, args=("a secret passage",), name="reporter")
thread.start(); thread.join()
fail("a secret passage")
""")
    for line in (caught, uncaught_in_thread, uncaught):
        assert line["error_type"] == "ValueError"
        assert "in fail" in line["exception"]
        assert "passage" not in line["exception"].replace('fail("a secret passage")', "")
    assert uncaught_in_thread["event"] == "uncaught exception in thread reporter"
    assert uncaught["level"] == "critical"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_key_is_blackened_wherever_in_a_line_it_is(log_format: str) -> None:
    key = "sip_" + "aZ09_-" * 7 + "x"
    script = f"""
structlog.get_logger("api").info("request", path="/models/{key}/default")
log.info("%s", "{key}")
log.error("x", exc_info=OSError("no file {key}"))
"""
    lines = logged(script, log_format=log_format)
    assert "\n".join(lines).count("sip_…") == 3
    assert key[4:] not in "\n".join(lines)


def test_warnings_are_lines_too() -> None:
    (line,) = parsed("import warnings; warnings.warn('old')")
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")


def test_debug_is_for_our_own_lines() -> None:
    lines = parsed("log.debug('ours'); logging.getLogger('botocore').debug('headers')", log_level="debug")
    assert [line["event"] for line in lines] == ["ours"]


def test_off_a_terminal_auto_means_json_and_console_is_for_people() -> None:
    assert parsed("log.info('x')", log_format="auto")[0]["event"] == "x"
    (line,) = logged("log.info('x')", log_format="console")
    assert "x" in line
    assert not line.startswith("{")
