"""Where the words of a text stand, and how far that is trusted."""

import numpy as np
import pytest

from sip_model.identifiers.answers import Judgement, Scored
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.quotations import Quotations, QuotationTrust
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR, UnknownModel

SONG = "row row row your boat gently down the stream merrily merrily life is but a dream"  # 16 words
CREED = "we hold these truths to be plain that all people are made alike"  # 13 words
SHORT = "to be or not"


def of(*lists: list[int]) -> Positives:
    return Positives.from_lists([np.array(row, np.int64) for row in lists])


QUOTATIONS = Quotations.build([SONG, CREED, SHORT, CREED], of([0, 2], [1], [3], [3]), 5)


def shares(text: str) -> list[float]:
    found: list[float] = QUOTATIONS.shares(["another text", text, ""])[1].tolist()
    return found


def test_a_text_of_two_sources_is_known_from_both_alike() -> None:
    assert shares(SONG) == [0.5, 0, 0.5, 0, 0]
    assert shares(CREED) == [0, 0.5, 0, 0.5, 0]  # learned twice, once from each


def test_case_and_punctuation_do_not_matter() -> None:
    assert shares(SONG.title().replace(" Stream ", " stream,\n")) == [0.5, 0, 0.5, 0, 0]


def test_the_share_is_that_of_the_words_in_known_runs() -> None:
    half = " ".join(SONG.split()[3:13]) + " and ten words more that nobody here has ever written"
    assert shares(half) == pytest.approx([10 / 20 / 2, 0, 10 / 20 / 2, 0, 0])


def test_fewer_words_in_a_row_than_a_quotation_has_say_nothing() -> None:
    assert shares(" ".join(SONG.split()[:7]) + " not") == [0] * 5


def test_a_short_text_is_known_as_a_whole_only() -> None:
    assert shares("To be, or not!") == [0, 0, 0, 1, 0]
    assert shares("to be or") == [0] * 5
    assert shares(SHORT + " to be that is the question said he") == [0] * 5


def test_a_text_stitched_from_two_sources_is_divided_by_their_words() -> None:
    found = shares(" ".join(SONG.split()[:12]) + " " + " ".join(CREED.split()[:8]))
    assert found == pytest.approx([0.3, 0.2, 0.3, 0.2, 0])


def test_a_run_does_not_reach_over_the_border_of_two_texts() -> None:
    found = Quotations.build(["a b c d e f g h", "i j k l m n o p"], of([0], [1]), 2)
    assert found.shares(["e f g h i j k l"]).tolist() == [[0, 0]]


def test_nothing_is_known_where_nothing_was_learned() -> None:
    assert Quotations.build([], of(), 3).shares([SONG]).tolist() == [[0, 0, 0]]
    assert Quotations.build(["one two"], of([0]), 3).shares(["one two"]).tolist() == [[0, 0, 0]]


def test_what_is_stored_is_what_was_built() -> None:
    again = Quotations.from_arrays(QUOTATIONS.arrays(), 5)
    np.testing.assert_array_equal(again.shares([SONG, CREED]), QUOTATIONS.shares([SONG, CREED]))


def test_a_text_has_the_shares_alone_that_it_has_among_many() -> None:
    texts = [SONG, CREED, SHORT, "something else"] * 600
    together = QUOTATIONS.shares(texts)
    np.testing.assert_array_equal(together, np.tile(QUOTATIONS.shares(texts[:4]), (600, 1)))


def fresh(right_share: float, quoted_share: float = 0.3) -> tuple[np.ndarray, np.ndarray, Positives]:
    """1000 texts of two sources, the members half sure; 200 share words with a source, which is the right one
    in `right_share` of them."""
    labels = np.arange(1000) % 2
    quoted = np.zeros((1000, 2))
    told = np.arange(200)
    is_right = told < right_share * 200
    quoted[told, np.where(is_right, labels[:200], 1 - labels[:200])] = quoted_share
    probabilities = np.full((1000, 2), 0.5)
    return probabilities, quoted, Positives.from_lists([np.array([label]) for label in labels.tolist()])


def test_quotations_that_are_right_in_texts_never_seen_are_trusted_and_others_are_not() -> None:
    good, bad = QuotationTrust.fit(*fresh(1.0)), QuotationTrust.fit(*fresh(0.1))
    short, whole = np.array([[0.3, 0.0]]), np.array([[0.5, 0.5]])
    assert good(short)[0] > 0.9
    assert bad(short)[0] < 0.1
    assert min(good(whole)[0], bad(whole)[0]) > 0.85  # a copied text is right by definition


def test_without_any_quotation_to_learn_from_a_copied_text_is_trusted() -> None:
    probabilities, _, positives = fresh(1.0)
    trust = QuotationTrust.fit(probabilities, np.zeros((1000, 2)), positives)
    assert trust(np.array([[1.0, 0.0]]))[0] > 0.9
    few = QuotationTrust.fit(probabilities[:12], np.zeros((12, 2)), positives.take(np.arange(12)))
    assert 0.9 < few(np.array([[1.0, 0.0]]))[0] < trust(np.array([[1.0, 0.0]]))[0]
    assert few(np.array([[0.25, 0.0]]))[0] < 0.8


def judgement(trust: QuotationTrust | None) -> Judgement:
    signs = {"means": (0.0,), "spreads": (1.0,), "weights": (1.0,), "bias": 0.0}
    unknown = UnknownModel(signs=("energy",), threshold=0.5, **signs)  # type: ignore[arg-type]  # floats and tuples
    return Judgement(Calibration(method="temperature", temperature=1.0), unknown, trust)


def test_answers_follow_quotations_as_far_as_they_are_trusted() -> None:
    logits, signs = np.array([[4.0, 0.0, 0.0]] * 3), np.array([[2.0]] * 3)
    quoted = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.25, 0.0]])
    with_trust = judgement(QuotationTrust(50.0, 0.0))(Scored(logits, signs, quoted))
    without = judgement(None)(Scored(logits, signs, np.zeros((3, 0))))
    np.testing.assert_array_equal(with_trust.probabilities[0], without.probabilities[0])
    of_known = with_trust.probabilities[1] / (1 - with_trust.unknown[1])
    np.testing.assert_allclose(of_known, [0.5, 0.5, 0.0], atol=1e-9)
    copied = (1 - DEFAULT_UNKNOWN_PRIOR) * np.array([0, 1, 0.25])
    np.testing.assert_allclose(with_trust.unknown, (1 - copied) * without.unknown, atol=1e-9)
    np.testing.assert_allclose(with_trust.probabilities.sum(axis=1) + with_trust.unknown, 1, atol=1e-12)
