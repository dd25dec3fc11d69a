"""Train an identifier on samples and their features."""

from dataclasses import replace

import numpy as np

from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.answers import Judgement
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.fusion import Fusion
from sip_model.identifiers.identifier import Identifier, score
from sip_model.identifiers.member_training import MemberTraining, OnEpoch, Rows
from sip_model.identifiers.members import Members
from sip_model.identifiers.pilot import run_pilot
from sip_model.identifiers.quotations import Quotations, QuotationTrust
from sip_model.identifiers.signs import sign_names
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.tuning import TUNING_BRANCH, BackboneTuning
from sip_model.identifiers.unknown import UnknownModel

STAGE = "members"


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
    """Run a pilot, train the members as it says, calibrate.

    Hybrid identifiers read hashed character n-grams, hashed word n-grams and backbone features. Over words
    and features a member is trained with the loss asked for, each alone, since trained together the n-grams
    fit the training part perfectly and leave the features nothing to learn. Over characters and features one
    is counted, naive Bayes and linear discriminant analysis, which err on other texts than what is trained.

    The pilot knows a part of the sources and learns from the training part. It says how long to train, how
    members add up and what an unknown text looks like; the identifier then learns from training and
    validation part. Where the mode says so, the backbone is trained together with its head, and its features
    are read anew; the validation part then decides about that, and only the training part is learned from.

    Beside what members generalise to, it is kept where the texts learned from stand word for word; how far
    such quotations are trusted is fitted on the calibration part.

    Args:
        data: samples; the test part is not in it.
        identifier: what to train.
        training: how.
        seed: draws hidden weights, the order of samples and the sources the pilot doesn't know.
        device: torch device of the head; n-grams are learned on the CPU.
        checkpoint: goes on from it where it holds a state, and keeps it up to date.
        on_epoch: progress; called before the checkpoint that holds the epoch is written.
        tuning: of the backbone, for every mode but `frozen`; holds the tuned weights afterwards.
    """

    def report(branch: str, epoch: Epoch) -> None:
        on_epoch(branch, epoch)
        checkpoint.save_if_due()

    members_training = MemberTraining(identifier, training, seed, device, checkpoint, report)
    pilot = run_pilot(data, members_training)
    if training.mode == "frozen":
        learned = np.sort(np.concatenate([data.train, data.validation]))
        members = members_training.run(data, Rows(learned, None, pilot.epochs), STAGE)
        fusion = pilot.fusion
    else:
        learned = data.train
        members = members_training.run(data, Rows(learned, data.validation, {}), STAGE)
        data = _tune(data, members, tuning, training, seed, checkpoint, report)
        validation = members.scores(data.texts_of(data.validation), data.features_of(data.validation))
        fusion = Fusion.fit(validation.logits, data.positives.take(data.validation))
    quotations = Quotations.build(data.texts_of(learned), data.positives.take(learned), len(data.sources))
    judgement = _judgement(data, members, fusion, pilot.unknown, quotations)
    return Identifier(data.sources, members, fusion, judgement, quotations)


def _judgement(
    data: TrainingData,
    members: Members,
    fusion: Fusion,
    unknown: UnknownModel | None,
    quotations: Quotations,
) -> Judgement:
    rows, texts = data.calibration, data.texts_of(data.calibration)
    logits, signs, _ = score(members, fusion, texts, data.features_of(rows))
    positives = data.positives.take(rows)
    calibration = Calibration.fit(logits, positives)
    return Judgement(
        calibration,
        UnknownModel.link(sign_names(members), signs) if unknown is None else unknown.moved_to(signs),
        QuotationTrust.fit(calibration(logits), quotations.shares(texts), positives),
    )


def _tune(
    data: TrainingData,
    members: Members,
    tuning: BackboneTuning | None,
    training: TrainingConfig,
    seed: int,
    checkpoint: Checkpoint,
    report: OnEpoch,
) -> TrainingData:
    """Train the backbone; the data with the features that the tuned one reads off validation and calibration
    part."""
    if members.backbone is None or tuning is None or data.features is None:
        raise ValueError(f"tuning: expected a backbone to train in mode {training.mode}, found None")
    rows = np.concatenate([data.train, data.validation])
    tuning.run(
        data.texts_of(rows),
        data.features[rows],
        data.positives.take(rows),
        len(data.train),
        members.backbone,
        training,
        seed=seed,
        checkpoint=checkpoint,
        on_epoch=lambda epoch: report(TUNING_BRANCH, epoch),
    )
    held_out = np.concatenate([data.validation, data.calibration])
    features = data.features.copy()
    features[held_out] = tuning.features(data.texts_of(held_out))
    return replace(data, features=features)
