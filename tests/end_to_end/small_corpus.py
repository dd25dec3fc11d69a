"""A corpus small enough to train on in seconds: a slice of the books where they lie, else made-up text."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

BOOKS = Path(__file__).parents[3] / "shared" / "data" / "books.jsonl.gz"
NUM_SOURCES = 6
NUM_CHARACTERS = 12_000
SUBJECTS = ("sea", "snow", "bread", "iron", "music", "chess")


def write_small_corpus(path: Path) -> Path:
    """Write `NUM_SOURCES` documents, one per source, as JSON Lines; returns the path."""
    rows = list(_books() if BOOKS.exists() else _made_up())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _books() -> Iterator[dict[str, str]]:
    with gzip.open(BOOKS, "rt", encoding="utf-8") as lines:
        for line, _ in zip(lines, range(NUM_SOURCES), strict=False):
            row = json.loads(line)
            yield {"source": row["source"], "author": row["author"], "text": row["text"][:NUM_CHARACTERS]}


def _made_up() -> Iterator[dict[str, str]]:
    """Each source has a subject and favourite words of its own."""
    for number, subject in enumerate(SUBJECTS[:NUM_SOURCES]):
        generator = random.Random(number)
        words = [subject, *("".join(generator.choices("etaoinshrdlu", k=5)) for _ in range(300))]
        text = " ".join(generator.choices(words, weights=[30, *range(300, 0, -1)], k=NUM_CHARACTERS // 6))
        yield {"source": f"On {subject}", "author": f"Author {number}", "text": text}
