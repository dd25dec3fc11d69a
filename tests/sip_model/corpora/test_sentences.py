"""Where sentences begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_model.corpora.sentences import sentence_starts


def sentences(text: str) -> list[str]:
    starts = sentence_starts(text).tolist()
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He came. She left! Why?", ["He came. ", "She left! ", "Why?"]),
        ('"Why?" he asked. Nobody knew.', ['"Why?" he asked. ', "Nobody knew."]),
        ("They read J. Austen. Then they slept.", ["They read J. Austen. ", "Then they slept."]),
        ("“It rained.” All day.", ["“It rained.” ", "All day."]),
        ("a heading\nthe text goes on", ["a heading\n", "the text goes on"]),
        ("Он пришёл. Она ушла.", ["Он пришёл. ", "Она ушла."]),
        ("一。二\uff01三", ["一。", "二\uff01", "三"]),
        ("no mark at all", ["no mark at all"]),
        ("", [""]),
    ],
)
def test_a_sentence_ends_with_its_mark_and_begins_after_the_space(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet="aB .!?\n”。\ud800", max_size=40))
def test_every_start_but_the_first_is_of_something(text: str) -> None:
    starts = sentence_starts(text).tolist()
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert all(not text[start].isspace() for start in starts[1:])
