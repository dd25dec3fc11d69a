"""The client for asyncio; what it has in common with the other is tested there."""

import asyncio
from pathlib import Path

import pytest

from client import ApiError, AsyncClient
from tests.client.stand_in import StandIn


def test_requests_are_sent_side_by_side(url: str) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(url) as sip:
            answers = await asyncio.gather(*(sip.classify(f"text {number}") for number in range(8)))
        return [answer["results"][0]["distribution"][0]["source"] for answer in answers]

    assert asyncio.run(ask()) == ["source 1"] * 8


def test_an_experiment_is_made_watched_and_its_rows_read(url: str, stand_in: StandIn) -> None:
    async def train() -> tuple[str, list[int | None], int]:
        async with AsyncClient(url) as sip:
            made = await sip.experiments.create("train", "mine")
            phases = [
                update.experiment["status"] async for update in sip.follow(made["id"], poll_seconds=0.04)
            ]
            rows = [row["step"] async for row in sip.metrics.iterate(experiment=made["id"])]
            return (await sip.wait(made["id"]))["status"], rows, len(phases)

    status, rows, num_updates = asyncio.run(train())
    assert (status, rows) == ("succeeded", [0, 1, 2])
    assert num_updates > 1
    assert len(stand_in.headers[0]["idempotency-key"]) == 36


def test_lists_of_any_length_are_read_page_by_page(url: str) -> None:
    async def count() -> int:
        async with AsyncClient(url) as sip:
            return len([source async for source in sip.models.sources("mdl_0")])

    assert asyncio.run(count()) == 1200


def test_files_are_sent_and_fetched(url: str, stand_in: StandIn, tmp_path: Path) -> None:
    corpus, report = tmp_path / "corpus.jsonl", tmp_path / "report.html"
    corpus.write_text('{"text": "a b c", "source": "x"}\n{"text": "d e f", "source": "y"}\n')

    async def exchange() -> int:
        async with AsyncClient(url) as sip:
            dataset = await sip.datasets.upload(corpus, "mine")
            made = await sip.experiments.create("train", "mine")
            assert await sip.experiments.download_report(made["id"], report) > 0
            with pytest.raises(ApiError, match="no such artifact"):
                await sip.experiments.download(made["id"], "nothing.bin", tmp_path / "nothing.bin")
            return dataset["num_documents"]

    assert asyncio.run(exchange()) == 2
    assert report.read_text().startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl", "report.html"]


def test_a_corpus_the_service_makes_is_added(url: str, stand_in: StandIn) -> None:
    async def add() -> str:
        async with AsyncClient(url) as sip:
            return (await sip.datasets.builtin("python-docs"))["name"]

    assert asyncio.run(add()) == "python-docs"
    assert stand_in.bodies == [{"name": "python-docs", "from": {"builtin": "python-docs"}}]
