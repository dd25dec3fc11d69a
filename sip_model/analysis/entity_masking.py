"""Texts without their names and numbers: what is left when a model can't go by who and when."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

NAME = "Someone"
NUMBER = "0"

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:…]|[\"“”‘(\[])[\"”’')\]]*\s*$")  # noqa: RUF001 - quotes as books print them
_FIRST_PERSON = frozenset({"I", "I'm", "I'll", "I've", "I'd", "I’m", "I’ll", "I’ve", "I’d"})


def mask_entities(texts: Sequence[str]) -> list[str]:
    """`texts` with every name replaced by `NAME` and every number by `NUMBER`.

    A name is a capitalised word inside a sentence; one at a sentence's start, or at the text's, counts where
    these texts capitalise it inside sentences and never write it small. That is a rule, not a tagger: of
    languages that capitalise nouns it takes all nouns, and it misses names of places and people that are
    written small.
    """
    names = _names(texts)
    return [_NUMBER.sub(NUMBER, _WORD.sub(lambda word: _masked(word, names), text)) for text in texts]


def _names(texts: Iterable[str]) -> frozenset[str]:
    """Words that are capitalised inside sentences and never written small."""
    inside, small = Counter[str](), set[str]()
    for text in texts:
        for word in _WORD.finditer(text):
            if not word.group()[0].isupper():
                small.add(word.group())
            elif word.group() not in _FIRST_PERSON and not _begins_sentence(word):
                inside[word.group()] += 1
    return frozenset(word for word in inside if word.lower() not in small)


def _masked(word: re.Match[str], names: frozenset[str]) -> str:
    text = word.group()
    if not text[0].isupper() or text in _FIRST_PERSON:
        return text
    return NAME if text in names or not _begins_sentence(word) else text


def _begins_sentence(word: re.Match[str]) -> bool:
    before = word.string[max(0, word.start() - 8) : word.start()]
    return word.start() == 0 or _SENTENCE_END.search(before) is not None
