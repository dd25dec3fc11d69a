import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_model.corpora import chunking
from sip_model.corpora.chunking import Chunk, count_chunks, iter_chunks, word_spans
from sip_model.experiments.config import ChunkConfig
from tests.sip_model.corpora.corpus_files import document, words


def chunk_texts(text: str, num_words: int) -> list[str]:
    return [chunk.text for chunk in iter_chunks(document("1", text, "a"), ChunkConfig(num_words=num_words))]


def test_chunks_are_pieces_of_the_document_with_their_places() -> None:
    text = "  one two\nthree  four five six "
    chunks = list(iter_chunks(document("1", text, "a"), ChunkConfig(num_words=2)))
    assert chunks[1] == Chunk("three  four", 10, 21)
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_a_short_text_is_one_chunk() -> None:
    assert chunk_texts(" one two ", 32) == ["one two"]


@pytest.mark.parametrize(("num_words", "sizes"), [(8, [4, 4]), (9, [4, 4]), (10, [4, 4, 2]), (11, [4, 4, 3])])
def test_a_last_piece_of_less_than_half_a_chunk_is_left_out(num_words: int, sizes: list[int]) -> None:
    assert [len(piece.split()) for piece in chunk_texts(words("w", num_words), 4)] == sizes


@given(st.text(alphabet=st.sampled_from("ab \n\t\u2003\u3000\x1f字🙂")))
def test_words_are_runs_of_non_space_characters(text: str) -> None:
    starts, ends = word_spans(text)
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [
        m.span() for m in re.finditer(r"\S+", text)
    ]


def test_words_across_a_block_border_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "_BLOCK_CHARACTERS", 3)
    for text in ("abcdefg hi", "abc def", "   abc", "abc   ", "a"):
        starts, ends = word_spans(text)
        assert [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)] == text.split()


@given(st.text(alphabet="a b", min_size=1).filter(str.strip), st.integers(1, 6))
def test_counting_agrees_with_cutting(text: str, num_words: int) -> None:
    assert count_chunks(text, ChunkConfig(num_words=num_words)) == len(chunk_texts(text, num_words))


def letters(text: str) -> list[tuple[int, int]]:
    """A tokenizer whose tokens are characters, spaces included."""
    return [(place, place + 1) for place in range(len(text))]


def test_chunks_of_tokens_lose_the_space_at_their_edges_and_are_never_blank() -> None:
    config = ChunkConfig(num_tokens=4)
    chunks = list(iter_chunks(document("1", "ab c      efgh", "a"), config, letters))
    assert chunks == [Chunk("ab c", 0, 4), Chunk("ef", 10, 12), Chunk("gh", 12, 14)]
    assert count_chunks("ab c      efgh", config, letters) == 3


def test_a_text_without_tokens_is_one_chunk() -> None:
    chunks = list(iter_chunks(document("1", "字", "a"), ChunkConfig(num_tokens=4), lambda _: []))
    assert chunks == [Chunk("字", 0, 1)]


def test_tokens_need_a_tokenizer() -> None:
    with pytest.raises(ValueError, match="tokenizer"):
        list(iter_chunks(document("1", "a", "a"), ChunkConfig(num_tokens=4)))
