"""What got lost is found again."""

from db import workers
from db.publisher import waiting_calls
from db.session import Database
from db.settings import Settings
from tests.worker.conftest import Read, Submit
from worker.sweeper import Sweeper


def test_a_lost_call_is_made_again_once_the_queue_is_empty(
    database: Database, settings: Settings, submit: Submit, read: Read
) -> None:
    sweeper = Sweeper(settings.model_copy(update={"sweep_seconds": 0.0}), database, "w")
    experiment_id = submit("complete")
    sweeper.sweep()  # published, but not noted: called for once more
    assert read(experiment_id).published_at is not None
    assert waiting_calls(settings.require_broker_url()) == 2
    sweeper.sweep()  # calls are waiting: no more of them
    assert waiting_calls(settings.require_broker_url()) == 2


def test_a_sweep_shows_the_worker_and_survives_a_broker_that_is_away(
    database: Database, settings: Settings
) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:1/0"})
    Sweeper(away, database, "w").sweep()
    with database.session() as session:
        assert [(w.name, w.device) for w in workers.seen(session, 60)] == [("w", "cpu")]
        workers.leave(session, "w")
    with database.session() as session:
        assert not workers.seen(session, 60)


def test_private_files_of_dead_attempts_are_removed(
    database: Database, settings: Settings, submit: Submit
) -> None:
    folder = settings.scratch_dir / f"{submit('complete')}-1"
    folder.mkdir(parents=True)
    Sweeper(settings, database, "w").sweep()
    assert not folder.exists()
