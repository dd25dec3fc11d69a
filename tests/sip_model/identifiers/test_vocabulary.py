"""What texts share with the words and names of each source."""

import math

import numpy as np
import pytest

from sip_model.identifiers.positives import Positives
from sip_model.identifiers.vocabulary import Vocabulary, vocabulary_signs

TEXTS = [
    "Call me Ishmael, said the whale",
    "The whale met Ahab",
    "Emma said the tea was cold",
    "tea for Emma",
]
POSITIVES = Positives.from_lists([np.array(row) for row in ([0], [0], [1], [1, 2])])


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.build(TEXTS, POSITIVES, 3)


def weight(num_sources: int) -> float:
    """Of a word that so many of the three sources have."""
    return math.log(4 / (num_sources + 0.5))


def test_a_source_shares_the_words_it_has_each_counted_once(vocabulary: Vocabulary) -> None:
    found = vocabulary.scores(["whale and whale and TEA"]).shared[0, 0].tolist()
    assert found == pytest.approx([weight(1), weight(2), weight(2)], abs=1e-6)


def test_names_are_words_that_are_never_found_without_a_capital(vocabulary: Vocabulary) -> None:
    found = vocabulary.scores(["The Whale and Emma", "ahab"])
    assert found.shared[1].tolist() == [pytest.approx([0, weight(2), weight(2)], abs=1e-6), [0, 0, 0]]
    assert found.total[1].tolist() == pytest.approx([weight(2), 0])


def test_new_words_weigh_most_and_are_nobodys(vocabulary: Vocabulary) -> None:
    found = vocabulary.scores(["whale Queequeg harpoon"])
    assert found.unseen[:, 0].tolist() == pytest.approx([2 * weight(0), weight(0)])
    assert found.total[:, 0].tolist() == pytest.approx([2 * weight(0) + weight(1), weight(0)])


def test_texts_without_words_share_nothing(vocabulary: Vocabulary) -> None:
    found = vocabulary.scores(["", "…"])
    assert not found.shared.any()
    assert not found.total.any()


def test_a_text_is_scored_alike_alone_and_beside_others(vocabulary: Vocabulary) -> None:
    together = vocabulary.scores(TEXTS)
    for number, text in enumerate(TEXTS):
        assert vocabulary.scores([text]).shared[:, 0].equal(together.shared[:, number])


def test_a_text_of_strange_names_looks_unknown(vocabulary: Vocabulary) -> None:
    scores = vocabulary.scores(["said Emma of the tea", "said Dorothea of the tea", "of the tea"])
    missing = vocabulary_signs(scores, np.array([1, 1, 1]), vocabulary.usual_name)[:, 3]
    assert missing[0] < missing[2] < missing[1]
    assert missing[2] == pytest.approx(0.5), "without names nothing is known"


def test_what_is_stored_is_read_back(vocabulary: Vocabulary) -> None:
    again = Vocabulary.from_arrays(vocabulary.arrays(), 3)
    ours, theirs = (each.scores(["Emma met the whale", "Ahab"]) for each in (vocabulary, again))
    assert ours.shared.equal(theirs.shared)
    assert np.array_equal(ours.total, theirs.total)


def test_an_empty_vocabulary_answers() -> None:
    nothing = Vocabulary.build([], Positives.from_lists([]), 2)
    assert not nothing.scores(["some words"]).shared.any()
