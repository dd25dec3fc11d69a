"""The members of an identifier: what each of its branches makes of a text, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.identifiers.branches import BACKBONE_BRANCH, BackboneBranch, LexicalBranch
from sip_model.identifiers.vocabulary import VOCABULARY_MEMBERS, Vocabulary, VocabularyScores

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MemberScores:
    """What K members make of n texts."""

    logits: torch.Tensor
    """(K, n, C) float32 on the CPU, in the order of :attr:`Members.names`."""
    novelty: FloatArray
    """(n, L) share of unseen n-grams, by lexical branch."""
    distance: FloatArray
    """(n, 1) from the nearest source's centroid; (n, 0) where no centroids are known."""
    vocabulary: VocabularyScores | None
    """None where no words are remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The branches of an identifier; at least one beside the vocabulary."""

    lexical: tuple[LexicalBranch, ...]
    vocabulary: Vocabulary | None
    """None for identifiers that read a backbone alone."""
    backbone: BackboneBranch | None

    @property
    def num_sources(self) -> int:
        """C."""
        first = self.backbone if self.backbone is not None else self.lexical[0]
        return first.num_sources

    @property
    def names(self) -> tuple[str, ...]:
        """K names."""
        names = [branch.ngrams.spec.name for branch in self.lexical]
        if self.vocabulary is not None:
            names += VOCABULARY_MEMBERS
        if self.backbone is not None:
            names.append(BACKBONE_BRANCH)
            if self.backbone.centroids is not None:
                names.append(f"{BACKBONE_BRANCH}_discriminant")
        return tuple(names)

    def scores(self, texts: Sequence[str], features: FloatArray | None) -> MemberScores:
        """Of n texts; a text's scores don't depend on the others.

        Args:
            texts: n texts.
            features: (n, D) float32, the layers side by side; None where no member reads a backbone.
        """
        logits: list[torch.Tensor] = []
        novelty = np.zeros((len(texts), len(self.lexical)), dtype=np.float32)
        for number, branch in enumerate(self.lexical):
            read = branch.scores(texts)
            logits.append(read.logits)
            novelty[:, number] = read.novelty
        words = None
        if self.vocabulary is not None:
            words = self.vocabulary.scores(texts)
            logits += words.shared
        distance = np.zeros((len(texts), 0), dtype=np.float32)
        if self.backbone is not None:
            if features is None:
                raise ValueError(
                    "features: expected an array for an identifier that reads a backbone, found None"
                )
            device = self.backbone.whitening.mean.device
            found = self.backbone.scores(torch.from_numpy(features).to(device))
            logits.append(found.head.cpu())
            if found.discriminant is not None and found.distance is not None:
                logits.append(found.discriminant.cpu())
                distance = found.distance.cpu().numpy()[:, None]
        return MemberScores(torch.stack(logits), novelty, distance, words)
