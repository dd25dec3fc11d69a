"""Kind `perplexity`: how well a causal backbone predicts the text of a corpus."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from sip_model.analysis.corpus_perplexity import score_spans, whole_documents
from sip_model.analysis.perplexity import Perplexity, resolve_windows
from sip_model.backbones.catalog import is_own
from sip_model.backbones.info import require_decoder
from sip_model.corpora.spans import part_spans
from sip_model.corpora.store import Corpus
from sip_model.errors import InvalidInputError
from sip_model.experiments.perplexity import PerplexityConfig
from worker.jobs.context import JobContext
from worker.jobs.pretrain import report_perplexity
from worker.jobs.reading import catalog_of, report_memory
from worker.jobs.results import JSON


def run(context: JobContext[PerplexityConfig]) -> None:
    """Score the documents, or the test part of the split; leave ``perplexity.json`` with a row per source."""
    config, block = context.config, context.config.perplexity
    catalog = catalog_of(context.settings)
    info = catalog.fetch(config.backbone.id, config.backbone.revision)
    require_decoder(info)
    length, step = resolve_windows(block.context, block.stride, info.max_tokens)
    has_seen = _check_held_out(context)
    corpus = Corpus(context.corpus_path)
    if block.part == "test":
        spans = part_spans(corpus, config.chunk, config.sources, config.split, context.seed).part("test")
    else:
        spans = whole_documents(corpus)
    backbone = catalog.load_causal(info.id, info.revision, context.device, config.backbone.dtype)
    found = score_spans(
        backbone,
        corpus,
        spans,
        length,
        step,
        block.max_tokens,
        lambda done, of: context.progress("perplexity", done, of, "texts"),
    )
    total = found.total()
    report_perplexity(context, total, "test" if block.part == "test" else None, info.id)
    content = {
        "backbone": info.id,
        "revision": info.revision,
        "context": length,
        "stride": step,
        "part": block.part,
        "trained_on_this_text": has_seen and block.part == "all",
        **_row(total),
        "sources": [{"source": source, **_row(score)} for source, score in found.by_source().items()],
    }
    path = context.scratch / "perplexity.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    report_memory(context)


def _row(found: Perplexity) -> dict[str, float | int | None]:
    values = {"perplexity": found.perplexity, "bits_per_byte": found.bits_per_byte}
    finite = {name: value if np.isfinite(value) else None for name, value in values.items()}
    return {**finite, "tokens": found.num_tokens, "bytes": found.num_bytes}


def _check_held_out(context: JobContext[PerplexityConfig]) -> bool:
    """Whether the backbone was trained on a part of this corpus here.

    Raises:
        InvalidInputError: it was, by another split, so that the test part of this one isn't held-out text.
    """
    config = context.config
    if not is_own(config.backbone.id):
        return False
    split = {
        "chunk": asdict(config.chunk),
        "sources": asdict(config.sources),
        "split": asdict(config.split),
        "seed": context.seed,
    }
    seen = context.backbone_card(config.backbone.id)["seen"]
    entries = [
        entry
        for entry in (seen if isinstance(seen, list) else [])
        if isinstance(entry, Mapping) and entry["sha256"] == context.dataset_sha256
    ]
    for entry in entries:
        others = [name for name, value in split.items() if entry[name] != value]
        if others and config.perplexity.part == "test":
            raise InvalidInputError(
                (others[0],),
                f"{others[0]} as when this backbone was trained on this dataset, so that its test part is "
                "text that the backbone hasn't read",
                "another one",
                "Repeat seed, chunk, sources and split of that experiment, or ask for part `all`",
            )
    return bool(entries)
