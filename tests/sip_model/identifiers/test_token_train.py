"""Training on rows of token states."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.experiments.config import IdentifierConfig, LossName, TrainingConfig
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.learners import State
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_learner import MAX_GRADIENT_NORM, TokenLearner, fit_scaling
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.token_train import TokenData, train_token_identifier
from sip_model.identifiers.whitening import Whitening
from tests.sip_model.identifiers.learning import InterruptedRunError, checkpoint
from tests.sip_model.identifiers.passages import make_passages, make_store, make_wandering_passages

EPOCHS = 4


def train(
    data: TokenData,
    folder: Path,
    *,
    head: tuple[int, ...] = (),
    loss: LossName = "bce",
    epochs: int = EPOCHS,
    learning_rate: float = 1e-3,
    stop_after: int | None = None,
) -> TokenIdentifier:
    """Train; `stop_after` epochs of this process it dies, its checkpoint written."""
    kept: Checkpoint = checkpoint(folder / "checkpoint")

    def on_epoch(epoch: Epoch) -> None:
        if epoch.number - 1 == stop_after:
            raise InterruptedRunError

    return train_token_identifier(
        data,
        IdentifierConfig(ngram=1, head=head, loss=loss),
        TrainingConfig(epochs=epochs, patience=epochs, learning_rate=learning_rate),
        seed=5,
        device="cpu",
        checkpoint=kept,
        on_epoch=on_epoch,
    )


def accuracy(identifier: TokenIdentifier, data: TokenData, rows: IntArray) -> float:
    """Share of rows with a right source first."""
    found = [scores.logits.argmax(axis=1) for scores in identifier.token_scores(data.rows, rows)]
    labels = data.positives.take(data.rows.passages(rows))
    return float(labels.mark(np.concatenate(found)[:, None]).mean())


@pytest.mark.parametrize("ngram", [1, 2])
def test_states_without_any_signal_of_their_source_score_high_by_position_and_at_chance_by_block(
    tmp_path: Path, ngram: int
) -> None:
    passages = make_wandering_passages(20, 40, 10, 128, memory=0.9)
    scores = {}
    for by in ("position", "block"):
        data, test = passages.dealt(ngram, by)
        (tmp_path / by).mkdir()
        identifier = train(data, tmp_path / by, head=(256,), epochs=5)
        scores[by] = accuracy(identifier, data, test)
    assert scores["position"] > 0.9
    assert scores["block"] < 0.1  # chance is 0.05


@pytest.mark.parametrize("ngram", [1, 2, 3])
def test_every_row_is_learned_with_the_label_of_its_own_passage(tmp_path: Path, ngram: int) -> None:
    """With as many labels per passage as bigrams have, the labels of trigrams slip by one more row at every
    boundary between passages, and passages of three tokens soon bear the labels of others."""
    passages = make_passages(5, 40, 3, 16, spread=0.1)
    order = np.random.default_rng(0).permutation(len(passages.labels))
    tokens = (3 * order[:, None] + np.arange(3)).reshape(-1)
    states = passages.store.read(np.arange(len(tokens))[:, None]).float().numpy()[tokens]
    shuffled = replace(passages, store=make_store(states, [3] * len(order)), labels=passages.labels[order])
    rows, numbers = shuffled.rows(ngram)
    data = TokenData(rows, shuffled.positives, shuffled.sources, numbers, numbers, numbers)
    identifier = train(data, tmp_path, epochs=8)
    found = np.concatenate([s.logits.argmax(axis=1) for s in identifier.token_scores(rows, numbers)])
    assert len(found) == (3 - ngram + 1) * len(order)
    np.testing.assert_array_equal(found, np.repeat(shuffled.labels, 3 - ngram + 1))


@pytest.mark.parametrize("loss", ["bce", "ce", "binary_code"])
def test_every_loss_learns_what_there_is_to_learn(tmp_path: Path, loss: LossName) -> None:
    data, test = make_passages(6, 30, 8, 16).dealt(2, "block")
    # chance is 0.17; a linear head can't always part the sources by the bits of their numbers
    floor = 0.7 if loss == "binary_code" else 0.9
    assert accuracy(train(data, tmp_path, loss=loss, learning_rate=0.01), data, test) > floor


def test_a_resumed_run_ends_with_the_very_same_identifier(tmp_path: Path) -> None:
    data, _ = make_passages(4, 30, 8, 16, spread=3.0).dealt(2, "block")
    for folder in ("whole", "stopped"):
        (tmp_path / folder).mkdir()
    whole = train(data, tmp_path / "whole", head=(8,))
    for stop in (1, 3):
        with pytest.raises(InterruptedRunError):
            train(data, tmp_path / "stopped", head=(8,), stop_after=stop)
    resumed = train(data, tmp_path / "stopped", head=(8,))
    mine, theirs = whole.branch.head.state_dict(), resumed.branch.head.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert whole.judgement == resumed.judgement


def test_rows_that_repeat_a_token_are_never_learned_from(tmp_path: Path) -> None:
    """Passages shorter than a row have one to be answered by; what stands in it changes nothing."""
    generator = np.random.default_rng(0)
    lengths = [4, 1] * 20
    states = generator.normal(size=(sum(lengths), 6)).astype(np.float32)
    short = np.cumsum(lengths)[1::2] - 1
    found = []
    for value in (0.0, 1e4):
        states[short] = value
        rows = TokenRows(make_store(states, lengths), 2)
        numbers = rows.of(np.arange(40))
        whole = numbers[rows.are_whole(numbers)]
        positives = Positives.from_lists([np.array([passage // 2 % 3]) for passage in range(40)])
        data = TokenData(rows, positives, ("a", "b", "c"), numbers, whole, whole)
        folder = tmp_path / f"{value}"
        folder.mkdir()
        found.append(train(data, folder).branch.head.state_dict())
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_passage_of_several_sources_teaches_them_all(tmp_path: Path) -> None:
    passages = make_passages(3, 40, 6, 8, spread=0.3)
    data, _ = passages.dealt(1, "block")
    pairs = Positives.from_lists(
        [np.array([0, 1]) if label == 0 else np.array([label]) for label in passages.labels.tolist()]
    )
    identifier = train(replace(data, positives=pairs), tmp_path, epochs=8, learning_rate=0.02)
    logits = identifier.passage_logits(data.rows, np.flatnonzero(passages.labels == 0))
    assert (logits[:, :2] > 0).all()
    assert (logits[:, 2] < 0).all()


def test_the_head_starts_at_the_base_rate_and_gradients_are_clipped() -> None:
    data, _ = make_passages(4, 10, 6, 8).dealt(1, "block")
    loss = LOSSES["bce"]
    head = build_head(8, (), 4, loss.output_bias(4), torch.Generator())
    huge = Whitening(torch.zeros(8), torch.full((8,), 1e6))
    learner = TokenLearner(data.rows, huge, head, loss, data.positives, TrainingConfig())
    assert learner.loss(data.validation) == pytest.approx(4 * np.log(4 / 3) + np.log(3), rel=1e-5)
    learner.read_ahead(data.train[:64], data.train[:0])
    learner.step(data.train[:64])
    first = [
        value for name, value in learner.state().items() if name.endswith("exp_avg")
    ]  # 0.1 of the gradient
    norm = torch.linalg.vector_norm(torch.cat([value.reshape(-1) for value in first])).item()
    assert norm == pytest.approx(0.1 * MAX_GRADIENT_NORM, rel=1e-4)


def test_rows_read_while_others_were_stepped_on_are_the_rows_asked_for() -> None:
    """Those named before, others than those, and more of them."""
    data, _ = make_passages(4, 10, 6, 8).dealt(1, "block")
    stretches = [data.train[:8], data.train[8:16], data.train[3:9], data.train[10:40]]

    def weights(announced: list[IntArray]) -> State:
        head = build_head(8, (), 4, 0.0, torch.Generator())
        plain = Whitening(torch.zeros(8), torch.ones(8))
        learner = TokenLearner(data.rows, plain, head, LOSSES["bce"], data.positives, TrainingConfig())
        for stretch, after in zip(stretches, announced, strict=True):
            learner.read_ahead(stretch[::-1], after)
            learner.step(stretch)
        return learner.weights()

    nothing = data.train[:0]
    expected = weights([nothing] * 4)
    for announced in ([*stretches[1:], nothing], [stretches[1], stretches[0], nothing, stretches[0]]):
        for name, value in weights(announced).items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


def test_the_scaling_is_that_of_the_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sip_model.identifiers.token_learner.EVALUATION_ROWS", 7)
    data, _ = make_passages(4, 20, 6, 8, spread=2.0).dealt(2, "block")
    scaling = fit_scaling(data.rows, data.train)
    states = data.rows.store.read(data.train[:, None]).double()
    torch.testing.assert_close(scaling.mean.double(), states.mean(0).repeat(2), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        1 / scaling.transform.double(), states.std(0, correction=0).repeat(2), rtol=1e-5, atol=1e-5
    )
