"""The parts of a report beside its figures: what was asked, how it was done, what is missing."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from sip_model.figures.curves import size_name
from sip_model.figures.markup import Markup, element
from sip_model.figures.page import bullets, code, fields, folded, paragraph, table
from sip_model.figures.rows import distinct
from sip_model.figures.study import Child, Study
from sip_model.figures.words import listed

ORIGINAL_CORPORA = ("pg19", "wikipedia-500k", "amazon-131k")
KSC_NOTES = (
    "The numbers of the original study (KSC 2023) were published as images that nobody could read, so no "
    "figure here is compared with them; the protocol is theirs where it is stated, ours where it isn't.",
    "Of the original corpora only PG19's labels are documents; Wikipedia-500K's are categories and "
    "Amazon-131K's related products. Scores of corpora with different kinds of labels are not comparable.",
    "The original doesn't say which two dimensions its low-dimensional figures show; here the projection is "
    "named with each figure.",
)
SUCCEEDED = "succeeded"


def asked(study: Study) -> list[Markup]:
    """What was asked for: the matrix, its backbones and corpora."""
    kinds = distinct(child.kind for child in study.children)
    seeds = distinct(child.seed for child in study.children)
    done = sum(child.status == SUCCEEDED for child in study.children)
    summary = {
        "Preset": study.preset or "none",
        "Analyses": listed(kinds) if kinds else "none",
        "Seeds": listed([str(seed) for seed in seeds]) if seeds else "none",
        "Experiments": f"{len(study.children)}, of which {done} succeeded",
        "Experiment id": study.experiment,
    }
    backbones = [
        [
            info.name,
            size_name(info.num_parameters) if info.num_parameters else "–",
            {True: "causal", False: "encoder", None: "–"}[info.causal],
            listed([str(seed) for seed in info.pretraining_seeds]) if info.pretraining_seeds else "–",
            "final" if info.checkpoint_of is None else f"{info.checkpoint_of}, step {info.checkpoint_step}",
            info.revision or "–",
        ]
        for info in study.backbones
    ]
    head = ["Backbone", "Parameters", "Type", "Pre-trained here, seeds", "Checkpoint", "Revision"]
    corpora = [
        [
            info.name,
            "–" if info.num_documents is None else f"{info.num_documents:,}",
            "–" if info.num_sources is None else f"{info.num_sources:,}",
            info.labels or "–",
            element("code", info.sha256),
        ]
        for info in study.datasets
    ]
    return _there(
        fields("The matrix", summary),
        table("Backbones; parameters without embeddings", head, backbones) if backbones else Markup(""),
        table("Corpora", ["Corpus", "Documents", "Sources", "A label is", "SHA-256"], corpora)
        if corpora
        else Markup(""),
    )


def protocol(study: Study) -> list[Markup]:
    """Every setting of the study, and its whole configuration folded away."""
    settings = {key: text for key, text in _flat(study.config).items() if not key.startswith("suite.")}
    whole = json.dumps(study.config, indent=2, sort_keys=True, ensure_ascii=False)
    return _there(
        fields("Settings, as resolved", settings),
        folded("The whole configuration (JSON)", code(whole)),
    )


def missing(study: Study) -> list[Markup]:
    """What failed, what isn't there and what can't be had."""
    unfinished = [child for child in study.children if child.status != SUCCEEDED]
    failures = [
        [
            _link(child.experiment, f"../{quote(child.experiment, safe='')}"),
            child.kind,
            child.backbone or "–",
            child.dataset or "–",
            "–" if child.seed is None else str(child.seed),
            element("span", child.status, class_="failed"),
            child.error or "–",
        ]
        for child in unfinished
    ]
    notes = list(study.notes)
    if study.preset == "ksc2023":
        notes += [*KSC_NOTES, *_other_corpora(study)]
    if study.encoders:
        notes.append(
            f"{listed(sorted(study.encoders))}: n/a for perplexity (encoders predict no next token)."
        )
    head = ["Experiment", "Kind", "Backbone", "Corpus", "Seed", "Status", "Why"]
    return _there(
        table("Experiments without a result; every figure and mean leaves them out", head, failures)
        if failures
        else paragraph("Every experiment of the study succeeded." if study.children else "Nothing has run."),
        bullets(notes),
    )


def provenance(study: Study) -> list[Markup]:
    """Versions, hardware, split hashes and every experiment with its files."""
    splits = sorted(
        {
            (child.dataset or "–", -1 if child.seed is None else child.seed, child.split_sha256)
            for child in study.children
            if child.split_sha256
        }
    )
    hashes = [[data, "–" if seed < 0 else str(seed), element("code", sha)] for data, seed, sha in splits]
    head = ["Experiment", "Kind", "Backbone", "Corpus", "Seed", "Varied", "Status", "Files"]
    children = [_child(child) for child in study.children]
    return _there(
        fields("Versions", study.versions),
        fields("Hardware", study.hardware),
        folded(
            f"Split hashes ({len(hashes)}): which text stands in which part",
            table("SHA-256 of the split indices", ["Corpus", "Seed", "Split"], hashes),
        )
        if hashes
        else Markup(""),
        folded(f"All {len(children)} experiments", table("Experiments", head, children))
        if children
        else Markup(""),
    )


def downloads(names: Sequence[str]) -> list[Markup]:
    """Links to the files beside the report."""
    links = [element("li", _link(name, f"artifacts/{quote(name, safe='')}")) for name in names]
    return [element("ul", *links)] if links else []


def _child(child: Child) -> list[str]:
    files: list[str] = []
    for name in child.artifacts:
        files += [
            " " if files else "",
            _link(name, f"../{quote(child.experiment, safe='')}/artifacts/{quote(name, safe='')}"),
        ]
    return [
        _link(child.experiment, f"../{quote(child.experiment, safe='')}"),
        child.kind,
        child.backbone or "–",
        child.dataset or "–",
        "–" if child.seed is None else str(child.seed),
        ", ".join(f"{key} {value}" for key, value in child.varied) or "–",
        child.status,
        element("span", *files) if files else "–",
    ]


def _other_corpora(study: Study) -> list[str]:
    names = distinct(child.dataset for child in study.children)
    absent = [name for name in ORIGINAL_CORPORA if name not in {corpus.lower() for corpus in names}]
    if not absent or not names:
        return []
    return [f"Of the original corpora {listed(absent)} took no part; the corpora here are {listed(names)}."]


def _flat(config: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Nested blocks as ``block.key``."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat({str(k): v for k, v in value.items()}, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = json.dumps(value, ensure_ascii=False, default=str)
    return flat


def _experiment(child: Child) -> str:
    """Where the service answers for it, seen from the report."""
    return f"../{_segment(child.experiment)}"


def _segment(name: str) -> str:
    return quote(name, safe="")


def _link(text: str, target: str) -> Markup:
    return element("a", text, href=target)


def _there(*parts: Markup) -> list[Markup]:
    return [part for part in parts if part]
