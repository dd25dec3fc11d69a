"""Train the members of an identifier, one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.branches import (
    BACKBONE_BRANCH,
    BackboneBranch,
    LexicalBranch,
    source_centroids,
)
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch, fit
from sip_model.identifiers.heads import build_head, head_widths
from sip_model.identifiers.learners import HeadLearner, Learner, NgramLearner
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.members import Members
from sip_model.identifiers.naive_bayes import naive_bayes_weights
from sip_model.identifiers.ngrams import NGRAM_SPECS, HashedNgrams, NgramSpec
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.vocabulary import Vocabulary
from sip_model.identifiers.whitening import Whitening

# A linear map over n-grams is done after a few passes; more only cost time.
MAX_LEXICAL_EPOCHS = 8

OnEpoch = Callable[[str, Epoch], None]
"""Called with the branch's name after each of its epochs."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What members are trained on."""

    train: IntArray
    """Row numbers that are learned from."""
    validation: IntArray | None
    """Row numbers that decide when to stop; None: `epochs` does."""
    epochs: Mapping[str, int]
    """By branch, how many passes to make where nothing else decides."""


@dataclass(frozen=True, slots=True, eq=False)
class MemberTraining:
    """How members are trained.

    Args:
        identifier: what to train.
        training: how.
        seed: draws hidden weights and the order of samples.
        device: torch device of the head; n-grams are learned on the CPU.
        checkpoint: goes on from it where it holds a state.
        report: called after every epoch.
    """

    identifier: IdentifierConfig
    training: TrainingConfig
    seed: int
    device: str
    checkpoint: Checkpoint
    report: OnEpoch

    def run(self, data: TrainingData, rows: Rows, stage: str) -> Members:
        """Train all members.

        Args:
            data: samples.
            rows: which of them to use.
            stage: keeps the states of several runs apart in the checkpoint.
        """
        specs = NGRAM_SPECS if self.identifier.features in ("hybrid", "lexical") else ()
        lexical = tuple(self._ngrams(spec, data, rows, stage) for spec in specs)
        vocabulary = (
            Vocabulary.build(data.texts_of(rows.train), data.positives.take(rows.train), len(data.sources))
            if lexical
            else None
        )
        reads_backbone = self.identifier.features in ("hybrid", "backbone")
        return Members(lexical, vocabulary, self._backbone(data, rows, stage) if reads_backbone else None)

    def epochs(self, stage: str) -> dict[str, int]:
        """By branch, the passes that its best weights took."""
        prefix = f"{stage} "
        return {
            name.removeprefix(prefix): state.best_epoch
            for name, state in self.checkpoint.states.items()
            if name.startswith(prefix)
        }

    def _ngrams(self, spec: NgramSpec, data: TrainingData, rows: Rows, stage: str) -> LexicalBranch:
        loss, num_sources = LOSSES[self.identifier.loss], len(data.sources)
        train = data.texts_of(rows.train)
        ngrams = HashedNgrams.fit(spec, train)
        if spec.member == "naive_bayes":
            weight = naive_bayes_weights(ngrams(train), data.positives.take(rows.train), num_sources)
            return LexicalBranch(ngrams, weight, 0.0, loss, num_sources)
        bias = loss.output_bias(num_sources)
        learner = NgramLearner(ngrams(data.texts), loss.num_outputs(num_sources), bias, loss, data.positives)
        self._fit(learner, rows, spec.name, stage, min(self.training.max_epochs, MAX_LEXICAL_EPOCHS))
        return LexicalBranch(ngrams, learner.weights()["weight"].numpy(), bias, loss, num_sources)

    def _backbone(self, data: TrainingData, rows: Rows, stage: str) -> BackboneBranch:
        if data.features is None:
            raise ValueError(
                "features: expected an array for an identifier that reads a backbone, found None"
            )
        loss, num_sources = LOSSES[self.identifier.loss], len(data.sources)
        features = torch.from_numpy(data.features).to(self.device)  # (n, D)
        train, positives = torch.from_numpy(rows.train).to(self.device), data.positives.take(rows.train)
        whitening = Whitening.fit(features[train], positives, num_sources)
        whitened = whitening(features)
        head = build_head(
            features.shape[1],
            head_widths(self.identifier.head),
            loss.num_outputs(num_sources),
            loss.output_bias(num_sources),
            torch.Generator().manual_seed(self.seed),
        ).to(self.device)
        learner = HeadLearner(whitened, head, loss, data.positives, self.training)
        self._fit(learner, rows, BACKBONE_BRANCH, stage, self.training.max_epochs)
        is_frozen = self.training.mode == "frozen"  # the means of features that training changes say nothing
        centroids = source_centroids(whitened[train], positives, num_sources) if is_frozen else None
        return BackboneBranch(whitening, head, loss, num_sources, centroids)

    def _fit(self, learner: Learner, rows: Rows, branch: str, stage: str, max_epochs: int) -> None:
        fit(
            learner,
            rows.train,
            rows.validation,
            epochs=max_epochs if rows.validation is not None else rows.epochs[branch],
            patience=self.training.patience,
            batch_size=self.training.batch_size,
            seed=self.seed,
            state=self.checkpoint.state(f"{stage} {branch}"),
            on_epoch=lambda epoch: self.report(f"{stage} {branch}", epoch),
        )
