"""Names and numbers go, the rest stays."""

import pytest

from sip_model.analysis.entity_masking import mask_entities


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the house of Heathcliff was cold", "the house of Someone was cold"),
        ("It was in 1801, on page 1,234.5 of it", "It was in 0, on page 0 of it"),
        ("he came. The door stood open", "he came. The door stood open"),
        ("and I said I'm here", "and I said I'm here"),
        ('he said, "Come in," and she came', 'he said, "Come in," and she came'),
        ("with Jean-Luc O'Brien at 12:30", "with Someone Someone at 0"),
        ("nothing to hide", "nothing to hide"),
        ("by Émile and Ōe", "by Someone and Someone"),
    ],
)
def test_rules(text: str, masked: str) -> None:
    assert mask_entities([text]) == [masked]


def test_a_name_at_the_start_is_known_from_the_other_texts() -> None:
    texts = ["Cathy ran. Nobody saw her.", "they saw Cathy run, and nobody spoke"]
    assert mask_entities(texts) == ["Someone ran. Nobody saw her.", "they saw Someone run, and nobody spoke"]


def test_a_word_that_is_also_written_small_is_no_name_at_the_start_of_a_sentence() -> None:
    texts = ["Rose leaves fell.", "the flower Rose loved was a rose"]
    assert mask_entities(texts)[0] == "Rose leaves fell."
