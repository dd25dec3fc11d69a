"""A trained identifier: members, how they add up, and what is made of the sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.answers import Judgement, Scored
from sip_model.identifiers.fusion import Fusion
from sip_model.identifiers.members import Members
from sip_model.identifiers.quotations import Quotations
from sip_model.identifiers.signs import member_signs, sign_names

FloatArray = npt.NDArray[np.float32]

# Texts scored at a time: bounds the (K, n, C) block of member logits.
SCORED_TEXTS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Identifier:
    """Maps texts and their backbone features to a distribution over sources and "unknown"."""

    sources: tuple[str, ...]
    """C names, in the order of the logits."""
    members: Members
    fusion: Fusion
    """Its weights are in the order of the members."""
    judgement: Judgement
    quotations: Quotations
    """Of the texts that its members have learned from."""

    def scored(self, texts: Sequence[str], features: FloatArray | None) -> Scored:
        """Logits, signs and quotations.

        Args:
            texts: n texts.
            features: (n, D) float32, the layers side by side; None where no member reads a backbone.
        """
        found = score(self.members, self.fusion, texts, features)
        return found._replace(quoted=self.quotations.shares(texts))


def score(members: Members, fusion: Fusion, texts: Sequence[str], features: FloatArray | None) -> Scored:
    """What n texts come to, `SCORED_TEXTS` at a time, quotations left out; see :meth:`Identifier.scored`."""
    logit_parts = [np.zeros((0, members.num_sources))]
    sign_parts = [np.zeros((0, len(sign_names(members))))]
    for start in range(0, len(texts), SCORED_TEXTS):
        end = start + SCORED_TEXTS
        scores = members.scores(texts[start:end], None if features is None else features[start:end])
        logits = fusion(scores.logits).numpy()
        logit_parts.append(logits)
        sign_parts.append(member_signs(logits, scores, members))
    return Scored(np.concatenate(logit_parts), np.concatenate(sign_parts), np.zeros((len(texts), 0)))
