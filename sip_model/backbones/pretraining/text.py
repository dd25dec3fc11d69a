"""The text a language model is trained on, and the text that is kept from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sip_model.corpora.leakage import cut_held_out
from sip_model.corpora.spans import PartSpans, part_spans
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig


@dataclass(frozen=True, slots=True, eq=False)
class PretrainingText:
    """M corpora that are read as one, each split the same way."""

    corpora: tuple[Corpus, ...]
    spans: tuple[PartSpans, ...]
    """Of each corpus, all parts."""
    train: tuple[PartSpans, ...]
    """Of each corpus, the train part without what stands in the held-out parts of any of them."""
    num_words: int
    """Of the train parts."""
    num_words_cut: int
    """Of those, how many were left out because held-out text repeats them."""

    @classmethod
    def of(
        cls,
        corpora: Sequence[Corpus],
        chunk: ChunkConfig,
        sources: SourcesConfig,
        split: SplitConfig,
        seed: int,
    ) -> "PretrainingText":
        """Split corpora as `prepare_samples` does, with its arguments and errors."""
        spans = [part_spans(corpus, chunk, sources, split, seed) for corpus in corpora]
        cleaned = cut_held_out(corpora, spans)
        return cls(
            tuple(corpora),
            tuple(spans),
            tuple(entry.spans for entry in cleaned),
            sum(entry.num_words for entry in cleaned),
            sum(entry.num_words_cut for entry in cleaned),
        )

    def train_texts(self) -> Iterator[str]:
        """What is learned from."""
        for corpus, spans in zip(self.corpora, self.train, strict=True):
            yield from spans.texts(corpus)

    def held_out_texts(self, part: str) -> Iterator[str]:
        """The text of a held-out part of `PARTS`."""
        for corpus, spans in zip(self.corpora, self.spans, strict=True):
            yield from spans.part(part).texts(corpus)
