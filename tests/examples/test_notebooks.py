"""The notebooks run from top to bottom against a service, on a corpus of a few sources."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from client import Client
from tests.cli.service import RunningService, running_service
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus

EXAMPLES = Path(__file__).parents[2] / "examples"
CELL_SECONDS = 240


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("notebooks")
    with running_service(folder / "data") as service:
        with Client(service.url) as client:
            client.datasets.upload(write_small_corpus(folder / "small.jsonl"), "small")
        yield service


def outputs(name: str, folder: Path) -> str:
    """Run a notebook in a folder; everything its cells show, as text."""
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "kept without outputs"
    NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": folder}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("data", {}).get("text/plain", output.get("text", "")) for output in shown)


@pytest.mark.timeout(600)
def test_a_corpus_of_ones_own(
    service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIP_URL", service.url)
    monkeypatch.setenv("SIP_CORPUS", str(write_small_corpus(tmp_path / "corpus.jsonl")))
    shown = outputs("your_corpus.ipynb", tmp_path)
    assert f"chance {1 / NUM_SOURCES:.2f}" in shown
    assert "eval/accuracy" in shown


@pytest.mark.timeout(900)
def test_the_study(service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIP_URL", service.url)
    monkeypatch.setenv("SIP_DATASETS", "small")
    shown = outputs("study.ipynb", tmp_path)
    assert "probe/linear/accuracy" in shown
    assert "geometry/silhouette" in shown
    assert (tmp_path / "study.html").read_text(encoding="utf-8").startswith("<!")
