"""Perplexity on stretches of a corpus, within a budget of tokens, by source."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sip_model.analysis.perplexity import Perplexity, TextScore, score_texts, spread_order
from sip_model.backbones.causal import CausalBackbone
from sip_model.corpora.spans import TO_THE_END, PartSpans
from sip_model.corpora.split import TEST
from sip_model.corpora.store import Corpus

_FIRST_ROWS, _MOST_ROWS = 64, 4096


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSpans:
    """The spans that were read, and how well each was predicted."""

    corpus: Corpus
    spans: PartSpans
    scores: list[TextScore]

    def total(self) -> Perplexity:
        """Over all of them."""
        return Perplexity.of(self.scores)

    def by_source(self) -> dict[str, Perplexity]:
        """Of each source, in the order of the corpus; a document of several sources counts for each."""
        numbers = np.unique(self.spans.documents)
        sources = {number: document.sources for number, document in self.corpus.documents_at(numbers)}
        scores: dict[str, list[TextScore]] = {}
        order = np.argsort(self.spans.documents, kind="stable").tolist()
        for row in order:
            for source in sources[int(self.spans.documents[row])]:
                scores.setdefault(source, []).append(self.scores[row])
        return {source: Perplexity.of(found) for source, found in scores.items()}


def whole_documents(corpus: Corpus) -> PartSpans:
    """Every document of a corpus as one span."""
    numbers = np.arange(corpus.num_documents)
    return PartSpans(
        numbers,
        np.zeros_like(numbers),
        np.full_like(numbers, TO_THE_END),
        np.full(len(numbers), TEST, np.uint8),
    )


def score_spans(
    backbone: CausalBackbone,
    corpus: Corpus,
    spans: PartSpans,
    context: int | None,
    stride: int | None,
    max_tokens: int | None,
    on_progress: Callable[[int, int], None],
) -> ScoredSpans:
    """Read spans in an order that spreads over the corpus, until `max_tokens` tokens are read.

    Args:
        backbone: with its head.
        corpus: of the spans.
        spans: what may be read.
        context: see :func:`sip_model.analysis.perplexity.score_texts`.
        stride: likewise.
        max_tokens: tokens read at most, the last span being cut short; None: no limit.
        on_progress: called with spans read and spans there are.
    """
    order = spread_order(len(spans))
    left = max_tokens
    scores: list[TextScore] = []
    size = _FIRST_ROWS
    while len(scores) < len(order) and (left is None or left > 0):
        rows = order[len(scores) : len(scores) + size]
        places = np.sort(rows)
        texts = dict(zip(places.tolist(), spans.take(places).texts(corpus), strict=True))
        found = score_texts(backbone, [texts[row] for row in rows.tolist()], context, stride, left)
        scores += found
        if left is not None:
            left -= sum(score.num_read for score in found)
        on_progress(len(scores), len(order))
        size = min(2 * size, _MOST_ROWS)
    read = [number for number, score in enumerate(scores) if score.num_read]
    return ScoredSpans(corpus, spans.take(order[read]), [scores[number] for number in read])
