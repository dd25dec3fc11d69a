"""Rows to start from."""

import pytest

from db import datasets, experiments
from db.datasets import NewDataset, NewSource
from db.experiments import NewExperiment
from db.session import Database
from db.tables import Dataset, Experiment


def new_dataset(name: str) -> NewDataset:
    """What is known of a small dataset."""
    dataset_id = datasets.new_dataset_id()
    return NewDataset(
        id=dataset_id,
        name=name,
        format="jsonl",
        num_documents=2,
        num_sources=2,
        num_bytes=10,
        sha256="0" * 64,
        storage_key=f"datasets/{dataset_id}/corpus.parquet",
        storage_sha256="1" * 64,
    )


@pytest.fixture
def dataset(database: Database) -> Dataset:
    """A dataset of two sources."""
    sources = [NewSource(name=name, num_documents=1, num_words=5) for name in ("a", "b")]
    with database.session() as session:
        return datasets.add(session, new_dataset("letters"), sources)


@pytest.fixture
def experiment(database: Database, dataset: Dataset) -> Experiment:
    """A queued experiment on the dataset."""
    new = NewExperiment(kind="train", config={}, seed=3, dataset_id=dataset.id, backbone_id="minilm")
    with database.session() as session:
        return experiments.add(session, new)
