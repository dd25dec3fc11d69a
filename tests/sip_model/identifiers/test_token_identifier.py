"""A trained token-level identifier."""

from pathlib import Path

import numpy as np
import pytest

from sip_model.identifiers.artifact import (
    DESCRIPTION_FILE,
    WEIGHTS_FILE,
    Artifact,
    BackboneReading,
    load_artifact,
    save_artifact,
)
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_rows import TokenRows
from tests.sip_model.identifiers.passages import make_passages, make_store
from tests.sip_model.identifiers.test_token_train import train

READING = BackboneReading("tiny", "0" * 64, (2,), "mean", 64, "float32")
PASSAGES = make_passages(4, 30, 8, 16)


@pytest.fixture(scope="module")
def identifier(tmp_path_factory: pytest.TempPathFactory) -> TokenIdentifier:
    """With a hidden layer."""
    data, _ = PASSAGES.dealt(1, "block")
    return train(data, tmp_path_factory.mktemp("trained"), head=(8,))


def test_a_passage_gets_the_mean_of_its_tokens_log_odds(identifier: TokenIdentifier) -> None:
    rows, numbers = PASSAGES.rows(1)
    scores = list(identifier.token_scores(rows, numbers))
    np.testing.assert_array_equal(np.concatenate([part.rows for part in scores]), numbers)
    logits = np.concatenate([part.logits for part in scores]).reshape(-1, 8, 4)  # (P, T, C)
    found = identifier.passage_logits(rows, np.arange(len(PASSAGES.labels)))
    np.testing.assert_allclose(found, logits.mean(axis=1, dtype=np.float64), atol=1e-9)


def test_an_answer_does_not_depend_on_the_other_passages(
    identifier: TokenIdentifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = PASSAGES.rows(1)
    together = identifier.passage_logits(rows, np.arange(len(PASSAGES.labels)))
    monkeypatch.setattr("sip_model.identifiers.token_identifier.EVALUATION_ROWS", 20)
    for passages in (np.array([3]), np.array([0, 7, 8, 40]), np.arange(len(PASSAGES.labels))):
        np.testing.assert_array_equal(identifier.passage_logits(rows, passages), together[passages])


def test_a_passage_without_tokens_gets_an_answer_that_favours_no_source(identifier: TokenIdentifier) -> None:
    states = np.ones((3, 16), np.float32)
    rows = TokenRows(make_store(states, [0, 3, 0]), 1)
    logits = identifier.passage_logits(rows, np.arange(3))
    assert (logits[[0, 2]] == -np.log(3)).all()
    assert np.ptp(logits[1]) > 0


def test_a_loaded_identifier_gives_the_same_logits_bit_for_bit(
    identifier: TokenIdentifier, tmp_path: Path
) -> None:
    save_artifact(Artifact(identifier, READING, {"a": 1}), "bce", (8,), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [WEIGHTS_FILE, DESCRIPTION_FILE]
    loaded = load_artifact(tmp_path)
    assert isinstance(loaded.identifier, TokenIdentifier)
    assert (loaded.identifier.ngram, loaded.reading, loaded.card) == (1, READING, {"a": 1})
    assert loaded.identifier.sources == identifier.sources
    assert loaded.identifier.judgement == identifier.judgement
    rows, _ = PASSAGES.rows(1)
    some = np.arange(10)
    np.testing.assert_array_equal(
        loaded.identifier.passage_logits(rows, some), identifier.passage_logits(rows, some)
    )
