"""The trial before the training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.member_training import MemberTraining
from sip_model.identifiers.pilot import Pilot, choose_held_out, run_pilot
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.training_data import TrainingData
from tests.sip_model.identifiers.clusters import make_training_data

DATA = make_training_data(num_sources=10)


def pilot(path: Path, data: TrainingData, epochs: list[str] | None = None) -> Pilot:
    def report(branch: str, _epoch: Epoch) -> None:
        if epochs is not None:
            epochs.append(branch)

    training = TrainingConfig(epochs=4, learning_rate=0.02)
    checkpoint = Checkpoint(path, "run", 1e9, lambda _: None)
    return run_pilot(data, MemberTraining(IdentifierConfig(), training, 0, "cpu", checkpoint, report))


@pytest.mark.parametrize(("num_sources", "expected"), [(2, 0), (3, 1), (4, 1), (10, 2), (100, 20)])
def test_a_fifth_of_the_sources_is_held_out_and_two_are_left(num_sources: int, expected: int) -> None:
    held_out = choose_held_out(num_sources, seed=1)
    assert len(np.unique(held_out)) == expected
    assert num_sources - expected >= 2
    if expected > 1:
        assert choose_held_out(num_sources, seed=2).tolist() != held_out.tolist()


def test_it_says_how_long_to_train_each_branch_and_how_members_add_up(tmp_path: Path) -> None:
    reported: list[str] = []
    found = pilot(tmp_path / "c", DATA, reported)
    assert found.epochs.keys() == {"word_ngrams", "backbone"}
    assert all(1 <= number <= 4 for number in found.epochs.values())
    assert set(reported) == {"pilot word_ngrams", "pilot backbone"}
    assert len(found.fusion.weights) == 6


def test_the_calibration_part_and_what_else_is_not_named_is_never_read(tmp_path: Path) -> None:
    assert DATA.features is not None
    features = DATA.features.copy()
    features[DATA.calibration] = np.nan
    texts = ["" if row in DATA.calibration else text for row, text in enumerate(DATA.texts)]
    first, second = pilot(tmp_path / "a", DATA), pilot(tmp_path / "b", replace(DATA, texts=texts))
    assert first.unknown == second.unknown
    blind = pilot(tmp_path / "c", replace(DATA, features=features))
    assert (blind.fusion, blind.unknown) == (first.fusion, first.unknown)


def test_two_sources_without_background_leave_nothing_to_learn_unknown_from(tmp_path: Path) -> None:
    assert pilot(tmp_path / "c", make_training_data(num_sources=2)).unknown is None


def test_a_sample_of_a_held_out_and_another_source_is_neither_known_nor_unknown(tmp_path: Path) -> None:
    held_out = choose_held_out(10, 0).tolist()
    kept = next(number for number in range(10) if number not in held_out)
    lists = [
        np.array(sorted({label, kept})) if label in held_out else np.array([label])
        for label in DATA.positives.indices.tolist()
    ]
    assert pilot(tmp_path / "c", replace(DATA, positives=Positives.from_lists(lists))).unknown is None
