"""Configurations of the test experiments."""

from tests.worker.kinds.corpora import CHUNK_WORDS

JSONConfig = dict[str, dict[str, object]]


def train_config(features: str = "hybrid", **training: object) -> JSONConfig:
    """A quick training on the tiny backbone."""
    return {
        "backbone": {"id": "tiny", "layers": [1, 3], "dtype": "float32", "max_tokens": 64},
        "chunk": {"num_words": CHUNK_WORDS},
        "identifier": {"features": features},
        "training": {"epochs": 6, "learning_rate": 0.02, **training},
    }
