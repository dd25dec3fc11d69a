"""The words that verbatim overlap is counted in."""

from sip_model.evidence.words import NO_WORD, Words


def cut(text: str) -> list[str]:
    words = Words.of(text)
    return [text[start:end] for start, end in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]


def test_words_are_runs_of_letters_and_digits() -> None:
    assert cut("“Well,” said he—in 1851—“no!”") == ["Well", "said", "he", "in", "1851", "no"]
    assert cut(" \n… !") == []


def test_scripts_without_spaces_count_by_the_character() -> None:
    assert cut("船は静か, ship") == ["船", "は", "静", "か", "ship"]


def test_equal_words_have_equal_numbers_in_whatever_case() -> None:
    one, other = Words.of("The SEA the sea"), Words.of("ocean")
    assert one.numbers[0] == one.numbers[2] != one.numbers[1] == one.numbers[3]
    assert other.numbers[0] not in one.numbers
    assert NO_WORD not in one.numbers


def test_a_lone_surrogate_is_a_character_like_any_other() -> None:
    assert len(Words.of("a \ud800b c").numbers) == 3
