"""What benchmarks/results.py runs: the corpora, the configurations, and which identifiers are compared."""

import hashlib
from pathlib import Path
from typing import Any

FEATURES = {"hybrid": "hybrid", "backbone only": "backbone"}
"""Identifier → `identifier.features` of the experiment that trains it. Hybrid comes first: its first run on
a corpus is the one that computes the features, the others read them from the cache."""
IDENTIFIERS = ("hybrid", "lexical baseline", "backbone only")
DIFFERENCES = (("hybrid", "lexical baseline"), ("hybrid", "backbone only"))

MAX_SECONDS = 90.0
"""Longest a run may take on two cores, extraction and lexical baseline included."""
MAX_BYTES = 3 * 10**9
"""Most memory a run may take."""

_LONG_TEXTS = {
    "chunk": {"num_words": 32, "max_per_source": 100},
    "sources": {"limit": 100, "select": "largest"},
}
CORPORA: dict[str, dict[str, Any]] = {
    "books": _LONG_TEXTS,
    "articles": _LONG_TEXTS,
    "naics2012": {"chunk": {"num_words": 32, "max_per_source": 100, "min_per_source": 2}},
}


def experiment_config(corpus: str, identifier: str) -> dict[str, Any]:
    """The `config` of the experiment that trains `identifier` on `corpus`; what it leaves out is default."""
    return CORPORA[corpus] | {
        "backbone": {"id": "minilm", "layers": "auto"},
        "split": {"by": "block"},
        "identifier": {"features": FEATURES[identifier]},
    }


def corpus_file(folder: Path, corpus: str) -> Path:
    """Where a corpus lies in the folder of corpora."""
    return folder / f"{corpus}.jsonl.gz"


def dataset_name(file: Path, corpus: str) -> str:
    """Corpus and content: a service that has this dataset already has the same texts."""
    with file.open("rb") as stream:
        return f"{corpus}-{hashlib.file_digest(stream, 'sha256').hexdigest()[:8]}"
