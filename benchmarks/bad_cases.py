"""The requests of benchmarks/bad_input.py: what is sent, and how the service must answer."""

import json
import random
from dataclasses import dataclass
from typing import Any

SEA = "The sea was calm and the ship lay still under a low sky."
SNOW = "A mountain path winds up into the snow between the pines."
SCRIPTS = {
    "Greek": "Φυσούσε άνεμος από τη θάλασσα.",
    "Arabic, right to left": "هبت الريح من البحر طوال الليل.",
    "Chinese": "海风整夜吹着那条小船。",
    "Devanagari": "समुद्र से सारी रात हवा चलती रही।",
    "emoji alone": "🌊⛵🌙",
    "old Italic, beyond the basic plane": "𐌀𐌁𐌂 𐌃𐌄𐌅",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request."""

    sent: str
    """In words, for the table."""
    path: str
    status: int
    """That the service must answer."""
    loc: tuple[str | int, ...] = ()
    """Field that the answer must name; its first parts are enough."""
    body: dict[str, Any] | None = None
    """Sent as JSON; or the two below."""
    form: dict[str, str] | None = None
    file: tuple[str, bytes] | None = None
    """Name and bytes of an uploaded file."""
    is_truncated: bool | None = None
    """For a text that is classified: what `truncated` must say."""


def corpus_cases() -> list[Case]:
    """Corpora that can't be used."""
    good, no_source = {"text": SEA, "source": "sea"}, {"text": SNOW}
    return [
        _corpus("a line that is no JSON", _lines(good) + b'{"text": "A mountain\n', "body", "file", "line 2"),
        _corpus("a line without a source", _lines(good, no_source), "body", "file", "line 2", "source"),
        _corpus(
            "a blank text", _lines(good, {"text": " ", "source": "snow"}), "body", "file", "line 2", "text"
        ),
        _corpus("one source only", _lines(good, good | {"text": SNOW}), "body", "file"),
        _corpus("binary bytes", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "body", "file"),
        _corpus("NUL bytes", bytes(4096), "body", "file"),
        _corpus("0 bytes", b"", "body", "file"),
    ]


def config_cases(dataset: str) -> list[Case]:
    """Configurations that can't be used, on a dataset that can."""
    return [
        _train("an unknown field", dataset, {"chunk": {"words": 32}}, "chunk", "words"),
        _train("a layer beyond the model", dataset, {"backbone": {"layers": [99]}}, "backbone", "layers"),
        _train("a negative number", dataset, {"training": {"epochs": -1}}, "training", "epochs"),
        _train("a negative layer", dataset, {"backbone": {"layers": [-1]}}, "backbone", "layers"),
        _train(
            "a pooling the model can't do", dataset, {"backbone": {"pooling": "last"}}, "backbone", "pooling"
        ),
        Case(
            sent="an unknown kind",
            path="/experiments",
            status=422,
            loc=("body", "kind"),
            body={"kind": "divine", "dataset": dataset},
        ),
    ]


def text_cases(model: str) -> list[Case]:
    """Texts that can't be used, and those that look as if they couldn't."""
    long = " ".join([SEA] * 500)
    refused = [
        Case(
            sent=f"{name} ({path})", path=path, status=422, loc=("body", "input"), body=body | {"input": text}
        )
        for path, body in (("/classify", {"model": model}), ("/embed", {"backbone": "minilm"}))
        for name, text in (("an empty text", ""), ("a blank text", " \n\t\u3000"))
    ]
    among_others = Case(
        sent="a blank text among others (/classify)",
        path="/classify",
        status=422,
        loc=("body", "input", 1),
        body={"model": model, "input": [SEA, " "]},
    )
    in_windows = Case(
        sent=f"a text longer than the model reads at once, {len(long.split())} words",
        path="/classify",
        status=200,
        body={"model": model, "input": long},
        is_truncated=False,
    )
    scripts = [
        Case(
            sent=f"a text in another script: {name}",
            path="/classify",
            status=200,
            body={"model": model, "input": text},
            is_truncated=False,
        )
        for name, text in SCRIPTS.items()
    ]
    return [*refused, among_others, in_windows, *scripts]


def _corpus(sent: str, content: bytes, *loc: str) -> Case:
    return Case(
        sent=f"a corpus: {sent}",
        path="/datasets",
        status=422,
        loc=loc,
        form={"name": "refused"},
        file=("refused.jsonl", content),
    )


def _train(sent: str, dataset: str, config: dict[str, Any], *loc: str) -> Case:
    body = {"kind": "train", "dataset": dataset, "config": config}
    return Case(
        sent=f"a config: {sent}", path="/experiments", status=422, loc=("body", "config", *loc), body=body
    )


def _lines(*rows: dict[str, str]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def training_corpus(num_rows: int = 40) -> bytes:
    """A small corpus that can be used, so that there is a dataset and a model to ask wrongly."""
    generator = random.Random(0)  # words in another order each time: near-duplicates would be dropped
    rows = [
        {"text": " ".join(generator.choices(text.split(), k=12)), "source": source}
        for _ in range(num_rows)
        for source, text in (("sea", SEA), ("snow", SNOW))
    ]
    return _lines(*rows)
