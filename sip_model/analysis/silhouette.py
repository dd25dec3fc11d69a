"""Silhouette scores (Rousseeuw 1987) of many samples and groups, with what random labelings give."""

import numpy as np
import numpy.typing as npt
import torch

from sip_model.analysis.group_distances import GroupDistances, IntArray

Array = npt.NDArray[np.float64]


def silhouette_samples(sums: torch.Tensor, groups: IntArray) -> torch.Tensor:
    """The silhouette of every sample, (n,), as scikit-learn's ``silhouette_samples`` gives it.

    ``s = (b − a) / max(a, b)``: a is the mean distance to the other members of the sample's own group, b the
    mean distance to the members of the nearest other group. 0 for the only member of a group.

    Args:
        sums: (n, G) of :meth:`GroupDistances.sums`, G ≥ 2.
        groups: (n,) the group of each sample; groups without members are passed over.
    """
    index = torch.from_numpy(groups).to(sums.device)
    counts = torch.bincount(index, minlength=sums.shape[1]).to(sums.dtype)  # (G,)
    own_counts = counts[index]  # (n,)
    own = sums.gather(1, index[:, None]).squeeze(1) / (own_counts - 1).clamp_min(1)  # (n,)
    others = torch.where(counts > 0, sums / counts, torch.inf)  # (n, G)
    nearest = others.scatter_(1, index[:, None], torch.inf).amin(dim=1)  # (n,)
    scores = (nearest - own) / torch.maximum(nearest, own)
    return torch.where(own_counts > 1, scores, 0.0).nan_to_num(nan=0.0)


def silhouette_score(sums: torch.Tensor, groups: IntArray) -> float:
    """Mean of :func:`silhouette_samples`."""
    return float(silhouette_samples(sums, groups).mean())


def silhouettes_of_permuted_samples(
    distances: GroupDistances, groups: IntArray, num_groups: int, permutations: int, seed: int
) -> Array:
    """Scores (P,) of P labelings in which the samples change places, so that groups keep their sizes.

    They say what a score is where groups mean nothing at all. Chunks of one document resemble each other
    whatever the source, so a score above all of these is the least to expect.
    """
    generator = np.random.default_rng(seed)
    scores = np.empty(permutations)
    for number in range(permutations):
        permuted = generator.permutation(groups)
        scores[number] = silhouette_score(distances.sums(permuted, num_groups), permuted)
    return scores


def merged_sums(sums: torch.Tensor, categories: IntArray, num_categories: int) -> torch.Tensor:
    """Sums over categories from those over the groups they consist of, (n, G) -> (n, A).

    Args:
        sums: (n, G) of :meth:`GroupDistances.sums`.
        categories: (G,) the category of each group, 0 to A − 1.
        num_categories: A.
    """
    index = torch.from_numpy(categories).to(sums.device)
    members = torch.zeros(len(categories), num_categories, dtype=sums.dtype, device=sums.device)
    return sums @ members.scatter_(1, index[:, None], 1)


def silhouettes_of_permuted_groups(
    sums: torch.Tensor, groups: IntArray, categories: IntArray, permutations: int, seed: int
) -> Array:
    """Scores (P,) of categories dealt anew to whole groups, so that each keeps its number of groups.

    They say what a score by author is where the author means nothing beyond the source: samples of one source
    stay together.

    Args:
        sums: (n, G) of :meth:`GroupDistances.sums`.
        groups: (n,) the group of each sample.
        categories: (G,) the category of each group, numbered from 0.
        permutations: P.
        seed: of the permutations.
    """
    generator = np.random.default_rng(seed)
    num_categories = int(categories.max()) + 1
    scores = np.empty(permutations)
    for number in range(permutations):
        permuted = generator.permutation(categories)
        scores[number] = silhouette_score(merged_sums(sums, permuted, num_categories), permuted[groups])
    return scores
