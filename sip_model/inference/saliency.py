"""Which tokens of a text speak for its most probable source.

Three explanations, each a number per token:

- `gradient`: gradient x input of the trained head's log-odds, through the backbone to its token embeddings.
- `channels`: the same, but in the upper half of the layers the gradient passes only through the channels
  that tell the source apart, its variance conserved (:mod:`sip_model.analysis.saliency.channels`).
- `weight`: of the answer itself, which adds up n-grams, head and discriminant: the exact parts of the
  n-grams, shared out over their characters, and gradient x input of what the backbone adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sip_model.analysis.saliency.channels import source_statistics, strongest, upper_half
from sip_model.analysis.saliency.curves import log_odds_slope
from sip_model.analysis.saliency.gradients import EncodedText, TracedText, encode_text
from sip_model.analysis.saliency.lexical import character_parts, word_parts, words_of
from sip_model.backbones.load import Backbone
from sip_model.errors import InvalidInputError
from sip_model.identifiers.artifact import Artifact, BackboneReading
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.vocabulary import VOCABULARY_MEMBERS
from sip_model.inference.windows import Piece, pooled

CHANNEL_SHARE = 0.25
"""Of the channels of a layer, those that the gradient passes through; a first guess, not yet chosen by
measurement (benchmarks/saliency.py)."""
BACKBONE_FACTOR = 1.0
"""How much the backbone's part of a weight counts beside that of the n-grams; 1, as it adds up in the answer,
until it is chosen by measurement."""

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class Parts(NamedTuple):
    """What T tokens say for a source, each (T,)."""

    ngrams: Array
    """Part of n-grams and words in the answer's log-odds, exact."""
    backbone: Array
    """Gradient x input of what the backbone's members add to the answer's log-odds."""
    gradient: Array
    """Gradient x input of the head's log-odds."""
    channels: Array
    """The same through selected channels; NaN where none can be selected."""


@dataclass(frozen=True, slots=True, eq=False)
class Saliency:
    """What the T tokens of a text say for its most probable source."""

    offsets: IntArray
    """(T, 2) start and end in code points of the text, in order."""
    parts: Parts
    reads_backbone: bool
    """Whether there are gradients; without, they are 0."""

    @property
    def weights(self) -> Array:
        """(T,) of the answer."""
        return self.parts.ngrams + BACKBONE_FACTOR * self.parts.backbone


class WindowsRead(NamedTuple):
    """What reading the m windows of n texts came to."""

    pieces: Sequence[Piece]
    """m, in the order of the texts."""
    logits: Array
    """(m, C) of the identifier."""
    features: FloatArray | None
    """(m, D) of the backbone; None where none is read."""
    tokens: IntArray
    """(m,) which a window counts by."""


class _Slopes(NamedTuple):
    """Gradients of a text's log-odds by the logits of one of its windows; (C,) each, adding up to 0."""

    answer: Array
    head: Array


