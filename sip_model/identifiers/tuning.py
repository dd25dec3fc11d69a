"""Fine-tune the backbone of an identifier's branch, from the branch's frozen solution on."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from sip_model.backbones.dtypes import DtypeName
from sip_model.backbones.extract import extract_features
from sip_model.backbones.load import Backbone
from sip_model.backbones.pooling import pooling_of
from sip_model.backbones.states import TextStates
from sip_model.backbones.trainable import TrainableBackbone, with_weights
from sip_model.experiments.config import TrainingConfig
from sip_model.identifiers.artifact import BackboneReading
from sip_model.identifiers.backbone_learner import BackboneLearner, product_dtype
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch, FitState, fit
from sip_model.identifiers.learners import State
from sip_model.identifiers.positives import IntArray, Positives

TUNING_BRANCH = "backbone tuning"
"""Name of the phase in progress reports and checkpoints."""

MakeStates = Callable[[Backbone, Sequence[str], int, int], TextStates]

FloatArray = npt.NDArray[np.float32]


class BackboneTuning:
    """A backbone that is trained together with the head over it, and read with its new weights afterwards.

    Args:
        load: loads the backbone anew in a dtype, for the caller alone.
        reading: how its features are read.
        on_states: called with texts read and texts to read by the blocks that aren't trained.
        on_speed: called with the tokens learned from per second.
        clock: seconds, monotonic.
        make_states: of the blocks that aren't trained, for several trainings that read the same texts.
    """

    def __init__(
        self,
        load: Callable[[DtypeName], Backbone],
        reading: BackboneReading,
        on_states: Callable[[int, int], None] = lambda _done, _total: None,
        on_speed: Callable[[float], None] = lambda _tokens: None,
        clock: Callable[[], float] = time.perf_counter,
        make_states: MakeStates = TextStates,
    ) -> None:
        self._load = load
        self._reading = reading
        self._on_states = on_states
        self._on_speed = on_speed
        self._clock = clock
        self._make_states = make_states
        self._backbone = load(reading.dtype)
        self._vectors: dict[str, FloatArray] = {}
        self.weights: State = {}
        """What training has changed, by name in the model, in the dtype the features are read in."""

    def run(
        self,
        texts: Sequence[str],
        features: FloatArray,
        positives: Positives,
        num_train: int,
        branch: BackboneBranch,
        training: TrainingConfig,
        *,
        seed: int,
        checkpoint: Checkpoint,
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        """Train backbone and head; the branch's head is changed in place.

        The frozen solution counts as the best one until an epoch has a smaller validation loss, so that
        tuning never ends with a larger one.

        Args:
            texts: n texts, the training part first, then the validation part.
            features: theirs before tuning, (n, K * D).
            positives: of the texts.
            num_train: how many of them are the training part.
            branch: with the head trained on `features`.
            training: how.
            seed: orders the samples and draws dropout.
            checkpoint: goes on from it where it holds a state, and keeps it up to date.
            on_epoch: progress.
        """
        reading, device = self._reading, self._backbone.device
        last_layers = training.last_layers if training.mode == "head_then_last_layers" else None
        trainable = TrainableBackbone(self._load("float32"), reading.layers, last_layers)
        read = self._make_states(self._backbone, texts, reading.max_tokens, trainable.start)
        train, validation = np.arange(num_train), np.arange(num_train, len(texts))
        epochs = training.backbone_epochs or 1
        learner = BackboneLearner(
            read,
            trainable,
            pooling_of(reading.pooling),
            torch.from_numpy(features).view(len(texts), len(reading.layers), -1).to(device),
            tuple(reading.layers.index(layer) for layer in trainable.tuned_layers),
            branch,
            positives,
            training,
            num_steps=epochs * math.ceil(num_train / training.batch_size),
            seed=seed,
            products=product_dtype(device, reading.dtype),
        )
        state = checkpoint.state(TUNING_BRANCH)
        if not state.done:
            read.keep(self._on_states)
        _count_frozen_solution(learner, validation, state)
        started = self._clock()
        fit(
            learner,
            train,
            validation,
            epochs=epochs,
            patience=training.patience,
            batch_size=training.batch_size,
            seed=seed,
            state=state,
            on_epoch=on_epoch,
            is_wanted=checkpoint.is_due,
            on_batch=checkpoint.save_if_due,
            uses_all_cores=True,
        )
        if learner.num_tokens:
            self._on_speed(learner.num_tokens / max(self._clock() - started, 1e-9))
        self.weights = _changed(trainable, self._backbone)
        with_weights(self._backbone, self.weights)
        self._vectors.clear()

    def features(self, texts: Sequence[str]) -> FloatArray:
        """Features of n texts with the weights as they are now tuned, (n, K * D); each text is read once.

        They are kept in memory alone: the feature cache on disk knows backbones by their revision only.
        """
        reading = self._reading
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        found = extract_features(
            self._backbone, missing, reading.layers, reading.pooling, reading.max_tokens
        ).features
        self._vectors.update(
            zip(missing, found.reshape(len(missing), math.prod(found.shape[1:])), strict=True)
        )
        return np.stack([self._vectors[text] for text in texts])


def _count_frozen_solution(learner: BackboneLearner, validation: IntArray, state: FitState) -> None:
    if not state.best:
        state.best_loss = learner.loss(validation)
        state.best = {name: value.clone() for name, value in learner.weights().items()}


def _changed(trainable: TrainableBackbone, original: Backbone) -> State:
    """Trained weights that differ from the backbone's own in its own dtype."""
    own = dict(original.model.named_parameters())
    changed: State = {}
    for name, parameter in trainable.parameters.items():
        value = parameter.detach().to(original.dtype)
        if not torch.equal(value, own[name]):
            changed[name] = value.cpu().clone()
    return changed
