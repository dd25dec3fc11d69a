"""What got lost is found again."""

from pathlib import Path
from uuid import uuid4

import redis
from sqlalchemy import func, select, update

from db import claims, loose_files, workers
from db.publisher import queue_name, waiting_calls
from db.session import Database
from db.settings import Settings
from db.states import Queue
from db.storage import ArtifactStore
from db.tables import Experiment, LooseFiles
from tests.worker.conftest import Read, Submit
from worker.sweeper import Sweeper


def sweep(settings: Settings, database: Database, store: ArtifactStore) -> None:
    """One sweep of a worker that runs nothing."""
    Sweeper(settings, database, store, "w", "cpu").sweep()


def test_a_lost_call_is_made_again_even_while_others_wait(
    database: Database, settings: Settings, store: ArtifactStore, submit: Submit, read: Read
) -> None:
    at_once = settings.model_copy(update={"sweep_seconds": 0.0})
    lost, waiting = submit("complete"), submit("complete")
    with database.session() as session:
        session.execute(update(Experiment).values(published_at=func.now()))
    client = redis.Redis.from_url(settings.require_broker_url().replace("redis+socket://", "unix://", 1))
    assert client.rpop(queue_name(Queue.GPU)) is not None  # the oldest call
    client.close()
    sweeper = Sweeper(at_once, database, store, "w", "cpu")
    sweeper.sweep()  # a call may be on its way, or just heard
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 1, Queue.CPU: 0}
    sweeper.sweep()
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 3, Queue.CPU: 0}
    for _ in range(2):  # as many calls wait as experiments: no more of them
        sweeper.sweep()
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 3, Queue.CPU: 0}
    assert all(read(experiment_id).status == "queued" for experiment_id in (lost, waiting))


def test_a_sweep_shows_the_worker_and_survives_a_broker_that_is_away(
    database: Database, settings: Settings, store: ArtifactStore
) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:1/0", "queues": (Queue.CPU,)})
    sweep(away, database, store)
    with database.session() as session:
        assert [(w.name, w.device, w.queues) for w in workers.seen(session, 60)] == [("w", "cpu", ["cpu"])]
        workers.leave(session, "w")
    with database.session() as session:
        assert not workers.seen(session, 60)


def test_private_files_of_dead_attempts_are_removed(
    database: Database, settings: Settings, store: ArtifactStore, submit: Submit
) -> None:
    folder = settings.scratch_dir / f"{submit('complete')}-1"
    folder.mkdir(parents=True)
    sweep(settings, database, store)
    assert not folder.exists()


def test_stored_files_of_an_attempt_are_removed_once_it_lost_its_claim(
    database: Database, settings: Settings, store: ArtifactStore, submit: Submit, tmp_path: Path
) -> None:
    with database.session() as session:
        claim = claims.claim(session, submit("complete"), "w", 60)
    assert claim is not None
    file = tmp_path / "file"
    file.write_text("half")
    keys = [f"{claim.artifacts_prefix}/report", f"{claim.model_prefix}/weights"]
    for key in keys:
        store.put_file(key, file)
    sweep(settings, database, store)
    assert all(store.local_path(key).exists() for key in keys)
    with database.session() as session:
        claims.release(session, claim)
    sweep(settings, database, store)
    assert not any((Path(settings.artifacts_url) / key).exists() for key in keys)
    store.put_file(keys[0], file)  # by the stalled attempt, which doesn't know yet
    with database.session() as session:
        assert not loose_files.abandoned(session)
        session.execute(update(LooseFiles).values(keep_until=func.now()))  # time passes
    sweep(settings, database, store)
    assert not (Path(settings.artifacts_url) / keys[0]).exists()
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(LooseFiles)) == 0


def test_files_noted_for_later_stay_until_then(
    database: Database, settings: Settings, store: ArtifactStore, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("half")
    stored = store.put_file(f"datasets/{uuid4()}", file)
    with database.session() as session:
        loose_files.note(session, [stored.key], keep_seconds=60)
    sweep(settings, database, store)
    assert store.local_path(stored.key).exists()
    with database.session() as session:
        loose_files.note(session, [stored.key])
    sweep(settings, database, store)
    assert not (Path(settings.artifacts_url) / stored.key).exists()
