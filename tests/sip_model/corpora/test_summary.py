import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_model.corpora import summary
from sip_model.corpora.summary import count_words


def test_words_across_a_block_border_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "_BLOCK_CHARACTERS", 4)
    for text in ("abcd efgh", "abcdefgh", "abc defg h", "    abcd    ", "ab\u3000cd\x1fef", ""):
        assert count_words(text) == len(text.split())


@given(st.text())
def test_counts_what_split_finds(text: str) -> None:
    assert count_words(text) == len(text.split())
