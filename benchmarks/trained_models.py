"""What the benchmarks of answers ask: models trained with the library as the service trains, once for all."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

import sip_model
from benchmarks.answer_tasks import Task
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
from sip_model.identifiers.artifact import Artifact, BackboneReading, load_artifact, save_artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, TrainingData
from sip_model.inference.evidence import LazyEvidence
from sip_model.inference.identify import LoadedModel
from sip_model.kept import KeptResults
from worker.jobs.support import Predicted, Trained, fit_support

WORK = Path("build/answers")
"""What is kept between runs, of all these benchmarks."""
TEXTS_AT_ONCE = 1024
"""Features that are computed before any of them is kept."""
CHECKPOINT_SECONDS = 20.0

FloatArray = npt.NDArray[np.float32]


class Features:
    """Features of the bundled backbone, four of its layers side by side, from a cache where they are there.

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
        """Features of n texts, (n, D), kept as they come."""
        parts = [
            self._cache.features(
                self._info,
                self._dtype,
                texts[start : start + TEXTS_AT_ONCE],
                self._layers,
                "mean",
                None,
                self._compute,
            ).features
            for start in range(0, len(texts), TEXTS_AT_ONCE)
        ]
        return np.concatenate(parts).reshape(len(texts), -1)

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


@dataclass(frozen=True, slots=True, eq=False)
class TrainedTask:
    """A model and what it was trained on."""

    samples: Samples
    positives: Positives
    vectors: FloatArray
    """(n, D) features of the samples."""
    identifier: Identifier
    loaded: LoadedModel
    """The same identifier, with what long texts are read by; without spans and passages."""


def trained_task(task: Task, seed: int, data: Path, features: Features, work: Path) -> TrainedTask:
    """A model with default settings, from the folder `work` where it is there."""
    samples, program = _read_samples(task, seed, data, work), program_sha256()
    return trained_on(samples, seed, features, work / f"model-{task.slug}-{seed}-{program[:16]}")


def trained_on(samples: Samples, seed: int, features: Features, folder: Path) -> TrainedTask:
    """A model of samples at hand, from its folder where it is there.

    An interrupted training goes on where it was.
    """
    positives, vectors = Positives.from_lists(samples.positives), features(samples.texts)
    if not (folder / "model.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        identifier = _train(samples, positives, vectors, features, seed, folder)
        save_artifact(Artifact(identifier, features.reading, {}), "bce", (), folder)
    artifact, rows = load_artifact(folder), samples.part("calibration")
    assert isinstance(artifact.identifier, Identifier), "it is trained on chunks"
    judgement = artifact.identifier.judgement
    scored = artifact.identifier.scored(texts_of(samples, rows), vectors[rows])
    predicted = Predicted(rows, judgement.known(judgement.calibration(scored.logits), scored.quoted))
    trained = Trained(artifact, {}, predicted, samples.part("train", "validation"), None)
    identifier = artifact.identifier
    artifact = replace(artifact, support=fit_support(samples, positives, trained))
    loaded = LoadedModel(artifact, features.backbone(), LazyEvidence(folder, None))
    return TrainedTask(samples, positives, vectors, identifier, loaded)


def texts_of(samples: Samples, rows: IntArray) -> list[str]:
    """The texts of some samples."""
    return [samples.texts[row] for row in rows.tolist()]


def program_sha256(*further: str) -> str:
    """Of the code that trains a model, and of further files or folders of the library and the benchmarks."""
    library = Path(sip_model.__path__[0])
    roots = [library / name for name in ("backbones", "corpora", "evidence", "identifiers")]
    roots += [library.parent / name for name in further]
    files = {file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))}
    digest = hashlib.sha256()
    for file in sorted(files | {Path(__file__), library.parent / "benchmarks" / "answer_tasks.py"}):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_samples(task: Task, seed: int, data: Path, work: Path) -> Samples:
    """The chunks of a task's corpus and their parts."""
    file, kept = data / f"{task.corpus}.jsonl.gz", KeptResults(work / "features")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        write_corpus(read_corpus(file, detect_format(file.name)), path)
        return prepare_samples(Corpus(path), task.chunk, task.sources, SplitConfig(), seed, kept=kept)


def _train(
    samples: Samples, positives: Positives, vectors: FloatArray, features: Features, seed: int, folder: Path
) -> Identifier:
    """An identifier with default settings, of all parts but the test part."""
    background = background_texts(texts_of(samples, samples.part("train", "validation")), seed)
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
        checkpoint=Checkpoint(
            folder / "checkpoint", f"{samples.split_sha256} {seed}", CHECKPOINT_SECONDS, lambda _: None
        ),
        on_epoch=lambda branch, epoch: print(f"{branch}: epoch {epoch.number} of {epoch.of}", flush=True),
    )
