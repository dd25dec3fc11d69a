"""One cell of benchmarks/saliency.py: a task with a seed, a trained model, and the areas of its curves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sip_model.analysis.saliency.curves import (
    area,
    deletion_texts,
    insertion_texts,
    log_odds,
    log_odds_slope,
    ranking,
)
from sip_model.analysis.saliency.gradients import TracedText, encode_text
from sip_model.backbones.extract import extract_features
from sip_model.corpora.samples import Samples
from sip_model.identifiers.branches import BACKBONE_BRANCH
from sip_model.identifiers.identifier import Identifier
from sip_model.inference.identify import LoadedModel
from sip_model.inference.saliency import Explainer, Saliency

TARGETS = ("head", "answer")
"""Whose log-odds of the answer's first source a curve follows: of the trained head, or of the answer."""
CHANNEL_SHARES = (0.125, 0.25, 0.5, 0.75)
BACKBONE_FACTORS = (0.0, 0.5, 1.0, 2.0)
NUM_RANDOM = 2
"""Random orders of each text, whose areas are averaged."""
BLOCK_TEXTS = 10
"""Texts between two writes."""

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Orders = Mapping[str, Sequence[IntArray]]
"""By ranking, one order or several of a text's tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """n texts under R rankings."""

    rankings: npt.NDArray[np.str_]
    """(R,) names."""
    documents: npt.NDArray[np.str_]
    """(n,)"""
    areas: Array
    """(n, R, 2, 2): of each target of `TARGETS`, under the deletion and the insertion curve."""

    def faithfulness(self, ranking: str, target: str) -> Array:
        """Insertion minus deletion area of every text, (n,), in nats of log-odds."""
        of_ranking = self.areas[:, self.rankings.tolist().index(ranking), TARGETS.index(target)]
        return np.asarray(of_ranking[:, 1] - of_ranking[:, 0])

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, rankings=self.rankings, documents=self.documents, areas=self.areas)
        part.replace(path)

    @classmethod
    def joined(cls, curves: Sequence["Curves"]) -> "Curves":
        """Those of several blocks."""
        parts = ([getattr(each, name) for each in curves] for name in ("documents", "areas"))
        documents, areas = (np.concatenate(part) for part in parts)
        return cls(curves[0].rankings, documents, areas)

    @classmethod
    def load(cls, path: Path) -> "Curves":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["rankings"], arrays["documents"], arrays["areas"])


def blocks_of(samples: Samples, part: str, num_texts: int, seed: int) -> list[IntArray]:
    """Texts drawn from a part, some at a time: the same whatever their number."""
    drawn = np.random.default_rng(seed).permutation(samples.part(part))[:num_texts]
    return [drawn[start : start + BLOCK_TEXTS] for start in range(0, len(drawn), BLOCK_TEXTS)]


def curves_of(model: LoadedModel, samples: Samples, rows: IntArray, seed: int, *, is_choice: bool) -> Curves:
    """Areas for some texts.

    Args:
        rows: their numbers.
        is_choice: compare what can be chosen, else random order, gradient, channels and the answer's weights.
    """
    texts = [samples.texts[row] for row in rows.tolist()]
    found = model.classify(texts, explain=True)
    assert found.saliency is not None
    sources = found.scores.argmax(axis=1)
    generator = np.random.default_rng([seed, int(rows[0])])
    areas, names = [], []
    for text, saliency, source in zip(texts, found.saliency, sources.tolist(), strict=True):
        orders = (
            dict(_choices(model, text, saliency, source)) if is_choice else _compared(saliency, generator)
        )
        names = list(orders)
        areas.append(_areas(model, text, saliency.offsets, orders, source))
    return Curves(
        np.array(names), np.array([samples.documents[row] for row in rows.tolist()]), np.array(areas)
    )


def _compared(saliency: Saliency, generator: np.random.Generator) -> Orders:
    parts = saliency.parts
    return {
        "random": [generator.permutation(len(saliency.offsets)) for _ in range(NUM_RANDOM)],
        "gradient": [ranking(parts.gradient)],
        "channels": [ranking(parts.channels)],
        "answer": [ranking(saliency.weights)],
    }


def _choices(
    model: LoadedModel, text: str, saliency: Saliency, source: int
) -> Iterator[tuple[str, Sequence[IntArray]]]:
    """Rankings by plain gradient, by shares of the channels, and by weights of the backbone's part."""
    yield "gradient", [ranking(saliency.parts.gradient)]
    reading, backbone, identifier = model.artifact.reading, model.backbone, model.artifact.identifier
    assert isinstance(identifier, Identifier)
    assert reading is not None
    assert backbone is not None
    branch = identifier.members.backbone
    assert branch is not None
    encoded = encode_text(backbone, text, reading.max_tokens)
    traced = TracedText(backbone, encoded, reading.layers, reading.pooling)
    head = branch.differentiable(traced.features).head[0].double()
    value = head @ torch.from_numpy(log_odds_slope(head.detach().numpy(), source))
    for share in CHANNEL_SHARES:
        kept = Explainer(model.artifact, backbone, share).kept_channels(source)
        yield f"channels {share:g}", [ranking(traced.gradient_times_input(value, kept)[encoded.is_own])]
    for factor in BACKBONE_FACTORS:
        yield f"answer {factor:g}", [ranking(saliency.parts.ngrams + factor * saliency.parts.backbone)]


def _areas(model: LoadedModel, text: str, offsets: IntArray, orders: Orders, source: int) -> Array:
    """(R, 2, 2), means over the orders of each ranking."""
    curves = [
        make(text, offsets, order)
        for of_ranking in orders.values()
        for order in of_ranking
        for make in (deletion_texts, insertion_texts)
    ]
    texts = sorted({each for curve in curves for each in curve})
    values = dict(zip(texts, _log_odds(model, texts, source).tolist(), strict=True))
    areas = iter([area(np.array([values[each] for each in curve]).T) for curve in curves])  # of (2,) each
    return np.array(
        [np.mean([[next(areas), next(areas)] for _ in each], axis=0).T for each in orders.values()]
    )


def _log_odds(model: LoadedModel, texts: Sequence[str], source: int) -> Array:
    """Of n texts, for each target, (n, 2)."""
    identifier, reading, backbone = model.artifact.identifier, model.artifact.reading, model.backbone
    assert isinstance(identifier, Identifier)
    assert reading is not None
    assert backbone is not None
    read = extract_features(backbone, texts, reading.layers, reading.pooling, reading.max_tokens)
    scores = identifier.members.scores(texts, read.features.reshape(len(texts), -1))
    head = scores.logits[identifier.members.names.index(BACKBONE_BRANCH)].double().numpy()
    answer = identifier.fusion(scores.logits).numpy()
    sources = np.full(len(texts), source)
    return np.stack([log_odds(logits, sources) for logits in (head, answer)], axis=1)
