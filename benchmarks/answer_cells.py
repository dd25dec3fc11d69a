"""One cell of benchmarks/answers.py: a task with a seed, trained as the service trains, and its answers."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.answer_tasks import Stranger, Task, strangers_of
from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.scores import Outcomes, given_known
from sip_model.backbones.cache import FeatureCache
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import resolve_dtype
from sip_model.backbones.extract import extract_features
from sip_model.backbones.extraction import Extraction
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.load import Backbone
from sip_model.corpora.background import background_texts
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import IdentifierConfig, SplitConfig, TrainingConfig
from sip_model.identifiers.artifact import BackboneReading
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, TrainingData

KNOWN = "known"

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The n texts asked about, those of the test part first."""

    group: npt.NDArray[np.str_]
    """(n,) `KNOWN` for the test part."""
    document: npt.NDArray[np.str_]
    """(n,)"""
    right: Array
    """(n,) 1 where the first source is a right one."""
    lexical_right: Array
    """(n,) the same of the lexical baseline, which learned from the same samples; 0 outside the test part."""
    confidence: Array
    """(n,) probability of the first source, given that a known one is right; so are the next two."""
    mass: Array
    """(n,) probability of the right sources together."""
    squares: Array
    """(n,) squared error of the whole distribution."""
    unknown: Array
    """(n,) probability that no known source is right."""
    answered: Array
    """(n,) 1 where the text passes for one of a known source."""
    classwise_ece: Array
    """() of the test part."""
    weights: str
    """How much each member counts, and the calibration, as JSON."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in self.__slots__})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Cell":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            values = {name: arrays[name] for name in cls.__slots__}
        return cls(**values | {"weights": str(values["weights"])})


class Features:
    """Features of the bundled backbone, from a cache where they are there.

    Args:
        folder: of the cache.
    """

    def __init__(self, folder: Path) -> None:
        self._catalog = BackboneCatalog({})
        self._info = self._catalog.fetch("minilm")
        self._layers = resolve_layers("auto", self._info.num_layers)
        self._dtype = resolve_dtype("auto", "cpu")
        self._cache = FeatureCache(folder)
        self._backbone: Backbone | None = None

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Features of n texts, (n, D), the layers side by side."""
        found = self._cache.features(
            self._info, self._dtype, texts, self._layers, "mean", None, self._compute
        )
        return found.features.reshape(len(texts), -1)

    @property
    def reading(self) -> BackboneReading:
        """How they are read."""
        info = self._info
        max_tokens = resolve_max_tokens(None, info)
        return BackboneReading(info.id, info.revision, self._layers, "mean", max_tokens, self._dtype)

    def backbone(self) -> Backbone:
        """What reads them."""
        if self._backbone is None:
            self._backbone = self._catalog.load("minilm", self._info.revision, "cpu", self._dtype)
        return self._backbone

    def _compute(self, texts: list[str]) -> Extraction:
        return extract_features(self.backbone(), texts, self._layers, "mean", None)


def run_cell(task: Task, seed: int, data: Path, features: Features) -> Cell:
    """Train on a task's corpus and ask about its test part and its strangers."""
    file = data / f"{task.corpus}.jsonl.gz"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        write_corpus(read_corpus(file, detect_format(file.name)), path)
        samples = prepare_samples(Corpus(path), task.chunk, task.sources, SplitConfig(), seed)
        positives = Positives.from_lists(samples.positives)
        vectors = features(samples.texts)
        identifier = train(samples, positives, vectors, features, seed, Path(folder))
    strangers = list(strangers_of(task, samples, data))
    learned, test = samples.part("train", "validation"), samples.part("test")
    test_texts = _texts(samples, test)
    baseline = lexical_baseline(_texts(samples, learned), positives.take(learned), test_texts, seed)
    truth = positives.take(test)
    cell = _ask(
        identifier,
        test_texts + [stranger.text for stranger in strangers],
        np.concatenate([vectors[test], features([stranger.text for stranger in strangers])])
        if strangers
        else vectors[test],
        truth,
        strangers,
        [samples.documents[row] for row in test.tolist()],
    )
    cell.lexical_right[: len(test)] = truth.mark(baseline[:, None])[:, 0]
    return cell


def train(
    samples: Samples, positives: Positives, vectors: FloatArray, features: Features, seed: int, folder: Path
) -> Identifier:
    """An identifier with default settings, of all parts but the test part.

    Args:
        vectors: (n, D) features of the samples.
        features: of the background texts.
        folder: for the checkpoint.
    """
    background = background_texts(_texts(samples, samples.part("train", "validation")), seed)
    data = TrainingData(
        samples.texts,
        vectors,
        positives,
        samples.sources,
        samples.part("train"),
        samples.part("validation"),
        samples.part("calibration"),
        Background(background, features(background)) if background else None,
    )
    return train_identifier(
        data,
        IdentifierConfig(),
        TrainingConfig(),
        seed=seed,
        device="cpu",
        checkpoint=Checkpoint(folder / "checkpoint", "unkept", 1e9, lambda _: None),
        on_epoch=lambda _branch, _epoch: None,
    )


def _ask(
    identifier: Identifier,
    texts: list[str],
    vectors: FloatArray,
    truth: Positives,
    strangers: list[Stranger],
    documents: list[str],
) -> Cell:
    nobody = Positives.from_lists([np.zeros(0, dtype=np.int64)] * len(strangers))
    answers = identifier.judgement(identifier.scored(texts, vectors))
    outcomes = Outcomes.of(
        given_known(answers.probabilities, answers.unknown), Positives.joined([truth, nobody])
    )
    judgement = identifier.judgement
    return Cell(
        group=np.array([KNOWN] * len(truth) + [stranger.group for stranger in strangers]),
        document=np.array(documents + [stranger.document for stranger in strangers]),
        right=outcomes.right.astype(np.float64),
        lexical_right=np.zeros(len(texts)),
        confidence=outcomes.confidence,
        mass=outcomes.mass,
        squares=outcomes.squares,
        unknown=answers.unknown,
        answered=answers.known.astype(np.float64),
        classwise_ece=np.array(outcomes.tally.ece()),
        weights=json.dumps(
            {
                "members": dict(zip(identifier.members.names, identifier.fusion.weights, strict=True)),
                "calibration": judgement.calibration.method,
                "signs": dict(zip(judgement.unknown.signs, judgement.unknown.weights, strict=True)),
                "threshold": judgement.unknown.threshold,
            }
        ),
    )


def _texts(samples: Samples, rows: IntArray) -> list[str]:
    return [samples.texts[row] for row in rows.tolist()]
