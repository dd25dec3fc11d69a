"""Runs the blocks of a page one after the other, in a folder and against a service of the tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from client import ApiError, Client
from client.answers import FINAL, Experiment
from tests.docs.blocks import Block
from tests.docs.checking import check_shell
from tests.docs.marked import mark_of

ADDRESS = "http://127.0.0.1:8000"
BLOCK_SECONDS = 180.0


class BlockFailedError(AssertionError):
    """A block of a page doesn't do what the page says."""


class PageRun:
    """A page's state between its blocks: a folder, the variables of its Python, a service.

    Args:
        folder: where its commands run; `.venv` in it is this Python's environment.
        url: of a service without keys.

    `answers` are the JSON objects that its shell blocks have printed, in their order.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self.answers: list[dict[str, Any]] = []
        self._names: dict[str, Any] = {"__name__": "__page__"}
        (folder / ".venv").symlink_to(sys.prefix)

    def run(self, block: Block) -> None:
        """Run one block, and wait until nothing it has started is running.

        Raises:
            BlockFailedError: what went wrong, and where the block stands.
        """
        try:
            getattr(self, f"_run_{block.language}")(block)
        except subprocess.CalledProcessError as error:
            said = (error.stdout or "") + (error.stderr or "")
            raise BlockFailedError(f"{block.place}: exit code {error.returncode}\n{said}") from error
        except Exception as error:
            raise BlockFailedError(f"{block.place}: {type(error).__name__}: {error}") from error

    def _run_text(self, block: Block) -> None:
        assert block.code.strip()

    def _run_json(self, block: Block) -> None:
        body = json.loads(block.code)
        if "kind" in body:
            with Client(self._url) as client:
                client.experiments.create(**body)
            self._cancel()

    def _run_yaml(self, block: Block) -> None:
        assert yaml.safe_load(block.code)

    def _run_python(self, block: Block) -> None:
        # padded, so that a traceback names the page's own lines
        code = "\n" * block.line + block.code.replace(ADDRESS, self._url)
        exec(compile(code, block.page, "exec"), self._names)  # the pages are ours
        self._settle()

    def _run_sh(self, block: Block) -> None:
        mark = mark_of(block.page, block.code)
        if mark is not None and mark.how == "checked":
            check_shell(block.code)
            return
        code = block.code.replace(ADDRESS, self._url)
        if mark is not None:
            code = code.replace("experiments create", "experiments create --detach")
        self._shell(code)
        if mark is None:
            self._settle()
        else:
            self._cancel()

    def _shell(self, code: str) -> None:
        path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, "SIP_URL": self._url, "PATH": path}
        done = subprocess.run(
            ["sh", "-e", "-c", code],
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BLOCK_SECONDS,
            check=True,
        )
        for answer in _answers(done.stdout):
            if "title" in answer and int(answer.get("status", 0)) >= 400:
                raise BlockFailedError(json.dumps(answer))
            self.answers.append(answer)

    def _settle(self) -> None:
        with Client(self._url) as client:
            for unfinished in self._unfinished(client):
                ended = client.wait(unfinished["id"], timeout_seconds=BLOCK_SECONDS)
                assert ended["status"] == "succeeded", ended["error"]

    def _cancel(self) -> None:
        with Client(self._url) as client:
            for experiment in self._unfinished(client):
                try:
                    client.experiments.cancel(experiment["id"])
                except ApiError as error:
                    if error.status != 409:  # it has ended meanwhile
                        raise
                client.wait(experiment["id"], timeout_seconds=BLOCK_SECONDS)

    def _unfinished(self, client: Client) -> list[Experiment]:
        listed = client.experiments.list(limit=500)["data"]
        return [each for each in listed if each["status"] not in FINAL and each.get("parent") is None]


def _answers(output: str) -> list[dict[str, Any]]:
    """The JSON objects a command printed, if it printed nothing else."""
    found: list[dict[str, Any]] = []
    decoder, rest = json.JSONDecoder(), output.strip()
    while rest.startswith("{"):
        answer, end = decoder.raw_decode(rest)
        found.append(answer)
        rest = rest[end:].strip()
    return found
