"""The model of benchmarks/planted.py: trained on a corpus with passages planted in it."""

import hashlib
import tempfile
from pathlib import Path

from benchmarks.planted_cases import Case, draw_cases, planted
from benchmarks.protocol import CORPORA, corpus_file
from benchmarks.trained_models import Features, TrainedTask, program_sha256, trained_on
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.samples import deal_chunks, prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import (
    ChunkConfig,
    SourcesConfig,
    SplitConfig,
)
from sip_model.kept import KeptResults


def train_planted(
    corpus: str, seed: int, num_cases: int, data: Path, features: Features, work: Path
) -> tuple[list[Case], TrainedTask]:
    """Plant passages in a corpus and train on it; what takes long is kept in the folder `work`.

    Args:
        corpus: a key of `CORPORA` with documents of one source each.
        seed: draws the cases, turns the split, and all else of training.
        num_cases: passages planted in place of chunks; as many are planted elsewhere.
        data: folder of the corpora.
        features: of the backbone.
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
    run = hashlib.sha256(f"{samples.split_sha256} {program_sha256()}".encode()).hexdigest()[:16]
    return cases, trained_on(samples, seed, features, work / f"model-planted-{seed}-{run}")
