"""The study in small: one request pre-trains backbones, measures them and leaves its report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Client
from client.answers import Experiment
from tests.cli.service import running_service
from tests.end_to_end.small_corpus import write_small_corpus

SIZES = ("own-nano", "own-micro")
SEEDS = 1
MEASURED = (
    "probe/linear/accuracy",
    "probe/nonlinear/accuracy",
    "probe/linear/selectivity",
    "geometry/silhouette",
    "baseline/lexical_accuracy",
)
TIMEOUT_SECONDS = 600.0

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running_service(tmp_path_factory.mktemp("study") / "data") as service, Client(service.url) as client:
        yield client


@pytest.fixture(scope="module")
def study(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The preset ksc2023, quick, on a small corpus."""
    corpus = write_small_corpus(tmp_path_factory.mktemp("corpus") / "corpus.jsonl")
    client.datasets.upload(corpus, "small")
    config = {"suite": {"preset": "ksc2023", "quick": True, "datasets": ["small"], "seeds": [0]}}
    queued = client.experiments.create("suite", config=config, name="study")
    return client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)


def test_every_child_succeeds(client: Client, study: Experiment) -> None:
    assert study["status"] == "succeeded", study["error"]
    children = client.experiments.list(parent=study["id"], limit=100)["data"]
    assert {child["status"] for child in children} == {"succeeded"}, [child["error"] for child in children]
    kinds = [child["kind"] for child in children]
    assert kinds.count("pretrain") == len(SIZES) * SEEDS
    assert kinds.count("probe") == kinds.count("geometry") == (len(SIZES) + 1) * SEEDS
    assert kinds.count("perplexity") == len(SIZES) * SEEDS  # an encoder has none


def test_each_text_went_through_each_backbone_once(client: Client, study: Experiment) -> None:
    rows = list(client.metrics.iterate(parent=study["id"], name="system/features_computed"))
    readers = {child["id"] for child in client.experiments.list(parent=study["id"], kind="features")["data"]}
    assert all(row["value"] == 0 for row in rows if row["experiment"] not in readers)
    assert all(row["value"] for row in rows if row["experiment"] in readers)


def test_every_measure_of_the_study_is_there(client: Client, study: Experiment) -> None:
    for name in MEASURED:
        rows = list(client.metrics.iterate(parent=study["id"], name=name))
        assert len({row["backbone"] for row in rows if row["backbone"]}) != 1, name
        assert len({row["experiment"] for row in rows}) == (len(SIZES) + 1) * SEEDS, name
    perplexities = [
        row["value"]
        for row in client.metrics.iterate(parent=study["id"], name="lm/perplexity")
        if row["value"] is not None
    ]
    assert min(perplexities) > 1


def test_its_report_is_one_page_with_all_figures(client: Client, study: Experiment, tmp_path: Path) -> None:
    client.experiments.download_report(study["id"], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert all(size in page for size in SIZES)
    names = {artifact["name"] for artifact in study["artifacts"]}
    assert {"report.html", "association.json", "values.csv", "summary.json"} <= names
    for figure in ("perplexity", "silhouette", "probing", "pretraining"):
        assert any(figure in name and name.endswith(".svg") for name in names), (figure, names)
    assert sum("classes" in name and name.endswith(".png") for name in names) == 2 * SEEDS, names
