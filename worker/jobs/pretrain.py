"""Kind `pretrain`: a causal language model on the train part of a corpus, which becomes a backbone."""

import hashlib
import json
import math
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import cast

from db.backbones import Description
from db.tables import JSON, JSONObject
from sip_model.analysis.corpus_perplexity import ScoredSpans, score_spans
from sip_model.analysis.perplexity import Perplexity
from sip_model.backbones.catalog import is_own
from sip_model.backbones.causal import CausalBackbone, load_causal
from sip_model.backbones.info import BackboneInfo, read_info
from sip_model.backbones.pretraining.checkpoint import TrainingCheckpoint
from sip_model.backbones.pretraining.loop import Report, pretrain
from sip_model.backbones.pretraining.prepared import PreparedText, PreparedTexts
from sip_model.backbones.pretraining.setup import Setup
from sip_model.backbones.pretraining.shapes import num_parameters
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.corpora.spans import part_spans
from sip_model.corpora.store import Corpus
from sip_model.experiments.pretrain import PretrainConfig
from worker.jobs.context import JobContext, StoredCorpus
from worker.jobs.reading import catalog_of, report_memory

TEST_TOKENS, FEWEST_TEST_TOKENS = 200_000, 50_000
"""Of the test part that are read at the end, at most, and where there was little to learn from."""
TEST_SHARE = 20
"""Between the two, one token is read for so many that were trained on."""


def run(context: JobContext[PretrainConfig]) -> None:
    """Split the corpora, train, measure on the test part, leave a backbone."""
    config = context.config
    files = _corpora(context)
    context.progress("text", 0, 1, "steps")
    if config.pretrain.from_ is None:
        prepared = PreparedTexts(context.settings.features_dir).get(
            config,
            context.seed,
            [file.sha256 for file in files],
            lambda: PreparedText.of(_text(context, files), config.pretrain.vocab_size),
        )
        setup = Setup.new(prepared, config.pretrain, context.seed)
        num_words, num_words_cut = prepared.num_words, prepared.num_words_cut
    else:
        text = _text(context, files)
        setup = Setup.continued(text, config.pretrain, _base(context, config.pretrain.from_), context.seed)
        num_words, num_words_cut = text.num_words, text.num_words_cut
    context.progress("text", 1, 1, "steps")
    context.metric("data/train_tokens", len(setup.train.tokens), split="train")
    context.metric("data/train_words", num_words, split="train")
    context.metric("data/held_out_words_cut", num_words_cut, split="train")
    _train(context, setup, files)

    folder = context.scratch / "backbone"
    setup.save(folder)
    info = read_info(folder, "pretrained", "")
    scores = _test(context, files, setup, folder, info)
    card = _card(context, files, setup, scores)
    description = Description(
        family=info.family,
        is_causal=info.is_causal,
        num_layers=info.num_layers,
        hidden_size=info.hidden_size,
        max_tokens=info.max_tokens,
        poolings=info.poolings,
    )
    context.backbone(folder, description, card)
    report_memory(context)


def _corpora(context: JobContext[PretrainConfig]) -> list[StoredCorpus]:
    own = StoredCorpus(context.corpus_path, context.dataset_id, context.dataset_name, context.dataset_sha256)
    return [own, *(context.corpus_of(dataset_id) for dataset_id in context.config.pretrain.also)]


def _text(context: JobContext[PretrainConfig], files: list[StoredCorpus]) -> PretrainingText:
    config = context.config
    return PretrainingText.of(
        [Corpus(file.path) for file in files], config.chunk, config.sources, config.split, context.seed
    )


def _base(context: JobContext[PretrainConfig], named: str) -> CausalBackbone:
    """The backbone that training goes on from."""
    return catalog_of(context.settings).load_causal(named, None, context.device, "float32")


