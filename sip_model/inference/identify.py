"""From texts to source distributions, with a model loaded from its folder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import resolve_device
from sip_model.backbones.extract import Forward, extract_features, forward_alone
from sip_model.backbones.load import Backbone
from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_cache import text_slices
from sip_model.backbones.token_states import extract_token_states
from sip_model.backbones.tokens import token_offsets
from sip_model.backbones.trainable import with_weights
from sip_model.corpora.chunking import word_offsets
from sip_model.errors import ArtifactError, InvalidInputError
from sip_model.evidence.index import Query
from sip_model.experiments.evidence import EVIDENCE_FILE
from sip_model.identifiers.answers import Answers, Scored
from sip_model.identifiers.artifact import Artifact, BackboneReading, load_artifact
from sip_model.identifiers.pooling import USUAL_GROWTH, sharpened
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR
from sip_model.inference.distributions import Distributions, Evidence, Window
from sip_model.inference.evidence import LazyEvidence, find_evidence
from sip_model.inference.saliency import Explainer, WindowsRead
from sip_model.inference.spans import Painting, Read, paint
from sip_model.inference.units import Units, sentence_units, token_units
from sip_model.inference.windows import Cut, cut, pooled

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A trained identifier with the backbone it reads."""

    artifact: Artifact
    backbone: Backbone | None
    """None for an identifier that reads n-grams only."""
    evidence: LazyEvidence
    forward: Forward = forward_alone
    """Reads the tokens of texts whose features the backbone has; not those of token-level identifiers."""
    identifier_bytes: int = 0
    """Size of the files that the identifier was read from, without those that are mapped into memory."""

    @classmethod
    def load(cls, folder: Path, catalog: BackboneCatalog, device: str) -> Self:
        """Load a model and the very backbone it was trained on, with the weights that training gave it.

        Args:
            folder: the model's files; they must stay there.
            catalog: where its backbone comes from.
            device: ``auto`` or a torch device.

        Raises:
            ArtifactError: the files are damaged, or their tuned weights fit no weights of the backbone.
            BackboneError: the backbone is no longer allowed, not here, or of another content.
        """
        resolved = resolve_device(device)
        artifact = load_artifact(folder, resolved)
        reading = artifact.reading
        backbone = None
        if reading is not None:
            backbone = catalog.load(reading.id, reading.revision, resolved, reading.dtype)
            backbone = with_weights(backbone, artifact.tuned)
        files = [path for path in folder.iterdir() if path.is_file() and path.name != EVIDENCE_FILE]
        return cls(
            artifact,
            backbone,
            LazyEvidence(folder, artifact.evidence_sha256),
            identifier_bytes=sum(path.stat().st_size for path in files),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """C names, in the order of the distributions."""
        return self.artifact.identifier.sources

    @property
    def num_bytes(self) -> int:
        """Memory of the weights, about; evidence is not among them, it is mapped."""
        return self.identifier_bytes + (0 if self.backbone is None else self.backbone.num_bytes)

    @property
    def reads_tokens(self) -> bool:
        """Whether it reads the states of single tokens, in passes of its own."""
        return isinstance(self.artifact.identifier, TokenIdentifier)

    def classify(
        self,
        texts: Sequence[str],
        *,
        unknown_prior: float | None = None,
        evidence: int = 0,
        coverage: float | None = None,
        explain: bool = False,
        left_out: Sequence[IntArray] = (),
        spans: bool = False,
    ) -> Distributions:
        """The source distribution of every text.

        A text longer than the backbone reads at once, or much longer than any that was learned from, is read
        in windows. Their log-odds and signs of unknown are averaged, each weighted by its tokens; several
        make surer than one of the source. Quotations are looked for in the text as a whole.

        Args:
            texts: n texts, none blank.
            unknown_prior: share of texts from no known source, 0 to 1; None: 0.05.
            evidence: training passages per text.
            coverage: of the conformal sets, 0 to 1; None: none are made.
            explain: whether to weigh the tokens; nobody else may use the backbone meanwhile.
            left_out: passages that are no evidence for each text, n arrays of numbers; none given: none is.
            spans: whether to say which stretch of a text is of which source.

        Raises:
            InvalidInputError: the model has no evidence, no sets, or no spans, or can't be explained.
            ArtifactError: the file of the evidence is damaged.
        """
        explainer = Explainer(self.artifact, self.backbone) if explain else None
        pieces = self._cut(texts)
        read = self._read_texts([texts[piece.text][piece.start : piece.end] for piece in pieces.pieces])
        judgement = self.artifact.identifier.judgement
        prior = DEFAULT_UNKNOWN_PRIOR if unknown_prior is None else unknown_prior
        num_windows = np.bincount(pieces.owners, minlength=len(texts))
        scored = Scored(*(pooled(part, pieces.owners, read.tokens) for part in read.scored))
        self._quote_whole(scored.quoted, texts, pieces, num_windows)
        answers = judgement(scored, prior)
        known, is_long = self._known(scored, num_windows), num_windows > 1
        answers.probabilities[is_long] = known[is_long] * (1 - answers.unknown[is_long])[:, None]
        truncated = pieces.truncated.copy()
        np.logical_or.at(truncated, pieces.owners, read.truncated)
        support = self.artifact.support
        return Distributions(
            answers.probabilities,
            expit(scored.logits),
            answers.unknown,
            answers.known,
            truncated,
            int(read.tokens.sum()),
            _windows(pieces, judgement(read.scored, prior)),
            [[] if support is None else support.familiarity.warnings(text) for text in texts],
            self._evidence(texts, pieces, read, evidence, left_out) if evidence else None,
            None if coverage is None else self._sets(known, coverage),
            self._paint(texts, prior) if spans else None,
            None
            if explainer is None
            else explainer(texts, WindowsRead(pieces.pieces, read.scored.logits, read.features, read.tokens)),
        )

    def units(self, texts: Sequence[str]) -> list[Units]:
        """The units that spans are made of, of n texts, none blank: tokens of a token-level identifier,
        sentences of any other."""
        identifier, reading = self.artifact.identifier, self.artifact.reading
        if not isinstance(identifier, TokenIdentifier) or self.backbone is None or reading is None:
            return sentence_units(texts, lambda parts: self._read_texts(parts).scored.logits)
        pieces = cut(texts, None, self.backbone, reading.max_tokens).pieces
        parts = [texts[piece.text][piece.start : piece.end] for piece in pieces]
        units: list[list[Units]] = [[] for _ in texts]
        starts: list[list[int]] = [[] for _ in texts]
        for piece, found in zip(pieces, token_units(parts, identifier, self.backbone, reading), strict=True):
            units[piece.text].append(found)
            starts[piece.text].append(piece.start)
        return [Units.joined(*each) for each in zip(texts, units, starts, strict=True)]

    def read(self, texts: Sequence[str], prior: float = DEFAULT_UNKNOWN_PRIOR) -> Read:
        """What n texts, none blank, come to, as spans are judged by it."""
        found = self.classify(texts, unknown_prior=prior)
        usual = found if prior == DEFAULT_UNKNOWN_PRIOR else self.classify(texts)
        return Read(found.probabilities, found.unknown, usual.unknown)

    def _paint(self, texts: Sequence[str], prior: float) -> list[Painting]:
        smoothing = self.artifact.smoothing
        if smoothing is None:
            raise InvalidInputError(("level",), "text: this model tells of no spans", "token")
        offsets = word_offsets if self.backbone is None else token_offsets(self.backbone)
        return paint(texts, self.units(texts), smoothing, lambda parts: self.read(parts, prior), offsets)

    def _cut(self, texts: Sequence[str]) -> Cut:
        reading, support = self.artifact.reading, self.artifact.support
        max_words = None if support is None else support.familiarity.max_words
        return cut(texts, max_words, self.backbone, None if reading is None else reading.max_tokens)

    def _quote_whole(self, quoted: Array, texts: Sequence[str], pieces: Cut, num_windows: IntArray) -> None:
        """Put in place of what windows share with known texts, (n, C), what their texts do: words on both
        sides of a border may be one quotation."""
        identifier = self.artifact.identifier
        if isinstance(identifier, TokenIdentifier):
            return
        ends = {piece.text: piece.end for piece in pieces.pieces}
        rows = np.flatnonzero(num_windows > 1)
        quoted[rows] = identifier.quotations.shares([texts[row][: ends[row]] for row in rows.tolist()])

    def _known(self, scored: Scored, num_windows: IntArray) -> Array:
        """From the means over windows to probabilities given that some known source is right, (n, C)."""
        judgement, support = self.artifact.identifier.judgement, self.artifact.support
        by_members = judgement.calibration(scored.logits)
        growth = USUAL_GROWTH if support is None else support.growth
        return judgement.known(sharpened(by_members, num_windows, growth), scored.quoted)

    def _sets(self, known: Array, coverage: float) -> BoolArray:
        if self.artifact.support is None:
            raise InvalidInputError(("coverage",), "none: this model has no conformal sets", f"{coverage:g}")
        return self.artifact.support.conformal.sets(known, coverage)

    def _evidence(
        self, texts: Sequence[str], pieces: Cut, read: "_Read", k: int, left_out: Sequence[IntArray]
    ) -> list[list[Evidence]]:
        index = self.evidence.index()
        if index is None:
            raise InvalidInputError(("evidence",), "0, since this model keeps no passages", str(k))
        parts = [texts[piece.text][piece.start : piece.end] for piece in pieces.pieces]
        left_out_of_parts = [left_out[owner] for owner in pieces.owners.tolist()] if left_out else ()
        known = log_known(self._known(read.scored, np.ones(len(parts), np.int64)))
        return find_evidence(
            index,
            Query(parts, read.features, known, left_out_of_parts),
            texts,
            pieces.pieces,
            k,
        )

    def _read_texts(self, texts: Sequence[str]) -> "_Read":
        identifier, reading = self.artifact.identifier, self.artifact.reading
        if isinstance(identifier, TokenIdentifier):
            if self.backbone is None or reading is None:
                raise ArtifactError(("backbone",), "the backbone of a token-level identifier", "none")
            return _read_tokens(identifier, self.backbone, reading, texts)
        if self.backbone is None or reading is None:
            nothing = np.zeros(len(texts), dtype=np.int64)
            return _Read(identifier.scored(texts, None), None, nothing.astype(np.bool_), nothing)
        extraction = extract_features(
            self.backbone, texts, reading.layers, reading.pooling, reading.max_tokens, self.forward
        )
        features = extraction.features.reshape(len(texts), math.prod(extraction.features.shape[1:]))
        return _Read(
            identifier.scored(texts, features), features, extraction.truncated, extraction.num_tokens
        )


def log_known(probabilities: Array) -> Array:
    """Their logarithms, none of them infinite."""
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)))


