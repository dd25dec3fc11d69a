"""What benchmarks/fine_tuning.py compares, and how one arm is run on one seed's split."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.head_alone import is_right, train_head_alone
from sip_model.backbones.cache import FeatureCache
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import DtypeName
from sip_model.backbones.extract import extract_features
from sip_model.backbones.load import Backbone
from sip_model.backbones.states import TextStates
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import (
    ChunkConfig,
    IdentifierConfig,
    SourcesConfig,
    SplitConfig,
    TrainingConfig,
)
from sip_model.identifiers.artifact import BackboneReading
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.tuning import TUNING_BRANCH, BackboneTuning

CHUNK = ChunkConfig(num_words=32, max_per_source=100)
SOURCES = SourcesConfig(limit=100)
SPLIT = SplitConfig(by="block")
LAYERS, POOLING, MAX_TOKENS, DTYPE = (6,), "mean", 256, "float32"

BATCH_SIZE, DROPPED = 32, 0.5
RATES = (1e-3, 3e-4)


@dataclass(frozen=True, slots=True)
class FrozenArm:
    """A head on frozen features."""

    rate: float
    dropped: float
    """Share of the features dropped at each step."""


@dataclass(frozen=True, slots=True)
class TunedArm:
    """A head trained for an epoch, then together with the last blocks of the backbone."""

    head: float
    body: float
    """Learning rates, from the first step on."""


LAST_LAYERS, TUNED_EPOCHS = 4, 3
FROZEN_EPOCHS = 32
"""More than any tuned arm has: frozen features shall not be worse for want of time."""

FROZEN = {f"frozen, {rate:g}": FrozenArm(rate, 0.0) for rate in RATES}
DROPPING = {f"frozen, features dropped, {rate:g}": FrozenArm(rate, DROPPED) for rate in RATES}
TWO_RATES = {"last blocks, two rates": TunedArm(*RATES)}
ONE_RATE = {f"last blocks, one rate, {rate:g}": TunedArm(rate, rate) for rate in RATES}
ARMS: dict[str, FrozenArm | TunedArm] = {**FROZEN, **DROPPING, **TWO_RATES, **ONE_RATE}

Array = npt.NDArray[np.float64]


def training_of(arm: FrozenArm | TunedArm) -> TrainingConfig:
    """How an arm is trained."""
    if isinstance(arm, FrozenArm):
        return TrainingConfig(batch_size=BATCH_SIZE, epochs=FROZEN_EPOCHS, learning_rate=arm.rate)
    return TrainingConfig(
        mode="head_then_last_layers",
        batch_size=BATCH_SIZE,
        epochs=1,
        learning_rate=arm.head,
        backbone_learning_rate=arm.body,
        backbone_epochs=TUNED_EPOCHS,
        last_layers=LAST_LAYERS,
        token_dropout=DROPPED,
        feature_dropout=DROPPED,
    )


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm on one seed's split."""

    arm: str
    seed: int
    documents: list[str]
    """Of the n samples of the test part."""
    right: list[int]
    """(n,) 1 where the first source is among the right ones."""
    validation_right: list[int]
    """The same on the validation part, which every choice is made on."""
    validation_losses: list[float]
    """Of the epochs in which the backbone was trained."""
    seconds: float


