"""A training whose process ends goes on from its checkpoint."""

from tests.worker.gated_child import GATE_EPOCH
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Gate, Look, Queue, Results, Run
from tests.worker.kinds.corpora import make_documents
from worker.supervisor import Supervisor

TREES = make_documents(("ash", "birch", "cedar"))


def test_a_training_asked_to_end_keeps_the_epoch_it_was_in(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    add_dataset: AddDataset,
) -> None:
    dataset_id = add_dataset("trees", TREES)
    config = train_config(checkpoint_seconds=3600, epochs=12, patience=12)
    experiment_id = queue("train", dataset_id, config)
    gate.stop_at(experiment_id)
    row = look(experiment_id).experiment
    assert (row.status, row.attempt, row.crashes) == ("queued", 1, 0)
    assert row.checkpoint_key is not None

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("train", dataset_id, config)
    assert (resumed.experiment.status, resumed.experiment.attempt) == ("succeeded", 2)
    assert resumed.experiment.resumed_from_step == GATE_EPOCH
    assert_same_result(resumed, expected)
    assert resumed.experiment.checkpoint_key is None


def test_a_training_whose_checkpoint_is_damaged_starts_over(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    add_dataset: AddDataset,
) -> None:
    dataset_id = add_dataset("trees", TREES)
    config = train_config(checkpoint_seconds=1e-6, epochs=12, patience=12)
    experiment_id = queue("train", dataset_id, config)
    gate.kill_at(experiment_id)
    row = look(experiment_id).experiment
    assert (row.status, row.crashes) == ("queued", 1)
    assert row.checkpoint_key is not None
    supervisor.store.local_path(row.checkpoint_key).write_bytes(b"damaged")

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("train", dataset_id, config)
    assert (resumed.experiment.status, resumed.experiment.resumed_from_step) == ("succeeded", None)
    assert_same_result(resumed, expected)


def assert_same_result(found: Results, expected: Results) -> None:
    """Weights, losses and scores are the same to the last bit."""
    files = [results.model().files["identifier.safetensors"] for results in (found, expected)]
    assert files[0] == files[1]
    assert found.steps("validation/loss") == expected.steps("validation/loss")
    assert found.steps("train/loss") == expected.steps("train/loss")
    ours, theirs = (
        {k: v for k, v in r.metrics().items() if "system/" not in k[0]} for r in (found, expected)
    )
    assert ours == theirs
