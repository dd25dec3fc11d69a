"""What a session sees and adds to, by who looks through it."""

import pytest

from db import claims, datasets, experiments, keys, models, needs
from db.errors import ConflictError, NotFoundError
from db.experiments import NewExperiment
from db.keys import Scope, Terms
from db.models import NewModel
from db.needs import NewChild
from db.owners import Viewer
from db.session import Database
from db.states import Queue
from db.tables import ApiKey, Dataset, Experiment
from tests.db.conftest import new_dataset
from tests.db.test_claims import take

ANN, BOB = Viewer("key_ann", sees_all=False), Viewer("key_bob", sees_all=False)
ADMIN = Viewer("key_admin", sees_all=True)


def add(database: Database, viewer: Viewer, name: str) -> str:
    with database.seen_by(viewer).session() as session:
        return datasets.add(session, new_dataset(name), []).id


def found(database: Database, viewer: Viewer, reference: str) -> str | None:
    with database.seen_by(viewer).session() as session:
        try:
            return datasets.get(session, reference).id
        except NotFoundError:
            return None


def test_a_name_is_taken_for_its_owner_alone(database: Database) -> None:
    anns, bobs = add(database, ANN, "letters"), add(database, BOB, "letters")
    assert (found(database, ANN, "letters"), found(database, BOB, "letters")) == (anns, bobs)
    assert (found(database, ANN, bobs), found(database, BOB, anns)) == (None, None)
    with pytest.raises(ConflictError):
        add(database, ANN, "letters")


def test_who_sees_all_finds_its_own_first_and_then_the_oldest(database: Database) -> None:
    anns = add(database, ANN, "letters")
    add(database, BOB, "letters")
    assert found(database, ADMIN, "letters") == anns
    own = add(database, ADMIN, "letters")
    assert found(database, ADMIN, "letters") == own
    assert found(database, ADMIN, anns) == anns
    assert found(database, Viewer(), "letters") is not None


def test_children_belong_to_whom_their_parent_does(database: Database) -> None:
    dataset = add(database, ANN, "letters")
    new = NewExperiment(kind="suite", config={}, seed=0, dataset_id=None)
    with database.seen_by(ANN).session() as session:
        parent = experiments.add(session, new)
    claim = take(database, parent)
    child = NewChild(
        name="a", kind="train", config={}, seed=0, dataset_id=dataset, backbone_id=None, queue=Queue.CPU
    )
    with database.session() as session:
        claims.wait_for_children(session, claim, [child])
    for viewer, number in ((ANN, 1), (BOB, 0)):
        with database.seen_by(viewer).session() as session:
            assert len(experiments.page(session, parent_id=parent.id).rows) == number
    with database.seen_by(BOB).session() as session, pytest.raises(NotFoundError):
        needs.lock_family(session, parent.id)


@pytest.mark.parametrize(("scope", "is_default"), [(Scope.WRITE, False), (Scope.ADMIN, True)])
def test_versions_count_by_owner_and_only_an_admin_s_first_model_is_for_all(
    database: Database, dataset: Dataset, scope: Scope, is_default: bool
) -> None:
    with database.session() as session:
        owner = keys.create(session, b"secret", "ann", [scope]).id

    def publish(owner: str) -> tuple[int, bool]:
        with database.seen_by(Viewer(owner)).session() as session:
            made = experiments.add(
                session, NewExperiment(kind="train", config={}, seed=0, dataset_id=dataset.id)
            )
            new = NewModel(
                id=models.new_model_id(), name="m", storage_key=made.id, files={}, card={}, sources=[]
            )
            row = models.publish(session, new, experiment_id=made.id, dataset_id=None)
            return row.version, row.is_default

    assert [publish(owner), publish(owner)] == [(1, is_default), (2, False)]
    assert publish("") == (1, not is_default)
    with database.seen_by(Viewer(owner, sees_all=False)).session() as session:
        assert models.get(session, "m").version == 2
        assert models.get(session, "m@1").owner == owner
        assert models.get(session, "default").is_default


def test_a_key_may_share_what_another_one_owns(database: Database) -> None:
    with database.session() as session:
        first = keys.create(session, b"secret", "first", [Scope.WRITE])
        second = keys.create(session, b"secret", "second", [Scope.READ], terms=Terms(shares_with=first.id))
        third = keys.create(session, b"secret", "third", [Scope.READ], terms=Terms(shares_with=second.id))
        owners = {session.get_one(ApiKey, new.id).owner for new in (first, second, third)}
    assert owners == {first.id}
    with database.session() as session, pytest.raises(NotFoundError):
        keys.create(session, b"secret", "x", [Scope.READ], terms=Terms(shares_with="key_none"))


def test_what_was_there_before_owners_belongs_to_nobody(database: Database, experiment: Experiment) -> None:
    assert experiment.owner == ""
    with database.seen_by(ANN).session() as session, pytest.raises(NotFoundError):
        experiments.get(session, experiment.id)