@dataclass(slots=True, eq=False)
class SeedRuns:
    """One seed's split, its frozen features and the states below the trained blocks, for all arms.

    Args:
        corpus: normalised, Parquet.
        seed: rotates the split.
        folder: keeps features and what is done already.
        clock: seconds, monotonic.
    """

    corpus: Path
    seed: int
    folder: Path
    clock: Callable[[], float]
    _samples: Samples | None = None
    _data: TrainingData | None = None
    _states: TextStates | None = None

    def run(self, arm: str) -> ArmResult:
        """Train an arm, unless that was done before with the same configuration."""
        how = ARMS[arm]
        configuration = json.dumps([asdict(how), asdict(training_of(how)), asdict(CHUNK), LAYERS, DTYPE])
        file = self.folder / f"{arm.replace(' ', '-')}-{self.seed}.json"
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["configuration"] == configuration:
                return ArmResult(**kept["result"])
        result = self._train(arm, how)
        kept = {"configuration": configuration, "result": asdict(result)}
        file.write_text(json.dumps(kept), encoding="utf-8")
        return result

    def _train(self, arm: str, how: FrozenArm | TunedArm) -> ArmResult:
        data, samples = self._prepared()
        started, losses = self.clock(), list[float]()
        parts = samples.part("test"), samples.part("validation")
        if isinstance(how, FrozenArm):
            learner = train_head_alone(data, training_of(how), how.dropped, self.seed)
            test, validation = (is_right(learner, data, rows) for rows in parts)
        else:
            test, validation = self._tune(data, how, losses, parts)
        documents = [samples.documents[row] for row in parts[0].tolist()]
        return ArmResult(arm, self.seed, documents, test, validation, losses, self.clock() - started)

    def _tune(
        self, data: TrainingData, arm: TunedArm, losses: list[float], parts: Sequence[IntArray]
    ) -> list[list[int]]:
        """Which samples of each part an identifier with a tuned backbone is right about."""

        def on_epoch(branch: str, epoch: Epoch) -> None:
            if branch == TUNING_BRANCH:
                losses.append(epoch.validation_loss)
                print(f"    epoch {epoch.number}: validation loss {epoch.validation_loss:.4f}", flush=True)

        info = BackboneCatalog({}).fetch("minilm")
        reading = BackboneReading(info.id, info.revision, LAYERS, POOLING, MAX_TOKENS, "float32")
        tuning = BackboneTuning(_load, reading, make_states=self._make_states)
        identifier = train_identifier(
            data,
            IdentifierConfig(features="backbone"),
            training_of(arm),
            seed=self.seed,
            device="cpu",
            checkpoint=Checkpoint(self.folder / "checkpoint", "unkept", 1e9, lambda _: None),
            on_epoch=on_epoch,
            tuning=tuning,
        )

        def right(rows: IntArray) -> list[int]:
            texts = [data.texts[row] for row in rows.tolist()]
            logits = identifier.scored(texts, tuning.features(texts)).logits
            marks = data.positives.take(rows).mark(logits.argmax(axis=1)[:, None])
            first: list[int] = marks[:, 0].astype(int).tolist()
            return first

        return [right(rows) for rows in parts]

    def _prepared(self) -> tuple[TrainingData, Samples]:
        if self._samples is None or self._data is None:
            samples = prepare_samples(Corpus(self.corpus), CHUNK, SOURCES, SPLIT, self.seed)
            self._samples = samples
            self._data = TrainingData(
                samples.texts,
                _frozen_features(samples.texts, self.folder),
                Positives.from_lists(samples.positives),
                samples.sources,
                samples.part("train"),
                samples.part("validation"),
                samples.part("calibration"),
            )
        return self._data, self._samples

    def _make_states(
        self, backbone: Backbone, texts: Sequence[str], max_tokens: int, start: int
    ) -> TextStates:
        if self._states is None:
            self._states = TextStates(backbone, texts, max_tokens, start)
            self._states.keep()  # by weights that no arm has changed yet
        return self._states


def _frozen_features(texts: Sequence[str], folder: Path) -> npt.NDArray[np.float32]:
    backbone = _load("float32")
    cached = FeatureCache(folder / "features").features(
        backbone.info,
        DTYPE,
        texts,
        LAYERS,
        POOLING,
        MAX_TOKENS,
        lambda missing: extract_features(backbone, missing, LAYERS, POOLING, MAX_TOKENS),
    )
    return cached.features.reshape(len(texts), -1)


def _load(dtype: DtypeName) -> Backbone:
    torch.manual_seed(0)
    return BackboneCatalog({}).load("minilm", device="cpu", dtype=dtype)
