"""Every code block of the README and of the pages does what it stands for."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client import Client
from tests.cli.service import RunningService, running_service
from tests.docs.blocks import LANGUAGES, Block, blocks_of, pages
from tests.docs.checking import check_shell
from tests.docs.marked import MARKS, Mark
from tests.docs.running import BlockFailedError, PageRun
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus

Answer = dict[str, Any]

CORPORA = ("books", "articles")
"""Datasets that pages take for granted."""
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the pages' requests need curl")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with the corpora that the pages name and, as the default, a model of the first."""
    folder = tmp_path_factory.mktemp("pages")
    corpus = write_small_corpus(folder / "corpus.jsonl")
    with running_service(folder / "data") as service:
        with Client(service.url) as client:
            for name in CORPORA:
                client.datasets.upload(corpus, name)
            trained = client.experiments.create("train", CORPORA[0], name=CORPORA[0])
            assert client.wait(trained["id"], timeout_seconds=240)["status"] == "succeeded"
        yield service


@needs_curl
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [page for page in pages() if next(blocks_of(page), None)])
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: str, service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_small_corpus(tmp_path / "corpus.jsonl")
    run = PageRun(tmp_path, service.url)
    for block in blocks_of(page):
        run.run(block)
    if page == "README.md":
        check_the_five_requests(*run.answers[:5])


def check_the_five_requests(
    dataset: Answer, experiment: Answer, metrics: Answer, classified: Answer, embedded: Answer
) -> None:
    """They bring what the README says they do."""
    assert dataset["num_sources"] == NUM_SOURCES
    assert (experiment["kind"], experiment["status"]) == ("train", "queued")
    assert "eval/accuracy" in {row["name"] for row in metrics["data"]}
    assert [len(result["distribution"]) for result in classified["results"]] == [3, 3]
    assert len(embedded["data"][0]["embedding"]) == 384


@pytest.mark.parametrize("page", pages())
def test_every_block_says_what_language_it_is(page: str) -> None:
    assert [block.place for block in blocks_of(page) if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: f"{mark.page}: {mark.contains}")
def test_every_mark_marks_a_block(mark: Mark) -> None:
    assert any(mark.contains in block.code for block in blocks_of(mark.page))


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("sip nothing", "No such command"),
        ("sip serve --nothing", "No such option"),
        (".venv/bin/sip experiments create suite --presets honesty", "No such option"),
        ("make nothing", "No rule to make target"),
        ("python -m benchmarks.nothing", "benchmarks.nothing"),
        ("if true", "exit status"),
    ],
)
def test_a_block_that_is_only_checked_is_refused_with_its_mistake(code: str, complaint: str) -> None:
    with pytest.raises(Exception, match=complaint):
        check_shell(code)


@needs_curl
@pytest.mark.parametrize(
    ("language", "code", "complaint"),
    [
        ("sh", "sip models show nothing", "exit code 1"),
        ("sh", "curl -s http://127.0.0.1:8000/models/nothing", "404"),
        ("python", "assert 1 == 2", "AssertionError"),
        ("json", '{"kind": "train", "dataset": "books", "config": {"chunk": {"words": 3}}}', "chunk.words"),
        ("yaml", "a: [", "while parsing"),
    ],
)
def test_a_block_that_fails_is_named(
    language: str, code: str, complaint: str, service: RunningService, tmp_path: Path
) -> None:
    with pytest.raises(BlockFailedError, match=complaint) as caught:
        PageRun(tmp_path, service.url).run(Block("page.md", 7, language, code))
    assert str(caught.value).startswith("page.md:7: ")
