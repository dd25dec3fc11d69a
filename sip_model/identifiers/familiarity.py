"""What a model has learned from, in a few numbers: enough to say when a text is nothing like it."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple, Self, cast

import numpy as np

NUM_FREQUENT = 200
"""Words whose share in a text tells a language: in prose of the same one, every third word or more."""
RARE_SCRIPT = 0.01
"""A script with a smaller share of the training texts' letters is one the model hardly knows."""
ATYPICAL = 0.01
"""Share of the held-out texts that have even fewer frequent words than what is warned of."""

WarningCode = Literal["short_text", "other_script", "other_language"]


class TextWarning(NamedTuple):
    """A reason to trust an answer less."""

    code: WarningCode
    message: str


@dataclass(frozen=True, slots=True)
class Familiarity:
    """Length, scripts and most frequent words of the training texts."""

    min_words: int
    """Of the shortest training text."""
    max_words: int
    """Of the longest one."""
    scripts: Mapping[str, float]
    """Script to its share of all letters, as the names of Unicode's characters begin: `LATIN`, `CYRILLIC`."""
    frequent: frozenset[int]
    """Hashes of the most frequent words: of a private corpus no word is kept."""
    usual_words: int
    """Median words of the held-out texts; a shorter text tells too little of its language."""
    min_frequent: float
    """Share of frequent words that 99 of 100 held-out texts of that length or more reach."""

    @classmethod
    def fit(cls, training: Sequence[str], held_out: Sequence[str]) -> Self:
        """Learn from the training texts; how usual a share is, from others of the same sources."""
        words: Counter[str] = Counter()
        scripts: Counter[str] = Counter()
        lengths = [len(text.split()) for text in training]
        for text in training:
            words.update(text.lower().split())
            scripts.update(_scripts(text))
        num_letters = max(1, scripts.total())
        frequent = frozenset(_hash(word) for word, _ in words.most_common(NUM_FREQUENT))
        counts = np.array([len(text.split()) for text in held_out])
        usual = int(np.median(counts))
        shares = [_share(text.lower().split(), frequent) for text in held_out if len(text.split()) >= usual]
        return cls(
            min(lengths),
            max(lengths),
            {script: count / num_letters for script, count in sorted(scripts.items())},
            frequent,
            usual,
            float(np.quantile(shares, ATYPICAL, method="lower")),
        )

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Self:
        """What :meth:`as_json` gave."""
        return cls(
            cast("int", content["min_words"]),
            cast("int", content["max_words"]),
            cast("dict[str, float]", content["scripts"]),
            frozenset(cast("list[int]", content["frequent"])),
            cast("int", content["usual_words"]),
            cast("float", content["min_frequent"]),
        )

    def as_json(self) -> dict[str, object]:
        """All of it, as JSON."""
        return {
            "min_words": self.min_words,
            "max_words": self.max_words,
            "scripts": dict(self.scripts),
            "frequent": sorted(self.frequent),
            "usual_words": self.usual_words,
            "min_frequent": self.min_frequent,
        }

    def warnings(self, text: str) -> list[TextWarning]:
        """What makes a text unlike those that were learned from."""
        words, scripts = text.lower().split(), _scripts(text)
        found = []
        if len(words) < self.min_words:
            found.append(
                TextWarning(
                    "short_text",
                    f"{len(words)} words; the shortest text the model has learned from has {self.min_words}.",
                )
            )
        strange = {s: n for s, n in scripts.items() if self.scripts.get(s, 0.0) < RARE_SCRIPT}
        if 2 * sum(strange.values()) > scripts.total():
            name = max(strange, key=lambda script: strange[script]).capitalize()
            found.append(
                TextWarning("other_script", f"Most letters are of a script hardly learned from: {name}.")
            )
        elif len(words) >= self.usual_words and _share(words, self.frequent) < self.min_frequent:
            found.append(
                TextWarning(
                    "other_language",
                    "Few of its words are frequent ones of the texts the model has learned from: "
                    "another language, or another kind of text.",
                )
            )
        return found


def _share(words: Sequence[str], frequent: frozenset[int]) -> float:
    return sum(_hash(word) in frequent for word in words) / max(1, len(words))


@lru_cache(maxsize=2**16)
def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=6).digest())


def _scripts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if (script := _script(character)) is not None:
            counts[script] += count
    return counts


@lru_cache(maxsize=2**16)
def _script(character: str) -> str | None:
    """The script of a letter; None for other characters."""
    if not character.isalpha():
        return None
    return unicodedata.name(character, "UNKNOWN").split(" ", 1)[0].split("-", 1)[0]
