"""When a text is nothing like what a model has learned from."""

import json

import numpy as np
import pytest

from sip_model.identifiers.familiarity import Familiarity

GENERATOR = np.random.default_rng(0)
FREQUENT = ["the", "of", "and", "to", "in", "was"]
RARE = [f"noun{number}" for number in range(3000)]


def prose(num_words: int) -> str:
    """Every second word is a frequent one."""
    words = [GENERATOR.choice(FREQUENT if n % 2 else RARE) for n in range(num_words)]
    return " ".join(words)


TRAINING = [prose(16), *(prose(32) for _ in range(300))]
FAMILIARITY = Familiarity.fit(TRAINING, [prose(32) for _ in range(300)])


def codes(text: str) -> list[str]:
    return [warning.code for warning in FAMILIARITY.warnings(text)]


def test_an_ordinary_text_raises_no_warning() -> None:
    assert sum(bool(codes(prose(32))) for _ in range(200)) <= 6
    assert codes(prose(16)) == []


def test_a_text_shorter_than_any_learned_from_does() -> None:
    assert codes(prose(15)) == ["short_text"]
    assert "15 words" in FAMILIARITY.warnings(prose(15))[0].message


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("корабль " * 20, "Cyrillic"),
        ("船は静かな海を渡った " * 20, "Hiragana"),
        ("السفينة في البحر " * 20, "Arabic"),
    ],
)
def test_another_script_does(text: str, script: str) -> None:
    (warning,) = FAMILIARITY.warnings(text)
    assert warning.code == "other_script"
    assert script in warning.message or "Cjk" in warning.message


def test_a_few_letters_of_another_script_do_not() -> None:
    assert codes(f"{' '.join(FREQUENT * 5)} корабль") == []


def test_a_text_without_the_frequent_words_does() -> None:
    assert codes(" ".join(GENERATOR.choice(RARE, 32))) == ["other_language"]
    assert codes(" ".join(GENERATOR.choice(RARE, 20))) == []


def test_digits_and_signs_are_of_no_script() -> None:
    assert "other_script" not in codes("1 2 3 🚢 ! " * 10)


def test_no_word_is_kept() -> None:
    assert not set(json.dumps(FAMILIARITY.as_json()).replace('"', " ").split()) & {"the", "and", "of"}


def test_it_comes_back_from_json() -> None:
    assert Familiarity.from_json(json.loads(json.dumps(FAMILIARITY.as_json()))) == FAMILIARITY
