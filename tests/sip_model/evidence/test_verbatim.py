"""Finding what a text shares word for word with passages."""

import numpy as np
import pytest

from sip_model.evidence.verbatim import MAX_PLACES, SHINGLE_WORDS, VerbatimIndex
from sip_model.evidence.words import Words

GENERATOR = np.random.default_rng(0)
VOCABULARY = [f"word{number}" for number in range(300)]


def prose(num_words: int) -> list[str]:
    return [str(word) for word in GENERATOR.choice(VOCABULARY, num_words)]


def index_of(*documents: list[list[str]]) -> tuple[VerbatimIndex, list[str]]:
    """Each document as passages that follow each other, its words joined by single spaces."""
    texts, offsets, follows = [], [], []
    for document in documents:
        offset = 0
        for number, words in enumerate(document):
            text = " ".join(words)
            texts.append(text)
            offsets.append(offset)
            follows.append(number > 0)
            offset += len(text) + 1
    return VerbatimIndex.build(texts, np.array(offsets), np.array(follows)), texts


@pytest.mark.parametrize("length", [SHINGLE_WORDS, 9, 30])
def test_a_run_is_found_where_it_stands(length: int) -> None:
    passages = [prose(32) for _ in range(50)]
    index, _ = index_of(*[[words] for words in passages])
    text = ["other", "words", *passages[17][1 : 1 + length], "and", "more"]
    runs = index.runs(Words.of(" ".join(text)))
    assert (runs.texts[0], runs.lengths[0]) == (2, length)
    assert index.passages_at(runs.places[:1]).tolist() == [17]
    assert runs.places[0] - index.firsts[17] == 1


def test_a_run_goes_on_into_the_passage_that_follows_and_no_further() -> None:
    first, second, other = prose(32), prose(32), prose(32)
    index, _ = index_of([first, second], [other])
    runs = index.runs(Words.of(" ".join([*first[-10:], *second[:20]])))
    assert runs.lengths.tolist()[0] == 30
    assert index.passages_at(runs.places[:1]).tolist() == [0]
    runs = index.runs(Words.of(" ".join([*second[-10:], *other[:20]])))
    assert runs.lengths.tolist()[:2] == [20, 10]


def test_a_phrase_that_stands_everywhere_does_not_hide_a_quotation() -> None:
    phrase = ["at", "the", "end", "of", "the", "day"]
    passages = [[*phrase, *prose(26)] for _ in range(MAX_PLACES + 5)]
    index, _ = index_of(*[[words] for words in passages])
    assert len(index.runs(Words.of(" ".join(phrase))).lengths) == 0
    runs = index.runs(Words.of(" ".join(passages[40])))
    assert runs.lengths[0] == 32
    assert index.passages_at(runs.places[:1]).tolist() == [40]


def test_shared_runs_of_some_passages_end_where_the_passages_do() -> None:
    first, second = prose(12), prose(12)
    index, _ = index_of([first, second], [["nothing", "alike"]])
    text = Words.of(" ".join([*first[-5:], *second[:3]]))
    assert index.longest_shared(text, np.array([0, 1, 2])).tolist() == [5, 3, 0]


@pytest.mark.parametrize("text", ["", "x", "one two three", "?!"])
def test_a_text_shorter_than_a_shingle_has_no_runs(text: str) -> None:
    index, _ = index_of([prose(32)])
    assert len(index.runs(Words.of(text)).lengths) == 0


def test_what_stands_around_a_passage_ends_at_its_stretch() -> None:
    first, second, other = prose(6), prose(6), prose(6)
    index, _ = index_of([first, second], [other])
    around = index.around(0, 4)
    assert index.numbers[around].tolist() == Words.of(" ".join([*first, *second[:4]])).numbers.tolist()
    around = index.around(1, 10)
    assert index.numbers[around].tolist() == Words.of(" ".join([*first, *second])).numbers.tolist()


def test_an_index_comes_back_from_its_arrays() -> None:
    index, texts = index_of([prose(32), prose(32)])
    again = VerbatimIndex.from_arrays(index.arrays())
    found = again.runs(Words.of(texts[1]))
    assert (found.lengths[0], again.passages_at(found.places[:1]).tolist()) == (32, [1])