def _windows(pieces: Cut, answers: Answers) -> list[list[Window]]:
    """The windows of each text, best source first; none for a text in one piece."""
    found: list[list[Window]] = [[] for _ in pieces.truncated]
    for piece, row, none in zip(pieces.pieces, answers.probabilities, answers.unknown.tolist(), strict=True):
        best = int(row.argmax())
        found[piece.text].append(Window(piece.start, piece.end, best, float(row[best]), none))
    return [windows if len(windows) > 1 else [] for windows in found]


class _Read(NamedTuple):
    """What reading m pieces came to."""

    scored: Scored
    features: npt.NDArray[np.float32] | None
    """(m, D); None where there are none of a whole piece."""
    truncated: npt.NDArray[np.bool_]
    """(m,)"""
    tokens: npt.NDArray[np.int64]
    """(m,) read."""


def _read_tokens(
    identifier: TokenIdentifier, backbone: Backbone, reading: BackboneReading, texts: Sequence[str]
) -> _Read:
    """Logits of texts by a token-level identifier, some texts at a time."""
    logits = [np.zeros((0, len(identifier.sources)))]
    truncated, tokens = [np.zeros(0, dtype=np.bool_)], [np.zeros(0, dtype=np.int64)]
    for taken in text_slices(texts):
        states = extract_token_states(backbone, taken, reading.layers[0], reading.max_tokens)
        rows = TokenRows(StateStore.in_memory(states), identifier.ngram)
        logits.append(identifier.passage_logits(rows, np.arange(len(taken))))
        truncated.append(states.truncated)
        tokens.append(np.diff(rows.store.starts))
    scored = identifier.scored(np.concatenate(logits))
    return _Read(scored, None, np.concatenate(truncated), np.concatenate(tokens))
