"""Evidence among passages: in feature space, by words and word for word."""

import numpy as np
import pytest

from sip_model.evidence.index import Query
from sip_model.evidence.ranking import SIGNALS
from sip_model.identifiers.positives import Positives
from tests.sip_model.evidence.corpus import NUM_SOURCES, make_index

MADE = make_index()


def test_passages_near_in_features_come_from_the_right_source() -> None:
    query = MADE.query(["unheard of"] * NUM_SOURCES, list(range(NUM_SOURCES)))
    for source, found in enumerate(MADE.index.search(query)):
        assert [MADE.sources[passage] for passage in found.passages[:3].tolist()] == [source] * 3


def test_a_quotation_comes_first_however_far_its_features_are() -> None:
    for number in (0, 17, 59):
        text = " ".join(MADE.passages[number].text.split()[3:15])
        elsewhere = (MADE.sources[number] + 1) % NUM_SOURCES
        (found,) = MADE.index.search(MADE.query([text], [elsewhere]))
        assert (found.passages[0], found.quoted[0]) == (number, 12)


def test_shared_words_count_without_features() -> None:
    made = make_index(with_features=False)
    text = "s3w1 s3w2 s3w3 s3w4 s3w5 s3w6"
    (found,) = made.index.search(Query([text], None, np.full((1, NUM_SOURCES), -1.6)))
    assert made.sources[int(found.passages[0])] == 3


def test_what_the_identifier_thinks_of_a_source_counts() -> None:
    query = MADE.query(["unheard of"], [1])
    log_probabilities = np.full((1, NUM_SOURCES), -9.0)
    log_probabilities[0, 4] = 0
    (found,) = MADE.index.search(Query(query.texts, query.features, log_probabilities))
    assert MADE.sources[int(found.passages[0])] == 4
    assert 1 in {MADE.sources[passage] for passage in found.passages.tolist()}
    assert found.signals[0, SIGNALS.index("source")] == 0


def test_passages_can_be_left_out() -> None:
    number = 17
    text, source = MADE.passages[number].text, MADE.sources[number]
    query = MADE.query([text], [source], left_out=[np.array([16, 17, 18])])
    (found,) = MADE.index.search(query)
    assert not {16, 17, 18} & set(found.passages.tolist())


def test_many_texts_are_answered_as_one_is() -> None:
    texts = [MADE.passages[number % 60].text for number in range(130)]
    sources = [number % NUM_SOURCES for number in range(130)]
    together = MADE.index.search(MADE.query(texts, sources))
    assert len(together) == 130
    for row in (0, 64, 129):
        (alone,) = MADE.index.search(MADE.query([texts[row]], [sources[row]]))
        assert alone.passages[0] == together[row].passages[0]


def test_the_ranking_is_fitted_on_other_texts() -> None:
    query = MADE.query(["unheard of"] * NUM_SOURCES, list(range(NUM_SOURCES)))
    right = Positives.from_lists([np.array([source]) for source in range(NUM_SOURCES)])
    fitted = MADE.index.with_ranking(query, right)
    assert fitted.ranking != MADE.index.ranking
    assert fitted.ranking.weights[SIGNALS.index("features")] > 1


@pytest.mark.parametrize("with_features", [True, False])
def test_an_index_comes_back_from_its_arrays(with_features: bool) -> None:
    index = make_index(with_features=with_features).index
    again = type(index).from_arrays(index.arrays())
    features = MADE.centres[[2]] if with_features else None
    query = Query(["s2w1 s2w2 w300"], features, np.full((1, NUM_SOURCES), -1.6))
    (one,), (other,) = index.search(query), again.search(query)
    np.testing.assert_array_equal(one.passages, other.passages)
    np.testing.assert_array_equal(one.relevance, other.relevance)
    assert again.passages.read([7]) == index.passages.read([7])