def _train(context: JobContext[PretrainConfig], setup: Setup, files: list[StoredCorpus]) -> None:
    schedule = setup.schedule

    def on_report(report: Report) -> None:
        step = report.step
        context.metric("train/loss", report.train_loss, step=step, split="train")
        context.metric("train/perplexity", math.exp(report.train_loss), step=step, split="train")
        context.metric("train/tokens", report.num_tokens, step=step, split="train")
        if report.validation_loss is not None:
            context.metric("validation/loss", report.validation_loss, step=step, split="validation")
            perplexity = math.exp(report.validation_loss)
            context.metric("validation/perplexity", perplexity, step=step, split="validation")
        context.metric("system/tokens_per_second", report.tokens_per_second, step=step)
        context.progress("training", step, schedule.num_steps, "steps")

    checkpoint = TrainingCheckpoint(
        context.checkpoint_path(),
        _run_id(context, setup, files),
        context.config.pretrain.checkpoint_seconds,
        context.keep_checkpoint,
        context.checkpoint_wanted,
        on_resumed=context.resumed,
    )
    if (reason := checkpoint.unusable()) is not None:
        context.warn(f"training starts over, its checkpoint can't be used: {reason}")
        checkpoint.path.unlink()
    with context.writing_checkpoints():
        pretrain(
            setup.model,
            setup.train,
            setup.validation,
            context.config.pretrain,
            schedule,
            device=context.device,
            checkpoint=checkpoint,
            on_report=on_report,
        )


def _run_id(context: JobContext[PretrainConfig], setup: Setup, files: list[StoredCorpus]) -> str:
    """Of all that the training follows from; the tokens stand for text, split and tokenizer."""
    resolved = json.dumps(
        [asdict(context.config), context.seed, [file.sha256 for file in files]], sort_keys=True
    )
    digest = hashlib.sha256(resolved.encode())
    digest.update(setup.train.tokens.data)
    return digest.hexdigest()


def _test(
    context: JobContext[PretrainConfig],
    files: list[StoredCorpus],
    setup: Setup,
    folder: Path,
    info: BackboneInfo,
) -> Perplexity:
    """Perplexity on the test part of every corpus, read off the saved files."""
    config = context.config
    backbone = load_causal(folder, info, context.device, "float32")
    tokens = min(TEST_TOKENS, max(FEWEST_TEST_TOKENS, setup.num_tokens // TEST_SHARE))
    found: list[ScoredSpans] = []
    for file in files:
        corpus = Corpus(file.path)
        spans = part_spans(corpus, config.chunk, config.sources, config.split, context.seed)
        found.append(
            score_spans(
                backbone,
                corpus,
                spans.part("test"),
                config.pretrain.context,
                None,
                tokens // len(files),
                lambda done, of: context.progress("perplexity", done, of, "texts"),
            )
        )
    total = Perplexity.of(score for scored in found for score in scored.scores)
    report_perplexity(context, total, "test", None)
    return total


def report_perplexity(
    context: JobContext[object], found: Perplexity, split: str | None, backbone: str | None
) -> None:
    """Record `lm/*`."""
    values = {
        "lm/perplexity": found.perplexity,
        "lm/bits_per_byte": found.bits_per_byte,
        "lm/tokens": found.num_tokens,
        "lm/bytes": found.num_bytes,
    }
    for name, value in values.items():
        context.metric(name, value, split=split, backbone=backbone)


def _card(
    context: JobContext[PretrainConfig], files: list[StoredCorpus], setup: Setup, scores: Perplexity
) -> JSONObject:
    config, named = context.config, context.config.pretrain.from_
    split: JSONObject = {
        "chunk": asdict(config.chunk),
        "sources": asdict(config.sources),
        "split": asdict(config.split),
        "seed": context.seed,
    }
    seen: list[JSON] = [
        {"dataset": file.id, "name": file.name, "sha256": file.sha256, **split} for file in files
    ]
    if named is not None and is_own(named):
        seen.extend(cast("list[JSON]", context.backbone_card(named)["seen"]))
    total, inside = num_parameters(setup.model)
    return {
        "experiment": context.experiment_id,
        "seen": seen,
        "from": named,
        "size": None if named is not None else config.pretrain.size,
        "num_parameters": total,
        "num_non_embedding_parameters": inside,
        "vocab_size": setup.tokenizer.get_vocab_size(),
        "train_tokens": setup.num_tokens,
        "metrics": {"lm/perplexity": scores.perplexity, "lm/bits_per_byte": scores.bits_per_byte},
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
    }
