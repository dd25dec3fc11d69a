"""A trained identifier: branches, how they add up, and the calibration of what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.identifiers.branches import BackboneBranch, LexicalBranch
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.fusion import Fusion

FloatArray = npt.NDArray[np.float32]

# Texts scored at a time: bounds the (K, n, C) block of branch logits.
SCORED_TEXTS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Identifier:
    """Maps texts and their backbone features to logits over sources."""

    sources: tuple[str, ...]
    """C names, in the order of the logits."""
    lexical: tuple[LexicalBranch, ...]
    backbone: BackboneBranch | None
    fusion: Fusion
    """Its weights are in the order of `lexical`, then `backbone`."""
    calibration: Calibration

    def logits(self, texts: Sequence[str], features: FloatArray | None) -> npt.NDArray[np.float64]:
        """One-versus-all logits, (n, C).

        Args:
            texts: n texts.
            features: (n, D) float32, the layers side by side; None where there is no backbone branch.
        """
        parts = [
            self.fusion(
                branch_logits(
                    self.lexical,
                    self.backbone,
                    texts[start : start + SCORED_TEXTS],
                    None if features is None else features[start : start + SCORED_TEXTS],
                )
            ).numpy()
            for start in range(0, len(texts), SCORED_TEXTS)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.sources)))


def branch_logits(
    lexical: Sequence[LexicalBranch],
    backbone: BackboneBranch | None,
    texts: Sequence[str],
    features: FloatArray | None,
) -> torch.Tensor:
    """Logits of every branch on the CPU, (K, n, C) float32."""
    scores = [branch(texts) for branch in lexical]
    if backbone is not None:
        if features is None:
            raise ValueError(
                "features: expected an array for an identifier that reads a backbone, found None"
            )
        device = backbone.whitening.mean.device
        scores.append(backbone(torch.from_numpy(features).to(device)).cpu())
    return torch.stack(scores)
