"""docs/backing-measured.md from benchmarks/backing.json's content."""

from collections.abc import Iterable
from typing import Any

JSONObject = dict[str, Any]


def backing_page(results: JSONObject) -> str:
    """The page, as Markdown."""
    corpora: dict[str, JSONObject] = results["corpora"]
    seeds = ", ".join(map(str, results["seeds"]))
    blocks = [
        "# What answers rest on, measured",
        "This page is made by a script; don't edit it. What the fields mean: [answers.md](answers.md).",
        f"```sh\n{results['command']}\n```",
        "One model per corpus and seed, trained as in [results.md](results.md) and asked about its test "
        f"part. Seeds {seeds} rotate the blocks; all seeds together, a document staying one document. In "
        "brackets the 95 % interval of a bootstrap that resamples whole documents (10,000 draws).",
        "## Evidence",
        "How often the first passage of evidence is of a right source, looked for over all sources, the test "
        "passage's own neighbours left out. *Identifier*: how often its first source is right, on the same "
        "passages. *Features alone*: the passage nearest in feature space, without words and without the "
        "identifier. The ranking counts the identifier's probability of a passage's source among other "
        "signals, with weights fitted on the validation part: evidence and identifier agree by design, and "
        "the difference says what the passages add.",
        _table(
            ("corpus", "test passages", "identifier", "evidence", "evidence − identifier", "features alone"),
            (_evidence_row(name, corpora[name]) for name in corpora),
        ),
        "## Quotations",
        "30 words in a row, drawn from the training passages: how often the first passage of evidence "
        "shares all of them, with offsets that lead to the very words in the document. *Features alone*: the "
        "passage nearest in feature space holds their first or their last word.",
        _table(
            ("corpus", "quotations", "found with exact offsets", "features alone", "evidence per model"),
            (_quotes_row(name, corpora[name]) for name in corpora),
        ),
        "## Sets",
        "Share of test passages whose conformal set holds a right source, and the set's size, by the "
        "coverage asked for.",
        _table(
            (
                "corpus",
                "coverage asked for",
                "right source in the set",
                "by seed",
                "mean size",
                "median size",
            ),
            (
                _sets_row(name, coverage, sets)
                for name in corpora
                for coverage, sets in corpora[name]["sets"].items()
            ),
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def _evidence_row(corpus: str, result: JSONObject) -> list[str]:
    difference, top1 = result["difference"], result["top1"]
    return [
        corpus,
        f"{result['passages']:,}",
        f"{top1['identifier']:.3f}",
        f"{top1['evidence']:.3f}",
        f"{difference['mean']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]",
        f"{top1['features_alone']:.3f}",
    ]


def _quotes_row(corpus: str, result: JSONObject) -> list[str]:
    size = sum(result["evidence_bytes"]) / len(result["evidence_bytes"])
    if result["found"] is None:
        return [corpus, "none: no text is so long", "–", "–", f"{size / 1e6:.1f} MB"]
    return [
        corpus,
        f"{result['quotes']:,}",
        f"{result['found']:.4f}",
        f"{result['found_features_alone']:.4f}",
        f"{size / 1e6:.1f} MB",
    ]


def _sets_row(corpus: str, coverage: str, sets: JSONObject) -> list[str]:
    return [
        corpus,
        coverage,
        f"{sets['covered']:.3f} [{sets['low']:.3f}, {sets['high']:.3f}]",
        ", ".join(f"{share:.3f}" for share in sets["by_seed"]),
        f"{sets['mean_size']:.1f}",
        f"{sets['median_size']:g}",
    ]


def _table(header: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
