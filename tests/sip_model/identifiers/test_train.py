"""Training a whole identifier."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from sip_model.experiments.config import IdentifierConfig, LossName, TrainingConfig
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.train import TrainingData, train_identifier
from tests.sip_model.identifiers.clusters import make_training_data
from tests.sip_model.identifiers.learning import InterruptedRunError

DATA = make_training_data()


def train(
    path: Path,
    data: TrainingData = DATA,
    config: IdentifierConfig = IdentifierConfig(),
    *,
    seed: int = 0,
    stop_after: int | None = None,
) -> Identifier:
    """Train for a few epochs; `stop_after` epochs over all branches the process dies, its file written."""
    count = 0

    def on_epoch(_branch: str, _epoch: Epoch) -> None:
        nonlocal count
        count += 1
        if count == stop_after:
            raise InterruptedRunError

    return train_identifier(
        data,
        config,
        TrainingConfig(epochs=6, learning_rate=0.02),
        seed=seed,
        device="cpu",
        checkpoint=Checkpoint(path, "run", 0.0, lambda _: None),
        on_epoch=on_epoch,
    )


def accuracy(identifier: Identifier, data: TrainingData = DATA) -> float:
    rows = data.calibration
    texts = [data.texts[row] for row in rows.tolist()]
    logits = identifier.logits(texts, None if data.features is None else data.features[rows])
    return float(data.positives.take(rows).mark(logits.argmax(axis=1)[:, None]).mean())


def assert_same(first: Identifier, second: Identifier) -> None:
    """Every number of both is the same."""
    assert (first.fusion, first.calibration) == (second.fusion, second.calibration)
    for mine, other in zip(first.lexical, second.lexical, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.ngrams.buckets, other.ngrams.buckets)
    assert first.backbone is not None
    assert second.backbone is not None
    assert torch.equal(first.backbone.whitening.transform, second.backbone.whitening.transform)
    others = second.backbone.head.state_dict()
    assert all(torch.equal(value, others[name]) for name, value in first.backbone.head.state_dict().items())


@pytest.mark.parametrize("features", ["hybrid", "backbone", "lexical"])
@pytest.mark.parametrize("loss", ["bce", "ce", "binary_code"])
def test_every_combination_of_features_and_loss_learns(
    tmp_path: Path, features: Literal["hybrid", "backbone", "lexical"], loss: LossName
) -> None:
    data = replace(DATA, features=None) if features == "lexical" else DATA
    identifier = train(tmp_path / "c", data, IdentifierConfig(features=features, loss=loss))
    assert accuracy(identifier, data) > 0.45  # of four sources
    assert len(identifier.fusion.weights) == {"hybrid": 3, "backbone": 1, "lexical": 2}[features]


def test_branches_together_do_better_than_the_words_alone(tmp_path: Path) -> None:
    data = make_training_data(per_source=200)
    without = replace(data, features=None)
    words = train(tmp_path / "a", without, IdentifierConfig(features="lexical"))
    both = train(tmp_path / "b", data)
    assert accuracy(both, data) > accuracy(words, without)
    assert both.fusion.weights[2] > 0


def test_the_same_seed_gives_the_same_identifier_and_another_seed_another(tmp_path: Path) -> None:
    config = IdentifierConfig(head=(8,))
    first = train(tmp_path / "a", config=config, seed=5)
    assert_same(first, train(tmp_path / "b", config=config, seed=5))
    other = train(tmp_path / "c", config=config, seed=6)
    assert first.fusion != other.fusion


@pytest.mark.parametrize("stop_after", [2, 6, 9, 14])
def test_an_interrupted_training_ends_with_the_same_identifier(tmp_path: Path, stop_after: int) -> None:
    config = IdentifierConfig(head=(8,))
    with pytest.raises(InterruptedRunError):
        train(tmp_path / "a", config=config, stop_after=stop_after)
    assert_same(train(tmp_path / "a", config=config), train(tmp_path / "b", config=config))


def test_texts_without_a_word_in_common_can_be_trained_on(tmp_path: Path) -> None:
    texts = [f"{'ab' if row % 2 else 'yz'}{row}q{row}" for row in range(len(DATA.texts))]
    identifier = train(tmp_path / "c", replace(DATA, texts=texts))
    assert np.isfinite(
        identifier.logits(["entirely new"], DATA.features[:1] if DATA.features is not None else None)
    ).all()


def test_samples_of_several_sources_can_be_learned(tmp_path: Path) -> None:
    lists = [np.array(sorted({label, (label + 1) % 4})) for label in DATA.positives.indices.tolist()]
    data = replace(DATA, positives=type(DATA.positives).from_lists(lists))
    assert accuracy(train(tmp_path / "c", data), data) > 0.6


def test_features_are_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="features: expected an array"):
        train(tmp_path / "c", replace(DATA, features=None), IdentifierConfig(features="backbone"))


@pytest.mark.parametrize("head", [(), (8,)])
def test_a_text_alone_has_the_logits_it_has_among_others(tmp_path: Path, head: tuple[int, ...]) -> None:
    identifier = train(tmp_path / "c", config=IdentifierConfig(head=head))
    assert DATA.features is not None
    together = identifier.logits(DATA.texts, DATA.features)
    for size in (1, 2, 7, 33):
        apart = [
            identifier.logits(DATA.texts[i : i + size], DATA.features[i : i + size])
            for i in range(0, len(DATA.texts), size)
        ]
        np.testing.assert_array_equal(np.concatenate(apart), together)
