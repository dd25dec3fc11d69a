"""The log of a real service and its real worker: every line of one request's work carries its id."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from client import Client
from tests.cli.service import SERVE, START_SECONDS, STOP_SECONDS, until
from tests.end_to_end.small_corpus import write_small_corpus

SECRET = "the xylophone of the unlogged passage"
TIMEOUT_SECONDS = 120.0
REQUIRED = {"timestamp", "level", "logger", "event", "process"}


@dataclass(frozen=True)
class Logged:
    """What a service wrote while it did what the fixture asked for."""

    stderr: str
    succeeded: str
    """Id of the experiment posted with `X-Request-ID: abc`."""
    failed: str
    """Id of the one posted with `X-Request-ID: def`."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stderr.splitlines()]


def post_experiment(url: str, request_id: str, dataset: str, config: dict[str, Any]) -> str:
    body = {"kind": "train", "dataset": dataset, "config": config, "name": dataset}
    answer = httpx.post(
        f"{url}/experiments", json=body, headers={"X-Request-ID": request_id}, trust_env=False, timeout=30
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def use(url: str, folder: Path) -> tuple[str, str]:
    """Train one identifier, fail to train another, ask the first; returns the experiments' ids."""
    too_short = folder / "short.jsonl"  # fewer chunks than a source needs
    rows = [{"text": f"{SECRET} {name}", "source": name} for name in ("a", "b")]
    too_short.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lexical = {"identifier": {"features": "lexical"}, "training": {"epochs": 1}}
    with Client(url) as client:
        client.datasets.upload(write_small_corpus(folder / "small.jsonl"), "small")
        client.datasets.upload(too_short, "short")
        succeeded = post_experiment(url, "abc", "small", lexical)
        failed = post_experiment(url, "def", "short", lexical)
        assert client.wait(succeeded, timeout_seconds=TIMEOUT_SECONDS)["status"] == "succeeded"
        assert client.wait(failed, timeout_seconds=TIMEOUT_SECONDS)["status"] == "failed"
        client.classify([SECRET], model="small")
    httpx.post(f"{url}/classify", json={"input": SECRET, "model": 1}, trust_env=False)
    httpx.get(f"{url}/datasets", params={"cursor": SECRET}, trust_env=False)
    return succeeded, failed


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("logs")
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            [*SERVE, "--port", "0", "--data-dir", str(folder / "data")], stdout=out, stderr=err, text=True
        )
        try:
            until(lambda: process.poll() is not None or "listens at" in read(out), START_SECONDS)
            url = read(out).split("listens at ")[1].split()[0]
            succeeded, failed = use(url, folder)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
        yield Logged(read(err), succeeded, failed)


def read(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read())


def test_every_line_is_an_object_with_the_fields_it_needs(logged: Logged) -> None:
    assert {line["process"] for line in logged.lines} == {"api", "worker", "job"}
    for line in logged.lines:
        assert set(line) >= REQUIRED, line
        assert line["process"] == "api" or line["worker"], line
        assert line["process"] != "job" or (line["experiment"] and line["attempt"] == 1), line


@pytest.mark.parametrize("process", ["api", "worker"])
def test_the_requests_id_is_in_the_lines_of_api_and_worker(logged: Logged, process: str) -> None:
    lines = [line for line in logged.lines if line.get("request_id") == "abc" and line["process"] == process]
    assert lines
    if process == "worker":
        assert {line["experiment"] for line in lines} == {logged.succeeded}
        assert {line["attempt"] for line in lines} == {1}


def test_the_requests_id_is_in_every_line_of_the_job(logged: Logged) -> None:
    for experiment, request_id in ((logged.succeeded, "abc"), (logged.failed, "def")):
        jobs = [
            line for line in logged.lines if line["process"] == "job" and line["experiment"] == experiment
        ]
        assert jobs
        assert {line["request_id"] for line in jobs} == {request_id}


def test_an_exception_in_a_job_is_one_line(logged: Logged) -> None:
    raised = [line for line in logged.lines if "exception" in line]
    assert [(line["experiment"], line["process"]) for line in raised] == [(logged.failed, "job")]
    assert "Traceback" in raised[0]["exception"]
    assert raised[0]["error_type"]


def test_neither_texts_nor_query_strings_are_logged(logged: Logged) -> None:
    assert "/classify" in logged.stderr
    assert "xylophone" not in logged.stderr
