"""What benchmarks/results.json holds, for one made-up corpus."""

import numpy as np

from benchmarks.protocol import IDENTIFIERS
from benchmarks.runs import CorpusResult, Run
from client.answers import Dataset
from sip_model.analysis.bootstrap import PairedDifference

DIFFERENCE = PairedDifference(mean=0.1, low=0.05, high=0.15)
DATASET: Dataset = {
    "id": "ds_0",
    "name": "books-0",
    "status": "ready",
    "format": "jsonl",
    "num_documents": 12,
    "num_sources": 11,
    "num_bytes": 5000,
    "sha256": "0" * 64,
    "created_at": "2000-01-01T00:00:00Z",
}
RUN = Run(
    identifier="hybrid",
    seed=0,
    seconds=33.25,
    peak_memory_bytes=10**9,
    features_computed=100,
    times_lexical_baseline=3.0,
    top1=0.5,
    ece=0.04,
)
EXAMPLE = CorpusResult(
    dataset=DATASET,
    sizes={
        "sources": [10, 10],
        "train": [60, 61],
        "validation": [9, 9],
        "calibration": [9, 9],
        "test": [20, 20],
    },
    chance=[0.1, 0.1],
    top1={name: [0.5 - 0.1 * number, 0.6 - 0.1 * number] for number, name in enumerate(IDENTIFIERS)},
    runs=[RUN],
    pooled=dict.fromkeys(("hybrid − lexical baseline", "hybrid − backbone only"), DIFFERENCE),
    by_seed={name: [DIFFERENCE] * 2 for name in ("hybrid − lexical baseline", "hybrid − backbone only")},
)
SPREAD = float(np.std([0.5, 0.6], ddof=1))
