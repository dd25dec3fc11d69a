"""Kind `features`: every chunk of a dataset through a backbone once, into the feature cache."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sip_model.backbones.cache import SLICE_TEXTS
from sip_model.backbones.layers import resolve_layers
from sip_model.corpora.samples import kept_texts
from sip_model.corpora.store import Corpus
from sip_model.experiments.features import FeaturesConfig
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader, ReadingCost, catalog_of, report_memory


def run(context: JobContext[FeaturesConfig]) -> None:
    """Read slice by slice; after each, note what it has cost, for the attempt that takes up from there."""
    config = context.config
    reader = BackboneReader(context, replace(config.backbone, layers=_layers(context)))
    context.progress("samples", 0, 1, "corpora")
    texts = kept_texts(
        Corpus(context.corpus_path),
        config.chunk,
        config.sources,
        config.features.seeds,
        reader.offsets() if config.chunk.num_tokens is not None else None,
    )
    # long texts first: what doesn't fit into memory fails at once, and the time left is not underrated
    texts.sort(key=len, reverse=True)
    context.metric("data/texts", len(texts))
    reader.report(_read(context, reader, texts))
    report_memory(context)


def _layers(context: JobContext[FeaturesConfig]) -> tuple[int, ...]:
    """All layers that anyone asks for."""
    config = context.config
    info = catalog_of(context.settings).fetch(config.backbone.id, config.backbone.revision)
    choices = (config.backbone.layers, *config.features.layers)
    return tuple(sorted({layer for choice in choices for layer in resolve_layers(choice, info.num_layers)}))


@dataclass(frozen=True, slots=True)
class _State:
    """How far a reading of `num_texts` is."""

    num_texts: int
    done: int
    cost: ReadingCost

    @classmethod
    def load(cls, path: Path, num_texts: int) -> "_State":
        """What an earlier attempt kept; the beginning where there is nothing of use."""
        if path.is_file():
            kept = json.loads(path.read_text())
            if kept["num_texts"] == num_texts:
                return cls(num_texts, kept["done"], ReadingCost(**kept["cost"]))
        return cls(num_texts, 0, ReadingCost())


def _read(context: JobContext[FeaturesConfig], reader: BackboneReader, texts: Sequence[str]) -> ReadingCost:
    path = context.checkpoint_path()
    state = _State.load(path, len(texts))
    if state.done:
        context.resumed(state.done)
    while state.done < len(texts):
        context.progress("features", state.done, len(texts), "texts")
        piece, started = texts[state.done : state.done + SLICE_TEXTS], time.perf_counter()
        cost = ReadingCost.of(reader.read(piece), time.perf_counter() - started)
        state = _State(len(texts), state.done + len(piece), state.cost + cost)
        path.write_text(json.dumps(asdict(state)))
        context.keep_checkpoint(path)
    context.progress("features", len(texts), len(texts), "texts")
    return state.cost
