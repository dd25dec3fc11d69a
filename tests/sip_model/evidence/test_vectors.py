"""Exact search among vectors in half precision."""

import numpy as np
import numpy.typing as npt
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


def scattered(num_vectors: int) -> npt.NDArray[np.float32]:
    """Vectors around fifty centres."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(50, 32))
    points = centres[generator.integers(50, size=num_vectors)] + generator.normal(size=(num_vectors, 32))
    unit: npt.NDArray[np.float32] = points.astype(np.float32) / np.linalg.norm(points, axis=1, keepdims=True)
    return unit.astype(np.float32)


def test_very_many_vectors_are_searched_by_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    points = scattered(2000)
    exact = PassageVectors.build(points)
    assert exact.graph is None
    monkeypatch.setattr(vectors, "MAX_EXACT", 1999)
    kept = PassageVectors.build(points)
    assert kept.graph is not None
    again = PassageVectors.from_arrays(kept.arrays())
    found, expected = again.nearest(points[:50], 10), exact.nearest(points[:50], 10)
    same = [len(set(one) & set(other)) for one, other in zip(found.tolist(), expected.tolist(), strict=True)]
    assert np.mean(same) > 9.8


def test_the_same_vectors_make_the_same_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MAX_EXACT", 100)
    first, second = (PassageVectors.build(scattered(500)).arrays()["vectors.graph"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_without_the_library_every_vector_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    points = scattered(500)
    monkeypatch.setattr(vectors, "MAX_EXACT", 100)
    kept = PassageVectors.build(points)
    monkeypatch.setattr(vectors, "is_graph_search_installed", lambda: False)
    assert PassageVectors.build(points).graph is None
    expected = PassageVectors(kept.vectors, None).nearest(points[:9], 5)
    np.testing.assert_array_equal(kept.nearest(points[:9], 5), expected)
