"""Models: versions count up, one is the default, names lead to the newest."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db import claims, models
from db.errors import ConflictError, NotFoundError, StaleClaimError
from db.models import NewModel
from db.session import Database
from db.storage import StoredFile
from db.tables import Experiment, Model
from tests.db.test_claims import take


def publish(database: Database, experiment: Experiment, name: str) -> Model:
    """Publish a model of three sources."""
    model_id = models.new_model_id()
    prefix = f"models/{model_id}"
    new = NewModel(
        id=model_id,
        name=name,
        storage_key=prefix,
        files={"b": StoredFile(f"{prefix}/b", 2, "bb"), "a": StoredFile(f"{prefix}/a", 1, "aa")},
        card={"loss": "bce"},
        sources=["x", "y", "z"],
    )
    with database.session() as session:
        return models.publish(session, new, experiment_id=experiment.id, dataset_id=experiment.dataset_id)


def test_versions_count_up_and_the_first_model_is_the_default(
    database: Database, experiment: Experiment
) -> None:
    first, second, other = (publish(database, experiment, name) for name in ("m", "m", "n"))
    assert [(m.version, m.is_default) for m in (first, second, other)] == [(1, True), (2, False), (1, False)]
    assert (first.num_bytes, first.num_sources, first.files) == (3, 3, {"a": "aa", "b": "bb"})


def test_models_published_at_the_same_time_get_different_versions(
    database: Database, experiment: Experiment
) -> None:
    with ThreadPoolExecutor(6) as pool:
        published = list(pool.map(lambda _: publish(database, experiment, "m"), range(6)))
    assert sorted(m.version for m in published) == [1, 2, 3, 4, 5, 6]
    assert sum(m.is_default for m in published) == 1


def test_a_model_answers_to_its_id_name_version_and_default(
    database: Database, experiment: Experiment
) -> None:
    first, second = (publish(database, experiment, "m") for _ in range(2))
    with database.session() as session:
        found = {ref: models.get(session, ref).id for ref in (second.id, "m", "m@1", "default")}
    assert found == {second.id: second.id, "m": second.id, "m@1": first.id, "default": first.id}


@pytest.mark.parametrize(
    "reference", ["default", "m", "m@1", "m@", "@", "m@x", "m@99999999999999999999", "m@²", ""]
)
def test_an_unknown_reference_is_not_found(database: Database, reference: str) -> None:
    with pytest.raises(NotFoundError), database.session() as session:
        models.get(session, reference)


def test_the_default_moves_and_cannot_be_deleted(database: Database, experiment: Experiment) -> None:
    first, second = (publish(database, experiment, "m") for _ in range(2))
    with database.session() as session:
        models.set_default(session, "m@2")
        models.set_default(session, "m@2")
    with database.session() as session:
        assert models.get(session, "default").id == second.id
        assert models.delete(session, first.id) == first.storage_key
    with pytest.raises(ConflictError, match="default"), database.session() as session:
        models.delete(session, second.id)


def test_sources_come_in_pages(database: Database, experiment: Experiment) -> None:
    model = publish(database, experiment, "m")
    with database.session() as session:
        first = models.sources_page(session, model.id, limit=2)
        rest = models.sources_page(session, model.id, limit=2, cursor=first.next_cursor)
        backwards = models.sources_page(session, model.id, limit=9, order="desc")
    assert [row.name for row in first.rows + rest.rows] == ["x", "y", "z"]
    assert rest.next_cursor is None
    assert [row.number for row in backwards.rows] == [2, 1, 0]


def test_a_model_is_published_with_its_experiment_or_not_at_all(
    database: Database, experiment: Experiment
) -> None:
    claim = take(database, experiment)
    with database.session() as session:
        claims.release(session, claim)
    new = NewModel(id="mdl_x", name="m", storage_key="models/mdl_x", files={}, card={}, sources=[])
    with pytest.raises(StaleClaimError), database.session() as session:
        claims.succeed(session, claim, artifacts=[], model=new)
    with database.session() as session:
        assert not models.page(session).rows


def test_a_file_can_be_withdrawn_from_the_models_of_a_dataset(
    database: Database, experiment: Experiment
) -> None:
    first, second = (publish(database, experiment, "m") for _ in range(2))
    assert experiment.dataset_id is not None
    with database.session() as session:
        of_dataset = models.of_dataset(session, experiment.dataset_id)
        assert [model.id for model in of_dataset] == [first.id, second.id]
        keys = [models.withdraw_file(session, model, "b", 2) for model in of_dataset]
        assert not models.of_dataset(session, "ds_another")
    assert keys == [f"{first.storage_key}/b", f"{second.storage_key}/b"]
    with database.session() as session:
        left = models.get(session, first.id)
    assert (left.files, left.num_bytes) == ({"a": "aa"}, 1)
    assert left.sha256 != first.sha256
    assert left.sha256 == models._sha256_of({"a": "aa"})
