"""Datasets that an experiment imports: ready by its last write alone, failed by whatever else ends it."""

from uuid import uuid4

import pytest

from db import claims, datasets, experiments, loose_files
from db.claims import Claim, Failure
from db.datasets import ImportedCorpus, NewSource
from db.errors import ConflictError, StaleClaimError
from db.experiments import NewExperiment
from db.session import Database
from db.states import Status
from db.storage import folder_of
from db.tables import Dataset, Experiment

FAILURE = Failure("CorpusError", "line 3 can't be used")


@pytest.fixture
def importing(database: Database) -> Dataset:
    """A dataset whose import is queued."""
    with database.session() as session:
        dataset = datasets.begin_import(session, "letters", "jsonl")
        new = NewExperiment(kind="ingest", config={}, seed=0, dataset_id=dataset.id)
        dataset.experiment_id = experiments.add(session, new).id
        return dataset


def take(database: Database, dataset: Dataset) -> Claim:
    assert dataset.experiment_id is not None
    with database.session() as session:
        claim = claims.claim(session, dataset.experiment_id, "w", 60)
    assert claim is not None
    return claim


def read(database: Database, dataset: Dataset) -> tuple[Dataset, Experiment]:
    with database.session() as session:
        row = datasets.get(session, dataset.id)
        return row, experiments.get(session, row.experiment_id or "")


def corpus(claim: Claim, dataset: Dataset) -> ImportedCorpus:
    return ImportedCorpus(
        num_documents=2,
        num_sources=2,
        num_bytes=10,
        sha256="0" * 64,
        storage_key=f"{claim.corpus_prefix(dataset.id)}/corpus.parquet",
        storage_sha256="1" * 64,
        origin={"path": "/data/letters"},
        sources=[NewSource(name=name, num_documents=1, num_words=5) for name in ("a", "b")],
    )


def finish(database: Database, claim: Claim, dataset: Dataset) -> None:
    with database.session() as session:
        claims.publish_corpus(session, claim, corpus(claim, dataset))
        claims.succeed(session, claim, artifacts=[], model=None)


def test_an_import_makes_its_dataset_ready_with_its_sources(database: Database, importing: Dataset) -> None:
    claim = take(database, importing)
    found = corpus(claim, importing)
    with database.session() as session:
        claims.begin_storing(session, claim, folder_of(found.storage_key))
    finish(database, claim, importing)
    row, experiment = read(database, importing)
    assert (row.status, row.num_documents, row.storage_key) == ("ready", 2, found.storage_key)
    assert (row.origin, row.error_type, experiment.status) == ({"path": "/data/letters"}, None, "succeeded")
    with database.session() as session:
        assert [source.name for source in datasets.sources_page(session, row.id).rows] == ["a", "b"]
        assert loose_files.abandoned(session) == []
        assert datasets.delete(session, "letters") == found.storage_key


def test_an_attempt_that_lost_its_claim_publishes_nothing(database: Database, importing: Dataset) -> None:
    claim = take(database, importing)
    stale = Claim(claim.experiment_id, claim.kind, uuid4(), 1)
    with pytest.raises(StaleClaimError):
        finish(database, stale, importing)
    with pytest.raises(StaleClaimError), database.session() as session:
        claims.begin_storing(session, stale, "datasets/x/y")
    assert read(database, importing)[0].status == "importing"


def test_an_attempt_that_dies_leaves_its_file_to_be_swept_and_the_import_queued(
    database: Database, importing: Dataset
) -> None:
    claim = take(database, importing)
    prefix = claim.corpus_prefix(importing.id)
    with database.session() as session:
        claims.begin_storing(session, claim, prefix)
    with database.session() as session:
        assert prefix not in loose_files.abandoned(session)
        assert claims.crash(session, claim, FAILURE, max_attempts=3) is Status.QUEUED
    with database.session() as session:
        assert prefix in loose_files.abandoned(session)
    assert read(database, importing)[0].status == "importing"
    finish(database, take(database, importing), importing)
    assert read(database, importing)[0].status == "ready"


def test_an_import_that_fails_says_why_and_is_tried_again(database: Database, importing: Dataset) -> None:
    claim = take(database, importing)
    with pytest.raises(ConflictError), database.session() as session:
        experiments.retry(session, claim.experiment_id)
    with database.session() as session:
        claims.fail(session, claim, FAILURE)
    row, _ = read(database, importing)
    assert (row.status, row.error_type, row.error_message) == ("failed", *FAILURE)
    with database.session() as session:
        experiments.retry(session, claim.experiment_id)
    row, _ = read(database, importing)
    assert (row.status, row.error_type, row.error_message) == ("importing", None, None)


def test_a_dataset_is_kept_while_it_is_imported_and_can_go_when_that_failed(
    database: Database, importing: Dataset
) -> None:
    with pytest.raises(ConflictError, match="unfinished"), database.session() as session:
        datasets.delete(session, "letters")
    with database.session() as session:
        experiments.request_cancel(session, importing.experiment_id or "")
    assert read(database, importing)[0].error_type == "Cancelled"
    with database.session() as session:
        assert datasets.delete(session, "letters") == f"datasets/{importing.id}"
    with pytest.raises(ConflictError, match="deleted"), database.session() as session:
        experiments.retry(session, importing.experiment_id or "")


def test_another_experiment_never_changes_the_dataset_it_uses(
    database: Database, dataset: Dataset, experiment: Experiment
) -> None:
    with database.session() as session:
        claim = claims.claim(session, experiment.id, "w", 60)
    assert claim is not None
    with pytest.raises(ConflictError, match="isn't being imported"):
        finish(database, claim, dataset)
    with database.session() as session:
        claims.fail(session, claim, FAILURE)
    with database.session() as session:
        row = datasets.get(session, dataset.id)
    assert (row.status, row.error_type) == ("ready", None)
