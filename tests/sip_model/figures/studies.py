"""A study as the service would hand it over: five backbones, three corpora, six seeds, made-up values."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.figures.rows import Setting, Value
from sip_model.figures.study import BackboneInfo, Child, Coordinates, DatasetInfo, Study

SIZES = {"nano": 310_000, "micro": 790_000, "mini": 1_600_000, "small": 5_000_000}
LAYERS = {"nano": 2, "micro": 3, "mini": 4, "small": 6, "minilm": 6}
ENCODER = "minilm"
CORPORA = {"books": 0.01, "articles": 0.0067, "naics2012": 0.0014}
"""Name to chance."""
SEEDS = range(6)


def value(name: str, number: float, **rest: object) -> Value:
    return Value(name=name, value=float(number), **rest)  # type: ignore[arg-type]  # keyword by keyword


def parameters(backbone: str) -> int:
    return SIZES.get(backbone, 10_600_000)


def language_rows(generator: np.random.Generator) -> list[Value]:
    rows = []
    for corpus_number, corpus in enumerate(CORPORA):
        for backbone, size in SIZES.items():
            perplexity = 300 * (1 + corpus_number) * (size / 3e5) ** -0.35
            for seed in SEEDS:
                noisy = perplexity * math.exp(generator.normal(0, 0.02))
                common = {"backbone": backbone, "num_parameters": size, "dataset": corpus, "seed": seed}
                rows.append(value("lm/perplexity", noisy, kind="perplexity", **common))
                rows.append(value("lm/bits_per_byte", math.log2(noisy) / 4.2, kind="perplexity", **common))
    return rows


def representation_rows(generator: np.random.Generator) -> list[Value]:
    rows = []
    for corpus, chance in CORPORA.items():
        for seed in SEEDS:
            rows.append(
                value(
                    "baseline/lexical_accuracy",
                    0.37 + generator.normal(0, 0.01),
                    dataset=corpus,
                    seed=seed,
                    split="test",
                )
            )
            rows.append(value("baseline/chance_accuracy", chance, dataset=corpus, seed=seed, split="test"))
            for backbone, num_layers in LAYERS.items():
                level = 0.08 + 0.05 * math.log10(parameters(backbone) / 1e5)
                for layer in range(num_layers + 1):
                    common = {
                        "backbone": backbone,
                        "num_parameters": parameters(backbone),
                        "dataset": corpus,
                        "seed": seed,
                        "layer": layer,
                    }
                    depth = layer / num_layers
                    height = level * (0.6 + depth - 0.6 * depth**2)
                    for split in ("validation", "test"):
                        linear = height + generator.normal(0, 0.006)
                        nonlinear = 1.05 * height + generator.normal(0, 0.006)
                        rows.append(value("probe/linear/accuracy", linear, split=split, **common))
                        rows.append(value("probe/nonlinear/accuracy", nonlinear, split=split, **common))
                    rows.append(value("probe/linear/selectivity", linear - 0.03, split="test", **common))
                    rows.append(
                        value("probe/nonlinear/selectivity", nonlinear - 0.05, split="test", **common)
                    )
                    score = -0.08 + 0.3 * height + generator.normal(0, 0.004)
                    rows.append(value("geometry/silhouette", score, **common))
                    rows.append(value("geometry/silhouette_euclidean", score - 0.02, **common))
                    rows.append(value("geometry/silhouette_null_mean", -0.09, **common))
                    rows.append(value("geometry/silhouette_null_sd", 0.004, **common))
                    if corpus == "books":
                        rows.append(value("geometry/silhouette_author", score + 0.015, **common))
    return rows


def pretraining_rows() -> list[Value]:
    rows = []
    for backbone, size in SIZES.items():
        for step in range(0, 1001, 50):
            loss = 4.0 + 5 * math.exp(-step / 200) - 0.4 * math.log10(size / 3e5)
            common = {
                "backbone": backbone,
                "num_parameters": size,
                "dataset": "books",
                "seed": 0,
                "step": step,
                "kind": "pretrain",
            }
            rows.append(value("train/loss", loss, **common))
            rows.append(value("train/perplexity", math.exp(loss), **common))
            if step % 200 == 0:
                rows.append(value("validation/perplexity", math.exp(loss + 0.1), **common))
    return rows


def preset_rows(generator: np.random.Generator) -> list[Value]:
    """What the presets lengths, shots, classes, ngrams and honesty vary, on one corpus."""
    rows = []

    def add(name: str, number: float, seed: int, **varied: Setting) -> None:
        noisy = abs(number + generator.normal(0, 0.008))
        rows.append(
            value(
                name,
                noisy,
                dataset="books",
                backbone=None if "baseline" in name or "leak" in name else ENCODER,
                seed=seed,
                split="test",
                varied=tuple(sorted(varied.items())),
            )
        )

    for seed in range(3):
        for words in (4, 8, 16, 32, 64):
            add("eval/accuracy", 0.09 * math.log2(words), seed, num_words=words)
            add("baseline/lexical_accuracy", 0.075 * math.log2(words), seed, num_words=words)
        for shots in (1, 3, 10, 30, 100):
            add("eval/accuracy", 0.12 + 0.15 * math.log10(shots), seed, shots=shots)
        for classes in (10, 30, 100, 300, 1000):
            for loss, level in (("bce", 0.9), ("ce", 0.88), ("binary_code", 0.7)):
                add("eval/accuracy", level - 0.2 * math.log10(classes), seed, num_sources=classes, loss=loss)
        for ngram, level in ((1, 0.35), (2, 0.42), (3, 0.41)):
            add("eval/token_accuracy", level, seed, ngram=ngram, split_by="block")
            add("eval/token_accuracy", level + 0.5, seed, ngram=ngram, split_by="position")
        for split, level, leak in (("block", 0.41, 0.0), ("document", 0.38, 0.0), ("position", 0.58, 0.34)):
            add("eval/accuracy", level, seed, split_by=split)
            add("eval/entity_masked_accuracy", level - 0.1, seed, split_by=split)
            add("baseline/lexical_accuracy", level - 0.05, seed, split_by=split)
            add("data/leak_rate", leak, seed, split_by=split)
        for epoch in range(1, 11):
            rows.append(
                value(
                    "train/loss",
                    4 * math.exp(-epoch / 5) + 1,
                    step=epoch,
                    kind="train",
                    dataset="books",
                    backbone=ENCODER,
                    seed=seed,
                    split="train",
                )
            )
            rows.append(
                value(
                    "validation/loss",
                    4 * math.exp(-epoch / 5) + 1.4,
                    step=epoch,
                    kind="train",
                    dataset="books",
                    backbone=ENCODER,
                    seed=seed,
                    split="validation",
                )
            )
    return rows


def study(*, title: str = "Representation against source", presets: bool = True) -> Study:
    """The whole of it, with one child that failed."""
    generator = np.random.default_rng(0)
    rows = language_rows(generator) + representation_rows(generator) + pretraining_rows()
    children = [
        Child(
            experiment=f"exp_{number:04d}",
            kind=kind,
            backbone=backbone,
            dataset=corpus,
            seed=seed,
            status="succeeded",
            num_parameters=parameters(backbone),
            split_sha256=f"{seed:02d}" + "ab" * 31,
            artifacts=("predictions.parquet", "split.parquet"),
        )
        for number, (kind, backbone, corpus, seed) in enumerate(
            (kind, backbone, corpus, seed)
            for kind in ("probe", "geometry")
            for backbone in LAYERS
            for corpus in CORPORA
            for seed in SEEDS
        )
    ]
    children[7] = Child(
        experiment="exp_0007",
        kind="probe",
        backbone="nano",
        dataset="articles",
        seed=1,
        status="failed",
        error="OutOfMemory: the probe needed more than 4 GB",
    )
    backbones = [
        BackboneInfo(
            name=name, num_parameters=size, causal=True, pretraining_seeds=tuple(SEEDS), revision="0" * 12
        )
        for name, size in SIZES.items()
    ]
    backbones.append(BackboneInfo(name=ENCODER, num_parameters=10_600_000, causal=False))
    return Study(
        title=title,
        preset="ksc2023",
        experiment="exp_suite",
        config={"chunk": {"num_words": 32}, "split": {"by": "block"}, "suite": {"preset": "ksc2023"}},
        children=children,
        rows=rows + (preset_rows(generator) if presets else []),
        backbones=backbones,
        datasets=[DatasetInfo(name=name, sha256="cd" * 32, num_sources=100) for name in CORPORA],
        versions={"torch": "2.12.0", "matplotlib": "3.11.2"},
        hardware={"device": "cpu", "cores": "2"},
        notes=["naics2012 stands in for Amazon-131K: its labels are industries."],
        artifacts=("coordinates.parquet",),
    )


def coordinates(
    folder: Path, seeds: Sequence[int], backbones: Sequence[str] = tuple(LAYERS), chunks: int = 100
) -> list[Coordinates]:
    """Files as kind `geometry` leaves them; the last pair of corpus and backbone is missing."""
    generator = np.random.default_rng(5)
    found = []
    for corpus in CORPORA:
        for backbone in backbones:
            for seed in seeds:
                tables = [
                    panel(generator, corpus, classes, layer, chunks) for layer in (0, 2) for classes in (3, 4)
                ]
                path = folder / f"{corpus}-{backbone}-{seed}.parquet"
                pq.write_table(pa.concat_tables(tables), path)
                found.append(
                    Coordinates(
                        backbone=backbone,
                        dataset=corpus,
                        seed=seed,
                        path=path,
                        num_parameters=parameters(backbone),
                    )
                )
    return found[: -len(seeds)]


def panel(generator: np.random.Generator, corpus: str, classes: int, layer: int, chunks: int) -> pa.Table:
    """The chunks of one draw of classes; points of the layer before the last lie far outside."""
    labels = np.repeat(np.arange(classes), chunks)
    centres = generator.normal(0, 1.2, (classes, 2))
    xy = centres[labels] + generator.normal(0, 1, (len(labels), 2)) + (1000 if layer == 0 else 0)
    return pa.table(
        {
            "layer": [layer] * len(labels),
            "classes": [classes] * len(labels),
            "seed": [0] * len(labels),
            "source": [f"{corpus} {label}" for label in labels.tolist()],
            "document": ["d"] * len(labels),
            "split": ["train" if row % 5 < 3 else "test" for row in range(len(labels))],
            "x": xy[:, 0],
            "y": xy[:, 1],
            "projection": ["pca"] * len(labels),
            "explained_variance_x": [0.21] * len(labels),
            "explained_variance_y": [0.1] * len(labels),
        }
    )
