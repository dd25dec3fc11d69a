"""What nobody needs is found, and nothing that somebody does."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from db import experiments, garbage, loose_files
from db.metrics import NewMetric, append
from db.session import Database
from db.storage import ArtifactStore
from db.tables import Artifact, Dataset, Experiment, Metric, MetricSeries
from tests.servers.s3 import S3Server, environment

TOMORROW = timedelta(hours=25)


@pytest.fixture
def s3_store(s3: S3Server, tmp_path: Path) -> Iterator[ArtifactStore]:
    """A store on an S3 server."""
    bucket = f"bucket-{uuid4().hex[:8]}"
    s3.make_bucket(bucket)
    with environment(s3.environment):
        yield ArtifactStore(f"s3://{bucket}/prefix", tmp_path / "downloads")


@pytest.fixture(params=["folder", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """A store in a folder, and one on an S3 server."""
    if request.param == "folder":
        return ArtifactStore(str(tmp_path / "store"), tmp_path / "downloads")
    store: ArtifactStore = request.getfixturevalue("s3_store")
    return store


def put(store: ArtifactStore, tmp_path: Path, *keys: str) -> None:
    """Store a small file under each key."""
    source = tmp_path / "source"
    source.write_bytes(b"content")
    for key in keys:
        store.put_file(key, source)


def test_files_without_a_row_are_found_once_they_are_a_day_old(
    any_store: ArtifactStore, database: Database, dataset: Dataset, experiment: Experiment, tmp_path: Path
) -> None:
    artifact = f"experiments/{experiment.id}/1/report.json"
    checkpoint = f"experiments/{experiment.id}/checkpoints/1-2"
    with database.session() as session:
        session.add(
            Artifact(
                experiment_id=experiment.id,
                name="report.json",
                media_type="application/json",
                bytes=7,
                sha256="0" * 64,
                storage_key=artifact,
            )
        )
        kept = {"checkpoint_key": checkpoint, "checkpoint_sha256": "0" * 64}
        session.execute(update(Experiment).values(kept))
        loose_files.note(session, ["models/mdl_1"], keep_seconds=3600)
        loose_files.note(session, ["models/mdl_2"])
    needed = [dataset.storage_key, artifact, checkpoint, "models/mdl_1/model.json"]
    garbage_keys = ["datasets/gone/corpus.parquet", f"{checkpoint}0", "models/mdl_10/x", "models/mdl_2/x"]
    put(any_store, tmp_path, *needed, *garbage_keys)
    now = datetime.now(UTC)
    assert list(garbage.unaccounted_files(database, any_store, now)) == []
    found = list(garbage.unaccounted_files(database, any_store, now + TOMORROW))
    assert sorted(leftover.name for leftover in found) == sorted(garbage_keys)
    assert {leftover.num_bytes for leftover in found} == {7}


def test_the_checkpoint_of_an_experiment_that_succeeded_is_garbage(
    any_store: ArtifactStore, database: Database, experiment: Experiment, tmp_path: Path
) -> None:
    key = f"experiments/{experiment.id}/checkpoints/1-1"
    put(any_store, tmp_path, key)
    with database.session() as session:
        values = {"checkpoint_key": key, "checkpoint_sha256": "0" * 64, "status": "succeeded"}
        session.execute(update(Experiment).values(values))
    found = garbage.unaccounted_files(database, any_store, datetime.now(UTC) + TOMORROW)
    assert [leftover.name for leftover in found] == [key]


def test_copies_and_leftovers_of_two_days_go_and_those_in_use_stay(
    database: Database, dataset: Dataset, experiment: Experiment, tmp_path: Path
) -> None:
    old = datetime.now(UTC).timestamp() - 2 * 86_400
    downloads, scratch = tmp_path / "downloads", tmp_path / "scratch"
    used, unused = downloads / dataset.storage_key, downloads / "models" / "mdl_1" / "model.json"
    abandoned, running = scratch / "corpus-1" / "corpus.partial", scratch / f"{experiment.id}-1" / "model"
    young = scratch / "model-1.zip"
    for path in (used, unused, abandoned, running, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
        if path is not young:
            os.utime(path, (old, old))
    with database.session() as session:
        claim = {"status": "running", "claim_token": uuid4(), "lease_expires_at": func.now()}
        session.execute(update(Experiment).values(claim))
    now = datetime.now(UTC)
    copies = list(garbage.unused_copies(database, downloads, now))
    leftovers = list(garbage.abandoned_files(database, scratch, now))
    assert [leftover.name for leftover in copies] == [str(unused)]
    assert [leftover.name for leftover in leftovers] == [str(abandoned)]
    garbage.remove_local(copies[0], downloads)
    assert used.exists()
    assert not unused.parent.exists()
    assert downloads.exists()


def test_metrics_of_long_ended_experiments_go_and_others_stay(
    database: Database, dataset: Dataset, experiment: Experiment
) -> None:
    with database.session() as session:
        new = experiments.NewExperiment(kind="train", config={}, seed=1, dataset_id=dataset.id)
        other = experiments.add(session, new)
        for row in (experiment, other):
            append(session, row, "letters", [NewMetric(name="loss", value=1.0, step=n) for n in range(5)])
        long_ago = {"status": "failed", "finished_at": func.now() - timedelta(days=8)}
        session.execute(update(Experiment).where(Experiment.id == experiment.id).values(long_ago))
    with database.session() as session:
        assert garbage.count_old_metrics(session, 9) == 0
        assert garbage.count_old_metrics(session, 7) == 5
    assert garbage.delete_old_metrics(database, 7) == 5
    with database.session() as session:
        assert set(session.scalars(select(MetricSeries.experiment_id))) == {other.id}
        assert session.scalar(select(func.count()).select_from(Metric)) == 5
