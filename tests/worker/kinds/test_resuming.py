"""A training whose process is killed goes on from its checkpoint."""

import threading
from pathlib import Path

import psutil

from db.settings import Settings
from tests.worker.conftest import wait_until
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Look, Queue, Run
from tests.worker.kinds.corpora import make_documents
from worker.jobs.context import checkpoint_key
from worker.supervisor import Supervisor

EPOCHS = 150


def test_a_training_killed_at_a_checkpoint_ends_with_the_same_weights(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    add_dataset: AddDataset,
    settings: Settings,
) -> None:
    dataset_id = add_dataset("trees", make_documents(("ash", "birch", "cedar")))
    config = train_config(epochs=EPOCHS, patience=EPOCHS, checkpoint_seconds=1e-6, learning_rate=0.001)
    experiment_id = queue("train", dataset_id, config)
    attempt = threading.Thread(target=supervisor.run, args=(experiment_id,))
    attempt.start()
    checkpoint = Path(settings.artifacts_url) / checkpoint_key(experiment_id)
    wait_until(checkpoint.exists, "a checkpoint is kept")
    (process,) = (
        child for child in psutil.Process().children() if experiment_id in " ".join(child.cmdline())
    )
    process.kill()
    attempt.join(20)
    row = look(experiment_id).experiment
    assert (row.status, row.attempt, row.crashes) == ("queued", 1, 1)
    assert checkpoint.exists()

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("train", dataset_id, config)
    assert (resumed.experiment.status, resumed.experiment.attempt) == ("succeeded", 2)
    files = [results.model().files["identifier.safetensors"] for results in (resumed, expected)]
    assert files[0] == files[1]
    assert resumed.steps("validation/loss") == expected.steps("validation/loss")
    assert not checkpoint.exists()
