"""How far every sample is from the members of every group, summed, without keeping a distance matrix."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

FloatArray = npt.NDArray[np.float32] | npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK_ROWS = 512
"""Rows of the distance matrix computed at a time."""


class GroupDistances(Protocol):
    """Distances between n samples, as far as groups of them need to be known."""

    def sums(self, groups: IntArray, num_groups: int) -> torch.Tensor:
        """Sum of the distances from each sample to all members of each group, (n, G).

        Args:
            groups: (n,) the group of each sample, 0 to G − 1.
            num_groups: G; a group without members gets sums of 0.
        """


class CosineDistances:
    """``1 − cos(x, y)``. Sums over a group follow from the sum of its unit vectors, so that a labeling costs
    O(n G D) and no pair is ever looked at.

    Args:
        features: (n, D), centred where the angle at the centre is meant. A vector of zeros is at distance 1
            of all others.
        device: torch device.
        dtype: of the arithmetic.
    """

    def __init__(self, features: FloatArray, device: str = "cpu", dtype: torch.dtype = torch.float64) -> None:
        vectors = torch.from_numpy(features).to(device, dtype)  # (n, D)
        norms = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
        self._unit = vectors / torch.where(norms > 0, norms, 1)  # (n, D)
        self._to_self = 1 - self._unit.square().sum(dim=1)  # (n,) 0, or 1 for a vector of zeros

    def sums(self, groups: IntArray, num_groups: int) -> torch.Tensor:
        """See :class:`GroupDistances`."""
        index = torch.from_numpy(groups).to(self._unit.device)
        counts = torch.bincount(index, minlength=num_groups).to(self._unit.dtype)  # (G,)
        sums = counts - self._unit @ _summed(self._unit, index, num_groups).T  # (n, G)
        # a sample is at distance 0 of itself
        sums.scatter_add_(1, index[:, None], -self._to_self[:, None])
        return sums


class EuclideanDistances:
    """``‖x − y‖``, by the product of blocks of rows; each pair is computed once, in O(n² (D + G)).

    Args:
        features: (n, D).
        device: torch device.
        dtype: of the arithmetic; float32 loses the small distances between long vectors.
    """

    def __init__(self, features: FloatArray, device: str = "cpu", dtype: torch.dtype = torch.float64) -> None:
        self._vectors = torch.from_numpy(features).to(device, dtype)  # (n, D)

    def sums(self, groups: IntArray, num_groups: int) -> torch.Tensor:
        """See :class:`GroupDistances`."""
        device, dtype, n = self._vectors.device, self._vectors.dtype, len(groups)
        # by group, so that the rows of a block belong to few of them
        order = torch.from_numpy(np.argsort(groups, kind="stable")).to(device)
        index = torch.from_numpy(groups).to(device)[order]
        vectors = self._vectors[order]
        squares = vectors.square().sum(dim=1)  # (n,)
        members = _indicator(index, num_groups, dtype)  # (n, G)
        sums = torch.zeros(n, num_groups, dtype=dtype, device=device)
        for start in range(0, n, BLOCK_ROWS):
            stop = min(start + BLOCK_ROWS, n)
            distances = torch.addmm(squares[start:], vectors[start:stop], vectors[start:].T, alpha=-2)
            distances.add_(squares[start:stop, None]).clamp_min_(0).sqrt_()  # (b, n − start)
            distances.diagonal().zero_()
            low, high = int(index[start]), int(index[stop - 1]) + 1
            sums[start:stop, low:].addmm_(distances, members[start:, low:])
            after = distances[:, stop - start :].T  # (n − stop, b)
            sums[stop:, low:high].addmm_(after, members[start:stop, low:high])
        return torch.empty_like(sums).index_copy_(0, order, sums)


def _summed(vectors: torch.Tensor, index: torch.Tensor, num_groups: int) -> torch.Tensor:
    """Sum of the vectors of each group, (n, D) -> (G, D), in the same order each time on every device."""
    if vectors.device.type == "cpu":
        return torch.zeros(num_groups, vectors.shape[1], dtype=vectors.dtype).index_add_(0, index, vectors)
    return _indicator(index, num_groups, vectors.dtype).T @ vectors


def _indicator(index: torch.Tensor, num_groups: int, dtype: torch.dtype) -> torch.Tensor:
    """1 where a sample is in a group, (n, G)."""
    members = torch.zeros(len(index), num_groups, dtype=dtype, device=index.device)
    return members.scatter_(1, index[:, None], 1)
