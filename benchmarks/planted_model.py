"""The model of benchmarks/planted.py: trained on a corpus with passages planted in it."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.answer_cells import Features, FloatArray
from benchmarks.planted_cases import Case, draw_cases, planted
from benchmarks.protocol import CORPORA, corpus_file
from sip_model.corpora.background import background_texts
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.samples import Samples, deal_chunks, prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import (
    ChunkConfig,
    IdentifierConfig,
    SourcesConfig,
    SplitConfig,
    TrainingConfig,
)
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import Background, TrainingData
from sip_model.kept import KeptResults

TEXTS_AT_ONCE = 1024
"""Features that are computed before any of them is kept."""
CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class PlantedModel:
    """An identifier and what it was trained on."""

    cases: list[Case]
    samples: Samples
    positives: Positives
    vectors: FloatArray
    """(n, D) features of the samples."""
    identifier: Identifier


def train_planted(corpus: str, seed: int, num_cases: int, data: Path, work: Path) -> PlantedModel:
    """Plant passages in a corpus and train on it; what takes long is kept in the folder `work`.

    Args:
        corpus: a key of `CORPORA` with documents of one source each.
        seed: draws the cases, turns the split, and all else of training.
        num_cases: passages planted in place of chunks; as many are planted elsewhere.
        data: folder of the corpora.
        work: of what is kept; an interrupted training goes on where it was.
    """
    block = CORPORA[corpus]
    chunk, sources, split = ChunkConfig(**block["chunk"]), SourcesConfig(**block["sources"]), SplitConfig()
    file = corpus_file(data, corpus)
    documents = list(read_corpus(file, detect_format(file.name)))
    kept = KeptResults(work / "features")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        write_corpus(documents, path)
        dealt = deal_chunks(Corpus(path), chunk, sources, split, seed)
        cases = draw_cases(dealt, documents, chunk.num_words or 1, num_cases, seed)
        path = Path(folder) / "planted.parquet"
        write_corpus(planted(documents, cases), path)
        samples = prepare_samples(Corpus(path), chunk, sources, split, seed, kept=kept)
    positives, features = Positives.from_lists(samples.positives), Features(work / "features")
    vectors = features_of(features, samples.texts)
    identifier = _train(samples, positives, vectors, features, seed, work)
    return PlantedModel(cases, samples, positives, vectors, identifier)


def features_of(features: Features, texts: Sequence[str]) -> FloatArray:
    """Features of n texts, (n, D), kept as they come."""
    parts = [features(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)]
    return np.concatenate(parts)


def texts_of(samples: Samples, rows: IntArray) -> list[str]:
    """The texts of some samples."""
    return [samples.texts[row] for row in rows.tolist()]


def _train(
    samples: Samples, positives: Positives, vectors: FloatArray, features: Features, seed: int, work: Path
) -> Identifier:
    learned = texts_of(samples, samples.part("train", "validation"))
    background = background_texts(learned, seed)
    data = TrainingData(
        samples.texts,
        vectors,
        positives,
        samples.sources,
        samples.part("train"),
        samples.part("validation"),
        samples.part("calibration"),
        Background(background, features_of(features, background)) if background else None,
    )
    run = hashlib.sha256(f"{samples.split_sha256} {seed}".encode()).hexdigest()
    checkpoint = work / f"planted-{run[:16]}.safetensors"
    return train_identifier(
        data,
        IdentifierConfig(),
        TrainingConfig(),
        seed=seed,
        device="cpu",
        checkpoint=Checkpoint(checkpoint, run, CHECKPOINT_SECONDS, lambda _: None),
        on_epoch=lambda branch, epoch: print(f"{branch}: epoch {epoch.number} of {epoch.of}", flush=True),
    )
