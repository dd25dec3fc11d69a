"""A run that goes on after its process died ends with the numbers of one that was never interrupted."""

from pathlib import Path

import pytest
import torch

from sip_model.errors import ArtifactError
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.learners import State
from tests.sip_model.identifiers.learning import (
    EPOCHS,
    InterruptedRunError,
    MakeLearner,
    checkpoint,
    make_head_learner,
    make_ngram_learner,
    train,
)


def trained(
    make_learner: MakeLearner, path: Path, stop_after: int | None = None
) -> tuple[State, list[Epoch]]:
    """Train with a checkpoint file; `stop_after` epochs of this process it dies, its file written."""
    kept, learner, epochs = checkpoint(path), make_learner(), list[Epoch]()

    def on_epoch(epoch: Epoch) -> None:
        kept.save_if_due()
        epochs.append(epoch)
        if len(epochs) == stop_after:
            raise InterruptedRunError

    train(learner, kept.state("branch"), on_epoch)
    return learner.weights(), epochs


@pytest.mark.parametrize("make_learner", [make_head_learner, make_ngram_learner])
@pytest.mark.parametrize("stops", [(1,), (3,), (EPOCHS,), (1, 2, 1)])
def test_a_resumed_run_ends_with_the_very_same_weights(
    tmp_path: Path, make_learner: MakeLearner, stops: tuple[int, ...]
) -> None:
    expected, all_epochs = trained(make_learner, tmp_path / "uninterrupted")
    for stop in stops:
        with pytest.raises(InterruptedRunError):
            trained(make_learner, tmp_path / "interrupted", stop)
    found, epochs = trained(make_learner, tmp_path / "interrupted")
    assert epochs == all_epochs[sum(stops) :]
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("make_learner", [make_head_learner, make_ngram_learner])
def test_stopping_early_is_resumed_as_stopped(tmp_path: Path, make_learner: MakeLearner) -> None:
    kept, learner = checkpoint(tmp_path / "file"), make_learner()
    train(learner, kept.state("branch"), lambda _: kept.save_if_due(), epochs=60, patience=1)
    done = kept.state("branch")
    assert done.done
    assert done.epoch < 60
    again, other = checkpoint(tmp_path / "file"), make_learner()
    train(other, again.state("branch"), lambda _: pytest.fail("nothing is left to do"), epochs=60, patience=1)
    assert again.epochs_done() == done.epoch
    assert all(torch.equal(value, other.weights()[name]) for name, value in learner.weights().items())


def test_the_file_is_written_when_due_and_its_place_is_told(tmp_path: Path) -> None:
    now, saved = [0.0], list[Path]()
    kept = Checkpoint(tmp_path / "file", "run", 30, saved.append, clock=lambda: now[0])
    train(make_head_learner(), kept.state("branch"), epochs=1)
    for time, files in ((29.0, 0), (30.0, 1), (59.0, 1), (61.0, 2)):
        now[0] = time
        kept.save_if_due()
        assert len(saved) == files
    assert saved[0] == tmp_path / "file"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    trained(make_head_learner, tmp_path / "file")
    with pytest.raises(ArtifactError, match="a checkpoint of this very run"):
        checkpoint(tmp_path / "file", run="another")


@pytest.mark.parametrize("length", [0, 3, 200, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    trained(make_head_learner, tmp_path / "file")
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:length])
    with pytest.raises(ArtifactError, match="complete safetensors file"):
        checkpoint(tmp_path / "file")
