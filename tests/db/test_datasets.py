"""Datasets: found by id or name, listed in pages, kept while in use."""

import pytest

from db import datasets, experiments
from db.errors import ConflictError, NotFoundError
from db.session import Database
from db.tables import Dataset, Experiment
from tests.db.conftest import new_dataset


def test_a_dataset_is_found_by_id_and_by_name(database: Database, dataset: Dataset) -> None:
    with database.session() as session:
        assert datasets.get(session, dataset.id).name == "letters"
        assert datasets.get(session, "letters").id == dataset.id
        assert datasets.exists(session, "letters")


def test_a_dataset_named_like_an_id_never_hides_the_one_with_that_id(
    database: Database, dataset: Dataset
) -> None:
    with database.session() as session:
        datasets.add(session, new_dataset(dataset.id), [])
    with database.session() as session:
        assert datasets.get(session, dataset.id).name == "letters"


def test_a_name_is_given_once(database: Database, dataset: Dataset) -> None:
    with pytest.raises(ConflictError, match="another name"), database.session() as session:
        datasets.add(session, new_dataset("letters"), [])


def test_pages_show_every_dataset_once_in_either_order(database: Database) -> None:
    with database.session() as session:
        ids = [datasets.add(session, new_dataset(f"d{i}"), []).id for i in range(5)]
    for order, expected in (("asc", sorted(ids)), ("desc", sorted(ids, reverse=True))):
        seen: list[str] = []
        cursor = None
        while True:
            with database.session() as session:
                page = datasets.page(
                    session, limit=2, cursor=cursor, order="asc" if order == "asc" else "desc"
                )
            seen += [row.id for row in page.rows]
            if not page.has_more:
                break
            cursor = page.next_cursor
        assert seen == expected


def test_sources_keep_their_order(database: Database, dataset: Dataset) -> None:
    with database.session() as session:
        first = datasets.sources_page(session, dataset.id, limit=1)
        second = datasets.sources_page(session, dataset.id, limit=1, cursor=first.next_cursor)
    assert [row.name for row in first.rows + second.rows] == ["a", "b"]
    assert second.next_cursor is None


def test_a_dataset_in_use_is_kept(database: Database, dataset: Dataset, experiment: Experiment) -> None:
    with pytest.raises(ConflictError, match="unfinished"), database.session() as session:
        datasets.delete(session, dataset.id)


def test_a_deleted_dataset_leaves_its_experiments(
    database: Database, dataset: Dataset, experiment: Experiment
) -> None:
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)
        assert datasets.delete(session, "letters") == dataset.storage_key
    with database.session() as session:
        assert experiments.get(session, experiment.id).dataset_id is None
        assert not datasets.sources_page(session, dataset.id).rows


def test_an_unknown_dataset_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError), database.session() as session:
        datasets.delete(session, "nothing")
