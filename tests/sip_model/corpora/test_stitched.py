"""Texts put together from passages of several sources."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from sip_model.corpora.samples import Samples
from sip_model.corpora.sentences import sentence_starts
from sip_model.corpora.stitched import stitch

SOURCES = ("ash", "birch", "cedar")
CHUNKS = 10


def make_samples(words: int = 6, mark: str = ".") -> Samples:
    """Ten chunks of each source, three sentences each; the last chunk is of two sources."""
    numbers = np.arange(CHUNKS * len(SOURCES))
    owners = numbers // CHUNKS
    texts = [
        " ".join(f"The {SOURCES[owner]}{number} " + "x " * (words - 3) + f"yes{mark}" for _ in range(3))
        for number, owner in zip(numbers.tolist(), owners.tolist(), strict=True)
    ]
    positives = [np.array([owner]) for owner in owners.tolist()]
    positives[-1] = np.array([0, 2])
    return Samples(
        texts=texts,
        documents=[SOURCES[owner] for owner in owners.tolist()],
        starts=np.zeros(len(numbers), np.int64),
        ends=np.array([len(text) for text in texts]),
        chunks=numbers % CHUNKS,
        positives=positives,
        parts=np.full(len(numbers), 3, np.uint8),
        sources=SOURCES,
        authors=(None,) * len(SOURCES),
        left_out=(),
        split_sha256="",
        dropped_near_duplicates=0,
        merged_duplicates=0,
    )


def test_passages_of_different_sources_meet_where_a_sentence_begins() -> None:
    samples = make_samples()
    found = stitch(samples, np.arange(30), 2, 50, seed=0)
    assert len(found) == 50
    for text in found:
        first, second = text.sources
        assert first != second
        border = text.starts[1]
        assert border in sentence_starts(text.text).tolist()
        assert set(text.text[:border].split()) & {f"{SOURCES[first]}{n}" for n in range(30)}
        for part, source in ((text.text[:border], first), (text.text[border:], second)):
            assert all(f"The {SOURCES[source]}" in sentence for sentence in part.strip().split(". "))
            assert 18 <= len(part.split()) <= 4 * 18


def test_neighbouring_chunks_are_joined_and_those_of_several_sources_left_out() -> None:
    samples = make_samples()
    for text in stitch(samples, np.arange(30), 1, 40, seed=1):
        numbers = [int(word.removeprefix(SOURCES[text.sources[0]])) for word in text.text.split()[1::6]]
        assert all(after - before in (0, 1) for before, after in pairwise(numbers))
        assert max(numbers) < 29
        assert text.starts == (0,)


def test_the_same_seed_gives_the_same_texts() -> None:
    samples = make_samples()
    assert stitch(samples, np.arange(30), 2, 5, seed=3) == stitch(samples, np.arange(30), 2, 5, seed=3)
    assert stitch(samples, np.arange(30), 2, 5, seed=3) != stitch(samples, np.arange(30), 2, 5, seed=4)


@pytest.mark.parametrize("rows", [np.arange(10), np.zeros(0, np.int64)])
def test_one_source_alone_gives_no_texts_of_two(rows: npt.NDArray[np.int64]) -> None:
    assert stitch(make_samples(), rows, 2, 5, seed=0) == []


def test_without_marks_whole_passages_are_joined() -> None:
    (text,) = stitch(make_samples(mark=""), np.arange(30), 2, 1, seed=0)
    assert text.text[text.starts[1] :].startswith("The ")
    assert len(text.text.split()) % 18 == 0
