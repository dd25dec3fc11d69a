"""`sip gc`, on a data folder with leftovers of every kind."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, update
from typer.testing import CliRunner, Result

from cli.main import app
from db.metrics import NewMetric, append
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Dataset, Experiment
from sip_model.backbones.segments import KEY_BYTES, write_segment
from tests.db.conftest import dataset, experiment

__all__ = ["dataset", "experiment"]

Collect = Callable[..., Result]
TWO_DAYS = 2 * 86_400


@pytest.fixture
def gc(settings: Settings) -> Collect:
    """Run `sip gc` with these words on the test's database and folder."""

    def gc(*words: str, **environment: str) -> Result:
        known = {
            "SIP_DATABASE_URL": settings.require_database_url(),
            "SIP_DATA_DIR": str(settings.data_dir),
        }
        return CliRunner().invoke(app, ["gc", *words], env=known | environment)

    return gc


@pytest.fixture
def leftovers(settings: Settings, store: ArtifactStore, dataset: Dataset, tmp_path: Path) -> list[Path]:
    """Files that nobody needs, two days old; the dataset's own file is as old."""
    source = tmp_path / "content"
    source.write_bytes(bytes(2048))
    store.put_file(dataset.storage_key, source)
    store.put_file("models/mdl_gone/model.json", source)
    paths = [
        store.local_path("models/mdl_gone/model.json"),
        settings.scratch_dir / "corpus-1" / "corpus.partial",
        settings.downloads_dir / "models" / "mdl_gone" / "model.json",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(2048))
    for path in (*paths, store.local_path(dataset.storage_key)):
        make_old(path)
    return paths


def make_old(path: Path) -> None:
    """Let a file have been written and read two days ago."""
    then = datetime.now(UTC).timestamp() - TWO_DAYS
    os.utime(path, (then, then))


def test_what_nobody_needs_goes_and_is_counted(
    gc: Collect, leftovers: list[Path], store: ArtifactStore, dataset: Dataset
) -> None:
    found = gc()
    assert found.exit_code == 0, found.output
    assert not any(path.exists() for path in leftovers)
    assert store.local_path(dataset.storage_key).exists()
    for line in (
        "removed stored files without a row: 1 (2.0 KiB)",
        "removed unused copies: 1 (2.0 KiB)",
        "removed leftovers in scratch: 1 (2.0 KiB)",
        "removed leftovers in uploads: none",
    ):
        assert line in found.stdout
    assert "removed stored files without a row: none" in gc().stdout


def test_a_dry_run_says_the_same_and_removes_nothing(gc: Collect, leftovers: list[Path]) -> None:
    dry = gc("--dry-run")
    assert dry.exit_code == 0, dry.output
    assert all(path.exists() for path in leftovers)
    assert dry.stdout.replace("would remove", "removed") == gc().stdout


def test_of_the_feature_cache_as_much_is_kept_as_was_asked_for(gc: Collect, settings: Settings) -> None:
    layer = settings.features_dir / "layer"
    for number in range(2):
        write_segment(layer, [bytes([number]) * KEY_BYTES], np.ones((1, 1024), dtype=np.float32))
    assert "feature cache" not in gc().stdout
    assert len(list(layer.iterdir())) == 4
    assert "would remove segments of the feature cache: 1 (" in gc("--dry-run", "--cache-gb", "5e-6").stdout
    assert len(list(layer.iterdir())) == 4
    gc("--cache-gb", "5e-6")
    assert len(list(layer.iterdir())) == 2
    gc("--cache-gb", "0")
    assert not layer.exists()


def test_metrics_of_long_ended_experiments_go_when_asked_for(
    gc: Collect, database: Database, experiment: Experiment
) -> None:
    with database.session() as session:
        append(session, experiment, "letters", [NewMetric(name="loss", value=1.0, step=n) for n in range(5)])
    with database.session() as session:
        ended = {"status": "failed", "finished_at": func.now() - timedelta(days=8)}
        session.execute(update(Experiment).values(ended))
    line = "metrics of experiments that ended over 7 days ago: 5"
    assert "metrics" not in gc().stdout
    assert f"would remove {line}" in gc("--dry-run", "--metrics-days", "7").stdout
    assert f"removed {line}" in gc("--metrics-days", "7").stdout
    assert f"removed {line[:-1]}none" in gc("--metrics-days", "7").stdout


def test_a_store_that_cannot_be_reached_is_named_and_nothing_removed(
    gc: Collect, leftovers: list[Path]
) -> None:
    refused = gc(SIP_ARTIFACTS_URL="nonsense://bucket/prefix")
    assert refused.exit_code == 1
    assert "SIP_ARTIFACTS_URL" in refused.stderr
    assert all(path.exists() for path in leftovers)
