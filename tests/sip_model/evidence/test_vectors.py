"""Exact search among vectors in half precision."""

import numpy as np
import pytest

from sip_model.evidence import vectors
from sip_model.evidence.vectors import PassageVectors, largest


@pytest.mark.parametrize("block", [7, 16_384])
def test_the_nearest_are_those_of_highest_cosine(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(vectors, "BLOCK_PASSAGES", block)
    generator = np.random.default_rng(0)
    points = generator.normal(size=(100, 16)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    kept = PassageVectors.build(points)
    found = kept.nearest(points[:5], 4)
    for row in range(5):
        exact = np.argsort(-(points @ points[row]))[:4]
        assert set(found[row].tolist()) == set(exact.tolist())
    assert kept.cosines(points[0], np.array([0, 1])) == pytest.approx(points[:2] @ points[0], abs=1e-2)


def test_fewer_than_asked_for_are_all_found() -> None:
    assert sorted(largest(np.array([3.0, 1.0]), 5).tolist()) == [0, 1]
    assert PassageVectors.build(np.eye(3, dtype=np.float32)).nearest(
        np.eye(3, dtype=np.float32), 9
    ).shape == (3, 3)
