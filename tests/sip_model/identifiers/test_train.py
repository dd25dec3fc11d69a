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
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, TrainingData
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
    logits = identifier.scored(texts, data.features_of(rows)).logits
    return float(data.positives.take(rows).mark(logits.argmax(axis=1)[:, None]).mean())


def assert_same(first: Identifier, second: Identifier) -> None:
    """Every number of both is the same."""
    assert (first.fusion, first.judgement) == (second.fusion, second.judgement)
    for mine, other in zip(first.members.lexical, second.members.lexical, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.ngrams.buckets, other.ngrams.buckets)
    ours, theirs = first.members.backbone, second.members.backbone
    assert ours is not None
    assert theirs is not None
    assert torch.equal(ours.whitening.transform, theirs.whitening.transform)
    others = theirs.head.state_dict()
    assert all(torch.equal(value, others[name]) for name, value in ours.head.state_dict().items())


@pytest.mark.parametrize("features", ["hybrid", "backbone", "lexical"])
@pytest.mark.parametrize("loss", ["bce", "ce", "binary_code"])
def test_every_combination_of_features_and_loss_learns(
    tmp_path: Path, features: Literal["hybrid", "backbone", "lexical"], loss: LossName
) -> None:
    data = replace(DATA, features=None) if features == "lexical" else DATA
    identifier = train(tmp_path / "c", data, IdentifierConfig(features=features, loss=loss))
    assert accuracy(identifier, data) > 0.45  # of four sources
    assert len(identifier.fusion.weights) == {"hybrid": 6, "backbone": 2, "lexical": 4}[features]


def test_branches_together_do_better_than_the_words_alone(tmp_path: Path) -> None:
    data = make_training_data(per_source=200)
    without = replace(data, features=None)
    words = train(tmp_path / "a", without, IdentifierConfig(features="lexical"))
    both = train(tmp_path / "b", data)
    assert accuracy(both, data) > accuracy(words, without)
    assert max(both.fusion.weights[4:]) > 0


def test_the_same_seed_gives_the_same_identifier_and_another_seed_another(tmp_path: Path) -> None:
    config = IdentifierConfig(head=(8,))
    first = train(tmp_path / "a", config=config, seed=5)
    assert_same(first, train(tmp_path / "b", config=config, seed=5))
    other = train(tmp_path / "c", config=config, seed=6)
    assert first.fusion != other.fusion


@pytest.mark.parametrize("stop_after", [2, 6, 9, 14, 20])
def test_an_interrupted_training_ends_with_the_same_identifier(tmp_path: Path, stop_after: int) -> None:
    config = IdentifierConfig(head=(8,))
    with pytest.raises(InterruptedRunError):
        train(tmp_path / "a", config=config, stop_after=stop_after)
    assert_same(train(tmp_path / "a", config=config), train(tmp_path / "b", config=config))


def test_texts_without_a_word_in_common_can_be_trained_on(tmp_path: Path) -> None:
    texts = [f"{'ab' if row % 2 else 'yz'}{row}q{row}" for row in range(len(DATA.texts))]
    identifier = train(tmp_path / "c", replace(DATA, texts=texts))
    found = identifier.scored(["entirely new"], DATA.features_of(np.array([0])))
    assert np.isfinite(found.logits).all()
    assert np.isfinite(found.signs).all()


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
    together = identifier.scored(DATA.texts, DATA.features)
    for size in (1, 2, 7, 33):
        apart = [
            identifier.scored(DATA.texts[i : i + size], DATA.features[i : i + size])
            for i in range(0, len(DATA.texts), size)
        ]
        np.testing.assert_array_equal(np.concatenate([part.logits for part in apart]), together.logits)
        np.testing.assert_array_equal(np.concatenate([part.signs for part in apart]), together.signs)


def test_texts_of_another_kind_are_taken_for_unknown_where_such_were_seen(tmp_path: Path) -> None:
    data = make_training_data(num_sources=8)
    words = [
        f"w{row % 7}x w{row % 5}x w{row % 3}x" for row in range(len(data.texts))
    ]  # the same in all sources
    data = replace(data, texts=words)
    background = Background(["nothing of this kind"] * 40, data.features_of(np.arange(40)))
    texts = ["nor of that kind"] * 40
    without, found = (
        train(tmp_path / name, replace(data, background=given))
        for name, given in (("a", None), ("b", background))
    )
    unseen = [
        each.judgement.unknown.log_ratio(each.scored(texts, data.features_of(np.arange(40, 80))).signs).mean()
        for each in (without, found)
    ]
    assert unseen[1] > max(unseen[0], 0)
    own = found.judgement(found.scored(data.texts_of(data.calibration), data.features_of(data.calibration)))
    assert own.known.mean() > 0.9


def test_more_is_learned_from_than_the_training_part(tmp_path: Path) -> None:
    whole = train(tmp_path / "a")
    texts = [
        f"only{row}here x{row}" if row in DATA.validation else text for row, text in enumerate(DATA.texts)
    ]
    other = train(tmp_path / "b", replace(DATA, texts=texts))
    ours, theirs = (each.members.lexical[0].ngrams.idf for each in (whole, other))
    assert not np.array_equal(ours, theirs)
