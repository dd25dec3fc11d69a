"""Train an identifier on samples and their features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.branches import BACKBONE_BRANCH, BackboneBranch, LexicalBranch
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch, fit
from sip_model.identifiers.fusion import Fusion
from sip_model.identifiers.heads import build_head, head_widths
from sip_model.identifiers.identifier import Identifier, branch_logits
from sip_model.identifiers.learners import HeadLearner, NgramLearner
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.ngrams import NGRAM_SPECS, HashedNgrams, NgramSpec
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.tuning import TUNING_BRANCH, BackboneTuning
from sip_model.identifiers.whitening import Whitening

# A linear map over n-grams is done after a few passes; more only cost time.
MAX_LEXICAL_EPOCHS = 8

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """n samples of C sources, and which of them may be used for what."""

    texts: Sequence[str]
    features: FloatArray | None
    """(n, D) backbone features, the layers side by side; None for a lexical identifier."""
    positives: Positives
    sources: tuple[str, ...]
    train: IntArray
    """Row numbers that are learned from."""
    validation: IntArray
    """Row numbers that decide when to stop and how branches add up."""
    calibration: IntArray
    """Row numbers that the temperature is fitted on."""


OnEpoch = Callable[[str, Epoch], None]
"""Called with the branch's name after each of its epochs."""


def train_identifier(
    data: TrainingData,
    identifier: IdentifierConfig,
    training: TrainingConfig,
    *,
    seed: int,
    device: str,
    checkpoint: Checkpoint,
    on_epoch: OnEpoch,
    tuning: BackboneTuning | None = None,
) -> Identifier:
    """Train the branches one after the other, fit how they add up, calibrate.

    Hybrid identifiers read hashed character n-grams, hashed word n-grams and backbone features; each branch
    is trained with the loss asked for, since trained together the n-grams fit the training part perfectly
    and leave the features nothing to learn. Their weights come from the validation part. Where the mode says
    so, the backbone is then trained together with its head, and its features are read anew.

    Args:
        data: samples; the test part is not in it.
        identifier: what to train.
        training: how.
        seed: draws hidden weights and the order of samples.
        device: torch device of the head; n-grams are learned on the CPU.
        checkpoint: goes on from it where it holds a state, and keeps it up to date.
        on_epoch: progress; called before the checkpoint that holds the epoch is written.
        tuning: of the backbone, for every mode but `frozen`; holds the tuned weights afterwards.
    """

    def report(branch: str, epoch: Epoch) -> None:
        on_epoch(branch, epoch)
        checkpoint.save_if_due()

    specs = NGRAM_SPECS if identifier.features in ("hybrid", "lexical") else ()
    lexical = tuple(
        _train_ngrams(spec, data, identifier, training, seed, checkpoint, report) for spec in specs
    )
    backbone = (
        _train_head(data, identifier, training, seed, device, checkpoint, report)
        if identifier.features in ("hybrid", "backbone")
        else None
    )
    if training.mode != "frozen":
        data = _tune(data, backbone, tuning, training, seed, checkpoint, report)
    fusion = Fusion.fit(
        _logits(data, data.validation, lexical, backbone), data.positives.take(data.validation)
    )
    held_out = fusion(_logits(data, data.calibration, lexical, backbone)).numpy()
    calibration = Calibration.fit(held_out, data.positives.take(data.calibration))
    return Identifier(data.sources, lexical, backbone, fusion, calibration)


def _train_ngrams(
    spec: NgramSpec,
    data: TrainingData,
    identifier: IdentifierConfig,
    training: TrainingConfig,
    seed: int,
    checkpoint: Checkpoint,
    report: OnEpoch,
) -> LexicalBranch:
    loss = LOSSES[identifier.loss]
    num_sources = len(data.sources)
    ngrams = HashedNgrams.fit(spec, [data.texts[row] for row in data.train.tolist()])
    bias = loss.output_bias(num_sources)
    learner = NgramLearner(ngrams(data.texts), loss.num_outputs(num_sources), bias, loss, data.positives)
    fit(
        learner,
        data.train,
        data.validation,
        epochs=min(training.max_epochs, MAX_LEXICAL_EPOCHS),
        patience=training.patience,
        batch_size=training.batch_size,
        seed=seed,
        state=checkpoint.state(spec.name),
        on_epoch=lambda epoch: report(spec.name, epoch),
    )
    return LexicalBranch(ngrams, learner.weights()["weight"].numpy(), bias, loss, num_sources)


def _train_head(
    data: TrainingData,
    identifier: IdentifierConfig,
    training: TrainingConfig,
    seed: int,
    device: str,
    checkpoint: Checkpoint,
    report: OnEpoch,
) -> BackboneBranch:
    if data.features is None:
        raise ValueError("features: expected an array for an identifier that reads a backbone, found None")
    loss = LOSSES[identifier.loss]
    num_sources = len(data.sources)
    features = torch.from_numpy(data.features).to(device)  # (n, D)
    whitening = Whitening.fit(
        features[torch.from_numpy(data.train).to(device)], data.positives.take(data.train), num_sources
    )
    head = build_head(
        features.shape[1],
        head_widths(identifier.head),
        loss.num_outputs(num_sources),
        loss.output_bias(num_sources),
        torch.Generator().manual_seed(seed),
    ).to(device)
    fit(
        HeadLearner(whitening(features), head, loss, data.positives, training),
        data.train,
        data.validation,
        epochs=training.max_epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        seed=seed,
        state=checkpoint.state(BACKBONE_BRANCH),
        on_epoch=lambda epoch: report(BACKBONE_BRANCH, epoch),
    )
    return BackboneBranch(whitening, head, loss, num_sources)


def _tune(
    data: TrainingData,
    branch: BackboneBranch | None,
    tuning: BackboneTuning | None,
    training: TrainingConfig,
    seed: int,
    checkpoint: Checkpoint,
    report: OnEpoch,
) -> TrainingData:
    """Train the backbone; the data with the features that the tuned one reads off validation and calibration
    part."""
    if branch is None or tuning is None or data.features is None:
        raise ValueError(f"tuning: expected a backbone to train in mode {training.mode}, found None")
    rows = np.concatenate([data.train, data.validation])
    tuning.run(
        [data.texts[row] for row in rows.tolist()],
        data.features[rows],
        data.positives.take(rows),
        len(data.train),
        branch,
        training,
        seed=seed,
        checkpoint=checkpoint,
        on_epoch=lambda epoch: report(TUNING_BRANCH, epoch),
    )
    held_out = np.concatenate([data.validation, data.calibration])
    features = data.features.copy()
    features[held_out] = tuning.features([data.texts[row] for row in held_out.tolist()])
    return replace(data, features=features)


def _logits(
    data: TrainingData, rows: IntArray, lexical: tuple[LexicalBranch, ...], backbone: BackboneBranch | None
) -> torch.Tensor:
    texts = [data.texts[row] for row in rows.tolist()]
    return branch_logits(lexical, backbone, texts, None if data.features is None else data.features[rows])
