"""The README says what is so: its requests work as they stand, and its table of settings is complete."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client import Client
from db.settings import Settings
from tests.cli.service import RunningService, running_service
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
TRAINING_SECONDS = 150.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("readme") / "data") as service:
        yield service


def requests() -> list[str]:
    """The README's `curl` commands, in order."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL)
    return [block.strip() for block in blocks if block.strip().startswith("curl ")]


def ask(command: str, service: RunningService, folder: Path) -> dict[str, Any]:
    """Run a command of the README in a shell, against the test's service; its answer."""
    assert ADDRESS in command
    words = ["sh", "-c", command.replace(ADDRESS, service.url)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "title" not in answer, answer
    return answer


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's requests need curl")
def test_the_five_requests_work_one_after_the_other(service: RunningService, tmp_path: Path) -> None:
    write_small_corpus(tmp_path / "corpus.jsonl")
    upload, train, poll, classify, embed = requests()

    assert ask(upload, service, tmp_path)["num_sources"] == NUM_SOURCES
    experiment = ask(train, service, tmp_path)
    assert experiment["status"] == "queued"
    assert "eval/accuracy" in final_metrics(poll, service, tmp_path)
    with Client(service.url) as client:
        client.wait(experiment["id"], timeout_seconds=TRAINING_SECONDS)
    results = ask(classify, service, tmp_path)["results"]
    assert [len(result["distribution"]) for result in results] == [3, 3]
    assert len(ask(embed, service, tmp_path)["data"][0]["embedding"]) == 384


def final_metrics(poll: str, service: RunningService, folder: Path) -> set[str]:
    """Names that polling brings, as the README says to poll."""
    since = 0
    for _ in range(int(TRAINING_SECONDS / 30)):
        page = ask(poll.replace("since=0", f"since={since}"), service, folder)
        if page["data"]:
            return {row["name"] for row in page["data"]}
        since = page["next_since"]
    return set()


def test_the_table_of_settings_names_every_setting() -> None:
    named = re.findall(r"^\| `SIP_(\w+)` \|", README, re.MULTILINE)
    assert named == [name.upper() for name in Settings.model_fields]


def test_every_page_and_folder_it_names_is_there() -> None:
    root = Path(__file__).parents[1]
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    folders = re.findall(r"`(\w+/)`", README)
    assert [name for name in (*linked, *folders) if not (root / name).exists()] == []
