"""The baseline every result stands beside."""

import numpy as np

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.identifiers.positives import Positives
from tests.sip_model.identifiers.clusters import make_training_data

DATA = make_training_data(num_sources=5)
TRAIN = [DATA.texts[row] for row in DATA.train.tolist()]
HELD_OUT = [DATA.texts[row] for row in DATA.calibration.tolist()]


def test_it_beats_chance_on_texts_with_words_of_their_own() -> None:
    predicted = lexical_baseline(TRAIN, DATA.positives.take(DATA.train), HELD_OUT, seed=0)
    right = DATA.positives.take(DATA.calibration).mark(predicted[:, None])
    assert right.mean() > 3 / 5


def test_the_same_seed_gives_the_same_predictions() -> None:
    positives = DATA.positives.take(DATA.train)
    first, second = (lexical_baseline(TRAIN, positives, HELD_OUT, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_text_of_two_sources_is_learned_for_both() -> None:
    texts = ["salt and waves", "salt and sails", "flour and salt", "flour and butter"]
    positives = Positives.from_lists([np.array(row) for row in ([0], [0], [0, 2], [2])])
    assert lexical_baseline(texts, positives, ["sails and waves", "butter and flour"], 0).tolist() == [0, 2]
