"""The trained model an experiment uses, and the chunks it is asked about."""

from collections.abc import Iterator
from dataclasses import dataclass

from sip_model.backbones.tokens import Offsets, token_offsets
from sip_model.corpora.chunking import iter_chunks
from sip_model.corpora.store import Corpus
from sip_model.errors import ArtifactError
from sip_model.experiments.config import ChunkConfig
from sip_model.inference.identify import LoadedModel
from worker.jobs.card import ModelCard, read_card
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader, catalog_of

# Chunks classified between two progress reports: enough for full batches of any length.
BATCH_CHUNKS = 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk of a corpus and where it comes from."""

    number: int
    """Of the document, from 0."""
    document: str
    sources: tuple[str, ...]
    text: str
    start: int
    end: int
    """Code points of the document."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A loaded model and how it was trained."""

    loaded: LoadedModel
    card: ModelCard
    context: JobContext[object]

    @classmethod
    def open(cls, context: JobContext[object]) -> "TrainedModel":
        """The model the experiment names.

        Raises:
            ArtifactError: its files are damaged, or it has no card of ours.
        """
        if context.model_id is None:
            raise ArtifactError(("model",), "the model this experiment uses", "none", "It was deleted")
        loaded = LoadedModel.load(
            context.model_folder(context.model_id), catalog_of(context.settings), context.device
        )
        return cls(loaded, read_card(loaded.artifact.card), context)

    @property
    def backbone_id(self) -> str | None:
        """Id of its backbone; None for a lexical identifier."""
        return None if self.card.backbone is None else self.card.backbone.id

    def offsets(self, chunk: ChunkConfig) -> Offsets | None:
        """The tokenizer that chunks of `num_tokens` are counted with, also where n-grams are all that is
        read; None for chunks of words."""
        if chunk.num_tokens is None:
            return None
        if self.loaded.backbone is None:
            return BackboneReader(self.context, self.card.config.backbone).offsets()
        return token_offsets(self.loaded.backbone)

    def batches(self, corpus: Corpus, chunk: ChunkConfig | None, skip: int = 0) -> Iterator[list[Piece]]:
        """All chunks of a corpus, `BATCH_CHUNKS` at a time.

        Args:
            corpus: streamed.
            chunk: its length counts; None: that of the chunks the model was trained on.
            skip: chunks left out at the beginning.
        """
        chunk = chunk or self.card.config.chunk
        offsets = self.offsets(chunk)
        batch: list[Piece] = []
        for number, document in enumerate(corpus.documents()):
            for cut in iter_chunks(document, chunk, offsets):
                if skip:
                    skip -= 1
                    continue
                batch.append(Piece(number, document.document, document.sources, cut.text, cut.start, cut.end))
                if len(batch) == BATCH_CHUNKS:
                    yield batch
                    batch = []
        if batch:
            yield batch