class Explainer:
    """Explains answers of an identifier.

    Args:
        artifact: the identifier and how its features are read.
        backbone: with the weights that it reads; None where it reads n-grams alone. Nobody else may use it
            meanwhile.
        channel_share: of the channels that are kept, above 0 to 1.

    Raises:
        InvalidInputError: it is an identifier of single tokens.
    """

    def __init__(
        self, artifact: Artifact, backbone: Backbone | None, channel_share: float = CHANNEL_SHARE
    ) -> None:
        if isinstance(artifact.identifier, TokenIdentifier):
            hint = "Ask a model of whole texts, trained with identifier.ngram null."
            raise InvalidInputError(("explain",), "false for a token-level model", "true", hint)
        self._identifier: Identifier = artifact.identifier
        self._reading = artifact.reading
        self._backbone = backbone
        self._channel_share = channel_share

    def __call__(self, texts: Sequence[str], read: WindowsRead) -> list[Saliency]:
        """Explanations of n texts; each window is differentiated by itself."""
        owners = np.array([piece.text for piece in read.pieces], np.int64)
        answer = pooled(read.logits, owners, read.tokens)  # (n, C)
        branch = self._identifier.members.backbone
        head = answer
        if branch is not None and read.features is not None:
            features = torch.from_numpy(read.features).to(branch.whitening.mean.device)
            head = pooled(branch(features).double().cpu().numpy(), owners, read.tokens)
        sources = answer.argmax(axis=1)  # (n,)
        kept = {source: self.kept_channels(source) for source in np.unique(sources).tolist()}
        counted = np.maximum(read.tokens, 1)
        shares = counted / np.bincount(owners, weights=counted)[owners]  # (m,)
        found: list[list[tuple[IntArray, Parts]]] = [[] for _ in texts]
        for piece, share in zip(read.pieces, shares.tolist(), strict=True):
            source = int(sources[piece.text])
            slopes = _Slopes(
                *(share * log_odds_slope(logits[piece.text], source) for logits in (answer, head))
            )
            window = texts[piece.text][piece.start : piece.end]
            offsets, parts = self._window(window, slopes, kept[source])
            found[piece.text].append((piece.start + offsets, parts))
        return [_joined(windows, reads_backbone=branch is not None) for windows in found]

    def kept_channels(self, source: int) -> dict[int, torch.Tensor]:
        """By layer read in the upper half, which channels tell a source apart, (D,) bool; empty where the
        centroids of the sources aren't known."""
        branch = self._identifier.members.backbone
        if branch is None or self._backbone is None or self._reading is None or branch.centroids is None:
            return {}
        statistics = source_statistics(branch.whitening, branch.centroids[source])  # (K · D,)
        by_layer = statistics.view(len(self._reading.layers), -1)
        upper = upper_half(self._backbone.info.num_layers)
        return {
            layer: strongest(row, self._channel_share)
            for layer, row in zip(self._reading.layers, by_layer, strict=True)
            if layer in upper
        }

    def _window(self, text: str, slopes: _Slopes, kept: Mapping[int, torch.Tensor]) -> tuple[IntArray, Parts]:
        """Offsets (T, 2) of a window's tokens, and their parts."""
        members, fusion = self._identifier.members, self._identifier.fusion
        characters = np.zeros(len(text) + 1)
        for branch, weight in zip(members.lexical, fusion.weights, strict=False):
            characters[1:] += weight * character_parts(branch, text, slopes.answer)
        num_lexical = len(members.lexical)
        if members.vocabulary is not None:
            of_words = fusion.weights[num_lexical : num_lexical + len(VOCABULARY_MEMBERS)]
            characters[1:] += word_parts(members.vocabulary, text, slopes.answer, of_words)
            num_lexical += len(VOCABULARY_MEMBERS)
        sums = np.cumsum(characters)
        if members.backbone is None or self._backbone is None or self._reading is None:
            offsets = words_of(text)
            nothing = np.zeros(len(offsets))
            return offsets, Parts(_between(sums, offsets), nothing, nothing, nothing)
        encoded = encode_text(self._backbone, text, self._reading.max_tokens)
        offsets = encoded.offsets[encoded.is_own]
        weights = fusion.weights[num_lexical:]
        explained = _differentiate(
            self._backbone, self._reading, members.backbone, encoded, weights, slopes, kept
        )
        return offsets, Parts(_between(sums, offsets), *(row[encoded.is_own] for row in explained))


def _differentiate(
    backbone: Backbone,
    reading: BackboneReading,
    branch: BackboneBranch,
    text: EncodedText,
    weights: Sequence[float],
    slopes: _Slopes,
    kept: Mapping[int, torch.Tensor],
) -> tuple[Array, Array, Array]:
    """One forward and up to three backward passes: the last three of `Parts`, of all tokens.

    Args:
        weights: of head and discriminant in the answer.
    """
    traced = TracedText(backbone, text, reading.layers, reading.pooling)
    with torch.enable_grad():
        scores = branch.differentiable(traced.features)
        logits = [row[0].double() for row in (scores.head, scores.discriminant) if row is not None]  # (C,)
        answer, head = (torch.from_numpy(slope).to(logits[0].device) for slope in slopes)
        added = [weight * (row @ answer) for weight, row in zip(weights, logits, strict=True)]
        value = torch.stack(added).sum()
        of_head = logits[0] @ head
    gradient = traced.gradient_times_input(of_head)
    channels = traced.gradient_times_input(of_head, kept) if kept else np.full_like(gradient, np.nan)
    return traced.gradient_times_input(value), gradient, channels


def _between(sums: Array, offsets: IntArray) -> Array:
    """What the characters of each token come to, (T,), from running sums (characters + 1,)."""
    return np.asarray(sums[offsets[:, 1]] - sums[offsets[:, 0]])


def _joined(windows: Sequence[tuple[IntArray, Parts]], *, reads_backbone: bool) -> Saliency:
    offsets = np.concatenate([offsets for offsets, _ in windows])
    columns = zip(*(parts for _, parts in windows), strict=True)
    return Saliency(offsets, Parts(*(np.concatenate(column) for column in columns)), reads_backbone)
