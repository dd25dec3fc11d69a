"""How a distribution becomes the answer of `POST /classify`."""

from typing import Any

import numpy as np
import pytest

from api.classification import classification, entropy_bits

SOURCES = ["sea", "mountain", "desert", "forest"]
PROBABILITIES = np.array([0.1, 0.5, 0.0, 0.2])


def answer(top_k: int = 5, min_probability: float = 0.0, *, known: bool = True) -> dict[str, Any]:
    scores = np.array([0.2, 0.9, 0.01, 0.4])
    return classification(7, SOURCES, PROBABILITIES, scores, 0.2, known, False, top_k, min_probability)


@pytest.mark.parametrize("top_k", [1, 2, 5])
@pytest.mark.parametrize("min_probability", [0.0, 0.15, 1.0])
def test_listed_other_and_unknown_sum_to_one(top_k: int, min_probability: float) -> None:
    found = answer(top_k, min_probability)
    listed = sum(source["probability"] for source in found["distribution"])
    assert listed + found["other"] + found["unknown"] == pytest.approx(1, abs=1e-12)
    assert len(found["distribution"]) <= top_k
    assert all(source["probability"] >= min_probability for source in found["distribution"])


def test_sources_are_listed_best_first_with_their_number_and_score() -> None:
    found = answer()
    assert [source["source"] for source in found["distribution"]] == ["mountain", "forest", "sea", "desert"]
    assert [source["source_id"] for source in found["distribution"]] == [1, 3, 0, 2]
    assert found["distribution"][0]["score"] == 0.9
    assert (found["index"], found["other"], found["known"]) == (7, 0.0, True)


def test_whether_a_text_is_known_is_what_the_model_decided() -> None:
    assert answer()["known"]
    assert not answer(known=False)["known"]


def test_entropy_is_in_bits() -> None:
    assert entropy_bits(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5)
    assert entropy_bits(np.array([1.0, 0.0])) == 0.0
