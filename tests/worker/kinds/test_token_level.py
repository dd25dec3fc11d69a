"""Kind `train` with `identifier.ngram`."""

import pytest

from tests.worker.kinds.configs import JSONConfig, train_config
from tests.worker.kinds.conftest import AddDataset, Run
from tests.worker.kinds.corpora import make_documents

SOURCES = ("ash", "birch", "cedar", "elm")


def token_config(ngram: int, by: str = "block") -> JSONConfig:
    """A quick training on the tokens of the tiny backbone's second layer."""
    config = train_config()
    return {
        "backbone": config["backbone"] | {"layers": "auto"},
        "chunk": config["chunk"],
        "split": {"by": by},
        "identifier": {"ngram": ngram, "head": [32]},
        "training": {"epochs": 3},
    }


@pytest.mark.parametrize("ngram", [1, 2, 3])
def test_a_token_level_model_with_scores_and_predictions_comes_out(
    run: Run, add_dataset: AddDataset, ngram: int
) -> None:
    results = run("train", add_dataset("trees", make_documents(SOURCES)), token_config(ngram))
    assert (results.experiment.status, results.experiment.error_message) == ("succeeded", None)
