"""Experiments that wait for others: nothing is forgotten or begins too early, a family goes as one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from db import claims, counters, datasets, experiments
from db.claims import Claim, Failure
from db.errors import ConflictError, StaleClaimError
from db.experiments import NewExperiment
from db.needs import NewChild
from db.session import Database
from db.shown import shown_status
from db.states import Queue, Status
from db.tables import Dataset, Experiment, JSONObject

FAILURE = Failure("Broken", "it broke")
Statuses = dict[str, str]


def a_child(
    name: str,
    dataset: Dataset,
    *,
    needs: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    backbone_id: str = "minilm",
) -> NewChild:
    return NewChild(
        name=name,
        kind="train",
        config={"backbone": {"id": backbone_id}},
        seed=0,
        dataset_id=dataset.id,
        backbone_id=backbone_id,
        queue=Queue.GPU,
        needs=needs,
        after=after,
    )


class Family:
    """A suite on a database, its children by name."""

    def __init__(self, database: Database, dataset: Dataset) -> None:
        self.database = database
        self.dataset = dataset
        with database.session() as session:
            new = NewExperiment(kind="suite", config={}, seed=0, dataset_id=None, queue=Queue.CPU)
            self.id = experiments.add(session, new).id

    def plan(self, *children: NewChild) -> None:
        with self.database.session() as session:
            claim = claims.claim(session, self.id, "w", 60)
            assert claim is not None
            claims.wait_for_children(session, claim, children)

    def child(self, name: str) -> Experiment:
        with self.database.session() as session:
            return next(row for row in experiments.children(session, self.id) if row.name == name)

    def suite(self) -> Experiment:
        with self.database.session() as session:
            return experiments.get(session, self.id)

    def statuses(self) -> Statuses:
        with self.database.session() as session:
            children = {str(row.name): row.status for row in experiments.children(session, self.id)}
            return {**children, "suite": experiments.get(session, self.id).status}

    def take(self, name: str) -> Claim:
        with self.database.session() as session:
            claim = claims.claim(session, self.child(name).id, "w", 60)
        assert claim is not None
        return claim

    def succeed(self, name: str) -> None:
        claim = self.take(name)
        with self.database.session() as session:
            claims.succeed(session, claim, artifacts=[], model=None)

    def fail(self, name: str) -> None:
        claim = self.take(name)
        with self.database.session() as session:
            claims.fail(session, claim, FAILURE)

    def uncalled(self) -> list[str]:
        with self.database.session() as session:
            return list(experiments.uncalled_relatives(session, self.id))


@pytest.fixture
def family(database: Database, dataset: Dataset) -> Family:
    """A suite that has yet to be planned."""
    return Family(database, dataset)


def test_a_suite_waits_and_runs_again_when_its_last_child_has_ended(family: Family) -> None:
    first, second = a_child("first", family.dataset), a_child("second", family.dataset, needs=("first",))
    family.plan(first, second)
    assert family.statuses() == {"first": "queued", "second": "waiting", "suite": "waiting"}
    assert family.uncalled() == [family.child("first").id]
    family.succeed("first")
    assert family.statuses() == {"first": "succeeded", "second": "queued", "suite": "waiting"}
    assert (family.suite().phase, family.suite().done, family.suite().total) == ("children", 1, 2)
    family.fail("second")
    assert family.statuses() == {"first": "succeeded", "second": "failed", "suite": "queued"}
    assert family.uncalled() == [family.id]
    with family.database.session() as session:
        again = claims.claim(session, family.id, "w", 60)
    assert again is not None
    assert again.attempt == 2


def test_what_waits_is_shown_as_the_statuses_that_clients_know(family: Family) -> None:
    family.plan(a_child("first", family.dataset), a_child("second", family.dataset, needs=("first",)))
    assert shown_status(family.suite()) is Status.RUNNING
    assert shown_status(family.child("second")) is Status.QUEUED
    with family.database.session() as session:
        assert experiments.num_children(session, [family.id]) == {family.id: {"queued": 2}}
        running = experiments.page(session, status="running").rows
        queued = experiments.page(session, status="queued", order="asc").rows
        assert [row.id for row in running] == [family.id]
        assert [row.name for row in queued] == ["first", "second"]
        assert experiments.page(session, status="waiting").rows == []


def test_what_waits_can_be_neither_claimed_nor_reaped_nor_called_for(family: Family) -> None:
    family.plan(a_child("first", family.dataset), a_child("second", family.dataset, needs=("first",)))
    with family.database.session() as session:
        assert claims.claim(session, family.id, "w", 60) is None
        assert claims.claim(session, family.child("second").id, "w", 60) is None
        assert claims.reap(session, 3) == []
        called = experiments.uncalled(session, older_than_seconds=0, also_called=list(Queue))
        assert list(called) == [family.child("first").id]


def test_a_need_that_failed_fails_all_that_needed_it_and_names_itself(family: Family) -> None:
    family.plan(
        a_child("first", family.dataset),
        a_child("second", family.dataset, needs=("first",)),
        a_child("third", family.dataset, needs=("second",)),
        a_child("other", family.dataset, after=("first",)),
    )
    family.fail("first")
    assert family.statuses() == {
        "first": "failed",
        "second": "failed",
        "third": "failed",
        "other": "queued",
        "suite": "waiting",
    }
    second, third = family.child("second"), family.child("third")
    assert (second.error_type, third.error_type) == ("NeedFailed", "NeedFailed")
    assert second.error_message == f"it needs first ({family.child('first').id}), which has failed"
    assert third.error_message == f"it needs second ({second.id}), which has failed"
    assert second.finished_at is not None
    with family.database.session() as session:
        assert counters.read(session).finished == {("train", Status.FAILED): 3}
    family.succeed("other")
    assert family.statuses()["suite"] == "queued"


def test_the_last_of_a_family_to_end_at_once_with_others_wakes_the_suite(family: Family) -> None:
    names = [f"child-{number}" for number in range(8)]
    family.plan(*(a_child(name, family.dataset) for name in names))
    taken = [family.take(name) for name in names]
    together = threading.Barrier(len(taken))

    def end(claim: Claim) -> None:
        together.wait()
        with family.database.session() as session:
            claims.succeed(session, claim, artifacts=[], model=None)

    with ThreadPoolExecutor(len(taken)) as pool:
        list(pool.map(end, taken))
    assert family.statuses()["suite"] == "queued"


def test_children_planned_by_a_claim_that_is_lost_are_not_there(family: Family) -> None:
    with family.database.session() as session:
        claim = claims.claim(session, family.id, "w", 60)
        assert claim is not None
        claims.release(session, claim)
    with pytest.raises(StaleClaimError), family.database.session() as session:
        claims.wait_for_children(session, claim, [a_child("first", family.dataset)])
    assert family.statuses() == {"suite": "queued"}


def test_a_plan_carried_out_again_doubles_no_child(family: Family) -> None:
    family.plan(a_child("first", family.dataset))
    with family.database.session() as session:
        session.execute(text("UPDATE experiments SET status = 'queued' WHERE kind = 'suite'"))
    with pytest.raises(ConflictError):
        family.plan(a_child("first", family.dataset))
    assert family.statuses() == {"first": "queued", "suite": "queued"}


def test_the_backbone_that_a_need_has_made_takes_its_place_in_the_configuration(family: Family) -> None:
    pretraining = a_child("pretraining", family.dataset)
    reader = a_child("reader", family.dataset, needs=("pretraining",), backbone_id="exp:pretraining")
    family.plan(pretraining, reader)
    made_by = f"exp:{family.child('pretraining').id}"
    assert (family.child("reader").backbone_id, family.child("reader").config) == (
        made_by,
        {"backbone": {"id": made_by}},
    )
    with family.database.session() as session:
        experiments.get(session, family.child("pretraining").id).backbone_id = "bb_made"
    family.succeed("pretraining")
    reading = family.child("reader")
    assert (reading.status, reading.backbone_id) == ("queued", "bb_made")
    assert reading.config == {"backbone": {"id": "bb_made"}}


def test_a_suite_is_cancelled_as_a_whole(family: Family) -> None:
    names = ("running", "queued", "done")
    family.plan(
        *(a_child(name, family.dataset) for name in names),
        a_child("waiting", family.dataset, needs=("running",)),
    )
    family.succeed("done")
    claim = family.take("running")
    with family.database.session() as session:
        experiments.request_cancel(session, family.id)
    assert family.statuses() == {
        "running": "cancelling",
        "queued": "cancelled",
        "done": "succeeded",
        "waiting": "cancelled",
        "suite": "cancelled",
    }
    with pytest.raises(ConflictError, match="still stopping"), family.database.session() as session:
        experiments.retry(session, family.id)
    with pytest.raises(ConflictError, match="still stopping"), family.database.session() as session:
        experiments.delete(session, family.id)
    with family.database.session() as session:
        assert claims.fail(session, claim, FAILURE) is Status.CANCELLED
    with family.database.session() as session:
        experiments.retry(session, family.id)
    assert family.statuses() == {
        "running": "queued",
        "queued": "queued",
        "done": "succeeded",
        "waiting": "waiting",
        "suite": "waiting",
    }


def test_one_child_that_is_cancelled_leaves_the_others_and_what_needs_it_fails(family: Family) -> None:
    family.plan(
        a_child("first", family.dataset),
        a_child("second", family.dataset, needs=("first",)),
        a_child("other", family.dataset),
    )
    with family.database.session() as session:
        experiments.request_cancel(session, family.child("first").id)
    assert family.statuses() == {
        "first": "cancelled",
        "second": "failed",
        "other": "queued",
        "suite": "waiting",
    }
    assert "was cancelled" in (family.child("second").error_message or "")


def test_a_failed_suite_tries_its_failed_children_again_and_no_others(family: Family) -> None:
    family.plan(
        a_child("first", family.dataset),
        a_child("second", family.dataset, needs=("first",)),
        a_child("other", family.dataset),
    )
    family.succeed("other")
    family.fail("first")
    with family.database.session() as session:
        claim = claims.claim(session, family.id, "w", 60)
        assert claim is not None
        claims.fail(session, claim, FAILURE)
    with pytest.raises(ConflictError, match="try its parent again"), family.database.session() as session:
        experiments.retry(session, family.child("second").id)
    with family.database.session() as session:
        experiments.retry(session, family.id)
    assert family.statuses() == {
        "first": "queued",
        "second": "waiting",
        "other": "succeeded",
        "suite": "waiting",
    }
    assert family.child("second").error_type is None
    family.succeed("first")
    family.succeed("second")
    assert family.statuses()["suite"] == "queued"


def test_a_suite_whose_children_all_succeeded_only_reports_again(family: Family) -> None:
    family.plan(a_child("first", family.dataset))
    family.succeed("first")
    with family.database.session() as session:
        claim = claims.claim(session, family.id, "w", 60)
        assert claim is not None
        claims.fail(session, claim, FAILURE)
    with family.database.session() as session:
        assert experiments.retry(session, family.id).status == Status.QUEUED


def test_a_suite_goes_with_its_children_once_all_are_final(family: Family) -> None:
    family.plan(a_child("first", family.dataset), a_child("second", family.dataset))
    family.succeed("first")
    first, second = family.child("first").id, family.child("second").id
    with pytest.raises(ConflictError), family.database.session() as session:
        experiments.delete(session, family.id)
    with pytest.raises(ConflictError, match="it belongs to"), family.database.session() as session:
        experiments.delete(session, first)
    with family.database.session() as session:
        experiments.request_cancel(session, family.id)
        prefixes = experiments.delete(session, family.id)
    assert prefixes == [f"experiments/{each}" for each in (first, second, family.id)]
    with family.database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM experiments")) == 0
        assert session.scalar(text("SELECT count(*) FROM experiment_needs")) == 0


def test_a_dataset_stays_as_long_as_a_suite_or_a_child_of_it_waits(
    database: Database, dataset: Dataset
) -> None:
    config: JSONObject = {"suite": {"datasets": [dataset.id]}}
    with database.session() as session:
        new = NewExperiment(kind="suite", config=config, seed=0, dataset_id=None)
        suite_id = experiments.add(session, new).id
    with pytest.raises(ConflictError, match="1 unfinished"), database.session() as session:
        datasets.delete(session, dataset.id)
    with database.session() as session:
        claim = claims.claim(session, suite_id, "w", 60)
        assert claim is not None
        children = [a_child("first", dataset), a_child("second", dataset, needs=("first",))]
        claims.wait_for_children(session, claim, children)
    with pytest.raises(ConflictError, match="3 unfinished"), database.session() as session:
        datasets.delete(session, dataset.id)
    with database.session() as session:
        experiments.request_cancel(session, suite_id)
        datasets.delete(session, dataset.id)
    with pytest.raises(ConflictError, match="deleted"), database.session() as session:
        experiments.retry(session, suite_id)


def test_many_children_lost_at_once_end_and_move_on_what_waits(family: Family) -> None:
    family.plan(
        a_child("first", family.dataset),
        a_child("second", family.dataset),
        a_child("third", family.dataset, needs=("first", "second")),
    )
    for name in ("first", "second"):
        family.take(name)
    with family.database.session() as session:
        session.execute(
            text(
                "UPDATE experiments SET lease_expires_at = now() - interval '1 second'"
                " WHERE status = 'running'"
            )
        )
        assert len(claims.reap(session, max_attempts=1)) == 2
    assert family.statuses() == {
        "first": "failed",
        "second": "failed",
        "third": "failed",
        "suite": "queued",
    }
