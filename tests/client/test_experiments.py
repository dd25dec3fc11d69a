from pathlib import Path
from uuid import UUID

import pytest

from client import ApiError, Client
from tests.client.stand_in import FINAL_METRICS, StandIn


def test_only_what_was_given_is_sent(client: Client, stand_in: StandIn) -> None:
    client.experiments.create("train", "mine", config={"chunk": {"num_words": 64}}, seed=0)
    assert stand_in.bodies == [
        {"kind": "train", "dataset": "mine", "config": {"chunk": {"num_words": 64}}, "seed": 0}
    ]


def test_following_yields_every_metric_row_once_and_ends_with_the_final_state(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    updates = list(client.follow(experiment["id"], poll_seconds=0.04))
    assert [row["value"] for update in updates for row in update.rows] == [2.0, 1.0, 0.5]
    assert [update.experiment["status"] for update in updates][-2:] == ["running", "succeeded"]


def test_waiting_returns_the_final_metrics(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    assert client.wait(experiment["id"])["metrics"] == FINAL_METRICS


def test_waiting_gives_up_in_time_and_leaves_the_experiment_running(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    with pytest.raises(TimeoutError, match="exp_0 is still running after 0 s"):
        client.wait(experiment["id"], timeout_seconds=0)


def test_filters_that_are_not_given_are_not_sent(client: Client, stand_in: StandIn) -> None:
    client.experiments.list(kind="train", limit=10)
    assert stand_in.queries == [[("kind", "train"), ("limit", "10")]]


def test_a_cancelled_experiment_says_so(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    assert client.experiments.cancel(experiment["id"])["status"] == "cancelled"


def test_a_failed_experiment_is_tried_again(client: Client, stand_in: StandIn) -> None:
    stand_in.ends_as = "failed"
    experiment = client.wait(client.experiments.create("train", "mine")["id"])
    assert experiment["status"] == "failed"
    assert client.experiments.retry(experiment["id"])["status"] == "queued"
    assert client.wait(experiment["id"])["status"] == "succeeded"


def test_what_is_made_is_asked_for_with_a_key_of_ones_own_or_a_new_one(
    client: Client, stand_in: StandIn, tmp_path: Path
) -> None:
    corpus = tmp_path / "t.jsonl"
    corpus.write_text("{}")
    client.experiments.create("train", "mine")
    client.experiments.create("train", "mine", idempotency_key="mine-1")
    client.datasets.upload(corpus, "a")
    client.datasets.builtin("python-docs", idempotency_key="mine-2")
    client.datasets.from_path("/data/t.jsonl", "b")
    sent = [headers["idempotency-key"] for headers in stand_in.headers]
    assert len(set(sent)) == 5
    assert (sent[1], sent[3]) == ("mine-1", "mine-2")
    assert all(str(UUID(sent[i])) == sent[i] for i in (0, 2, 4))


def test_results_come_as_a_page_or_as_a_file(client: Client, tmp_path: Path) -> None:
    assert client.experiments.results("exp_0")["data"][0]["source"] == "a"
    target = tmp_path / "results.csv"
    assert client.experiments.download_results("exp_0", target, format="csv") == 20
    assert target.read_text() == "document,source\nd,a\n"


def test_a_report_is_written_as_a_page(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert client.experiments.download_report("exp_0", target) == target.stat().st_size > 0
    assert target.read_text().startswith("<!DOCTYPE html>")
    with pytest.raises(ApiError, match="no such experiment"):
        client.experiments.download_report("exp_9", tmp_path / "none.html")


def test_a_download_that_is_refused_leaves_no_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="no such artifact"):
        client.experiments.download("exp_0", "nothing.bin", tmp_path / "nothing.bin")
    assert list(tmp_path.iterdir()) == []
