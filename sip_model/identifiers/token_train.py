"""Train a token-level identifier on states that stay on disk (arXiv 2407.12846)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.answers import Judgement
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch, fit
from sip_model.identifiers.heads import build_head, head_widths
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.signs import LOGIT_SIGNS
from sip_model.identifiers.threads import one_thread
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_learner import TokenLearner, fit_scaling
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.unknown import UnknownModel
from sip_model.identifiers.whitening import Whitening

ROWS_BRANCH = "tokens"


@dataclass(frozen=True, slots=True, eq=False)
class TokenData:
    """Rows over P passages of C sources, and which of them may be used for what."""

    rows: TokenRows
    positives: Positives
    """Of the P passages: all rows of a passage bear its labels."""
    sources: tuple[str, ...]
    train: IntArray
    """Rows that are learned from, ascending; those that aren't whole are passed over."""
    validation: IntArray
    """Rows that decide when to stop, ascending."""
    calibration: IntArray
    """Rows whose passages' means the temperature is fitted on, ascending."""


def train_token_identifier(
    data: TokenData,
    identifier: IdentifierConfig,
    training: TrainingConfig,
    *,
    seed: int,
    device: str,
    checkpoint: Checkpoint,
    on_epoch: Callable[[Epoch], None],
    branch: str = ROWS_BRANCH,
) -> TokenIdentifier:
    """Train a head over single rows, then calibrate the means over passages.

    Args:
        data: rows; the test part is not in it.
        identifier: head and loss.
        training: how; the protocol is Adam at 1e-3, batches of 64, 10 epochs.
        seed: draws hidden weights and the order of rows.
        device: torch device of the head.
        checkpoint: goes on from it where it holds a state, and keeps it up to date.
        on_epoch: progress; called before the checkpoint that holds the epoch is written.
        branch: under this name the checkpoint holds it.
    """

    def report(epoch: Epoch) -> None:
        on_epoch(epoch)
        checkpoint.save_if_due()

    rows, loss, num_sources = data.rows, LOSSES[identifier.loss], len(data.sources)
    train = data.train[rows.are_whole(data.train)]
    with one_thread():
        scaling = _on(device, fit_scaling(rows, train))
    head = build_head(
        rows.num_features,
        head_widths(identifier.head),
        loss.num_outputs(num_sources),
        loss.output_bias(num_sources),
        torch.Generator().manual_seed(seed),
    ).to(device)
    learner = TokenLearner(rows, scaling, head, loss, data.positives, training)
    fit(
        learner,
        train,
        data.validation,
        epochs=training.max_epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        seed=seed,
        state=checkpoint.state(branch),
        on_epoch=report,
        read_ahead=learner.read_ahead,
    )
    trained = TokenIdentifier(
        data.sources,
        rows.ngram,
        BackboneBranch(scaling, head.eval(), loss, num_sources),
        Judgement(
            Calibration(method="temperature", temperature=1.0),
            UnknownModel.link(LOGIT_SIGNS, np.zeros((1, len(LOGIT_SIGNS)))),
        ),
    )
    return _judged(trained, data)


def _judged(identifier: TokenIdentifier, data: TokenData) -> TokenIdentifier:
    passages = np.unique(data.rows.passages(data.calibration))
    logits = identifier.pooled(data.rows, passages, identifier.token_scores(data.rows, data.calibration))
    judgement = Judgement(
        Calibration.fit(logits, data.positives.take(passages)),
        UnknownModel.link(LOGIT_SIGNS, identifier.scored(logits).signs),
    )
    return replace(identifier, judgement=judgement)


def _on(device: str, scaling: Whitening) -> Whitening:
    return Whitening(scaling.mean.to(device), scaling.transform.to(device))
