"""Texts for load: words of real prose in random order, so that none comes twice and no cache helps."""

import random

from sip_model.corpora.builtin import read_builtin

MIN_WORDS, MAX_WORDS = 8, 256


class MixedTexts:
    """Makes texts of 8 to 256 words, each length as often as another.

    Args:
        seed: of lengths and words.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._words = sorted(
            {word for document in read_builtin("python-docs") for word in document.text.split()}
        )
        self._seen: set[str] = set()

    def take(self, number: int) -> list[str]:
        """So many texts that were never taken before."""
        taken: list[str] = []
        while len(taken) < number:
            num_words = self._random.randint(MIN_WORDS, MAX_WORDS)
            text = " ".join(self._random.choices(self._words, k=num_words))
            if text not in self._seen:
                self._seen.add(text)
                taken.append(text)
        return taken
