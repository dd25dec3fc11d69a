"""docs/results.md from benchmarks/results.json's content."""

from collections.abc import Iterable
from typing import Any

from benchmarks.protocol import CORPORA, DIFFERENCES, IDENTIFIERS, MAX_BYTES, experiment_config

JSONObject = dict[str, Any]


def results_page(results: JSONObject) -> str:
    """The page, as Markdown."""
    corpora: dict[str, JSONObject] = results["corpora"]
    blocks = [
        "# Results",
        "This page is made by a script; don't edit it.",
        f"```sh\n{results['command']}\n```",
        _what_is_compared(results["seeds"]),
        "## Top-1 accuracy on the test part",
        "Mean over the seeds ± their standard deviation (n − 1).",
        _table(("corpus", *IDENTIFIERS, "chance"), (_accuracy_row(name, corpora[name]) for name in corpora)),
        "## Differences",
        "Share of test samples that the hybrid identifier names right, minus the other's, on the same "
        "samples; in brackets the 95 % interval of a paired bootstrap that resamples whole documents (10,000 "
        "draws). Pooled: the test samples of all seeds together, a document staying one document.",
        _table(
            ("corpus", "difference", "pooled", *(f"seed {seed}" for seed in results["seeds"])),
            (_difference_row(name, pair, corpora[name]) for name in corpora for pair in DIFFERENCES),
        ),
        "## Runs",
        "`ECE`: expected calibration error of the first source's probability, 15 bins of equal mass. `time`: "
        "the whole run, from when a worker takes it up (starting its process, chunks, features, training, "
        "lexical baseline, scores), as a multiple of chunks, split and the lexical baseline alone, measured "
        "before it on the same machine. `memory`: peak of the run's process; the limit is "
        f"{MAX_BYTES / 1e9:g} GB. `read`: texts the backbone had to read; the features of the others were in "
        "the cache.",
        _table(
            ("corpus", "identifier", "seed", "top-1", "ECE", "time", "memory", "read"),
            (_run_row(name, run) for name in corpora for run in corpora[name]["runs"]),
        ),
        "## Sizes",
        _table(
            ("corpus", "documents", "sources", "sources used", "train", "validation", "calibration", "test"),
            (_size_row(name, corpora[name]) for name in corpora),
        ),
        "Samples of each seed where they differ: near-duplicates are kept out of all parts but one, and the "
        "gaps between blocks fall elsewhere.",
        "## Machine and versions",
        _machine(results["machine"], results["versions"]),
    ]
    return "\n\n".join(blocks) + "\n"


def _what_is_compared(seeds: list[int]) -> str:
    long_texts = CORPORA["books"]
    limits = (
        f"the {long_texts['sources']['limit']} sources with most chunks, at most "
        f"{long_texts['chunk']['max_per_source']} evenly spaced ones of each"
    )
    backbone = experiment_config("books", "hybrid")["backbone"]
    return (
        "Three ways of telling the source of a chunk of 32 words, all learned from the same chunks (block "
        "split: 60 % train, 10 % validation, 10 % calibration, 20 % test, contiguous blocks of each document "
        "with gaps; the train and validation parts are learned from, the latter once its choices are made) "
        "and all measured on the same test chunks. `books` and `articles`: "
        f"{limits}. `naics2012`: phrases of a few words, every source that has two or more, at most 100 each."
        "\n\n"
        "- **hybrid**: the service's default identifier, which reads a backbone's features and hashed "
        f"character and word n-grams together; here the layers `{backbone['layers']}` of `{backbone['id']}`, "
        "mean-pooled.\n"
        "- **lexical baseline**: character n-gram TF-IDF (2 to 5) and a linear SVM, with a fixed recipe.\n"
        "- **backbone only**: the same identifier on the backbone's features alone.\n\n"
        "Chance is what naming one source at random would get. A sample is right when the first source is "
        f"among its right ones. Seeds {', '.join(map(str, seeds))} rotate the blocks: each has another test "
        "part."
    )


def _accuracy_row(corpus: str, result: JSONObject) -> list[str]:
    chance = sum(result["chance"]) / len(result["chance"])
    return [corpus, *(_mean_and_spread(result["top1"][name]) for name in IDENTIFIERS), f"{chance:.4f}"]


def _mean_and_spread(score: JSONObject) -> str:
    return f"{score['mean']:.3f}" + ("" if score["spread"] is None else f" ± {score['spread']:.3f}")


def _difference_row(corpus: str, pair: tuple[str, str], result: JSONObject) -> list[str]:
    name = f"{pair[0]} − {pair[1]}"
    difference = result["differences"][name]
    return [
        corpus,
        name,
        f"**{_interval(difference)}**",
        *(_interval(each) for each in difference["by_seed"]),
    ]


def _interval(difference: JSONObject) -> str:
    return f"{difference['mean']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]"


def _run_row(corpus: str, run: JSONObject) -> list[str]:
    return [
        corpus,
        run["identifier"],
        str(run["seed"]),
        f"{run['top1']:.4f}",
        f"{run['ece']:.3f}",
        f"× {run['times_lexical_baseline']:.1f}",
        f"{run['peak_memory_bytes'] / 1e9:.2f} GB",
        str(run["features_computed"]),
    ]


def _size_row(corpus: str, result: JSONObject) -> list[str]:
    dataset = result["dataset"]
    counts = [
        _few(result["sizes"][name]) for name in ("sources", "train", "validation", "calibration", "test")
    ]
    return [corpus, str(dataset["num_documents"]), str(dataset["num_sources"]), *counts]


def _few(values: list[int]) -> str:
    return ", ".join(map(str, values if len(set(values)) > 1 else values[:1]))


def _machine(machine: JSONObject, versions: dict[str, str]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory, "
        f"{machine['system']}, no GPU used; Python {machine['python']}, {libraries}."
    )


def _table(header: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
