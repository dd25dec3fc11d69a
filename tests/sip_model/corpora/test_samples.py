from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from sip_model.corpora.document import Document
from sip_model.corpora.samples import Samples, prepare_samples
from sip_model.corpora.selection import LeftOut
from sip_model.corpora.store import Corpus
from sip_model.errors import CorpusError, InvalidInputError
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig
from tests.sip_model.corpora.corpus_files import document, make_corpus, words

CHUNK = ChunkConfig(num_words=8, max_per_source=20, min_per_source=5)


def prepare(corpus: Corpus, chunk: ChunkConfig = CHUNK, seed: int = 0, **split: object) -> Samples:
    return prepare_samples(corpus, chunk, SourcesConfig(), SplitConfig(**split), seed)  # type: ignore[arg-type] # by name


@pytest.fixture
def books(tmp_path: Path) -> Corpus:
    documents = [
        document(f"book {n}", words(f"b{n}x", 400), f"source {n}", author=f"A{n % 2}") for n in range(5)
    ]
    return make_corpus(tmp_path / "c.parquet", [*documents, document("note", words("n", 16), "few")])


def test_samples_are_pieces_of_their_documents(books: Corpus) -> None:
    samples = prepare(books)
    texts = {document.document: document.text for document in books.documents()}
    assert len(samples.texts) == len(samples.positives) == 100
    for number, text in enumerate(samples.texts):
        assert texts[samples.documents[number]][samples.starts[number] : samples.ends[number]] == text
        assert samples.sources[samples.positives[number][0]] == f"source {samples.documents[number][-1]}"


def test_sources_authors_and_those_left_out_are_told(books: Corpus) -> None:
    samples = prepare(books)
    assert samples.sources == tuple(f"source {n}" for n in range(5))
    assert samples.authors == ("A0", "A1", "A0", "A1", "A0")
    assert samples.left_out == (LeftOut("few", 2),)


def test_parts_follow_the_shares_and_hold_every_source(books: Corpus) -> None:
    samples = prepare(books)
    assert [len(samples.part(name)) for name in ("train", "validation", "calibration", "test")] == [
        60,
        10,
        10,
        20,
    ]
    assert {int(samples.positives[n][0]) for n in samples.part("test")} == set(range(5))


def test_the_same_seed_gives_the_same_samples_and_another_the_same_texts(books: Corpus) -> None:
    first, again, other = prepare(books, seed=1), prepare(books, seed=1), prepare(books, seed=2)
    assert first.split_sha256 == again.split_sha256 != other.split_sha256
    assert first.texts == again.texts == other.texts
    assert np.array_equal(first.parts, again.parts)


def test_equal_texts_of_several_sources_become_one_sample_with_all_of_them(tmp_path: Path) -> None:
    documents = [document(f"{n}", words(f"{n}x", 6), f"s{n % 3}") for n in range(60)]
    copies = [
        document("copy 1", documents[0].text.upper(), "s1"),
        document("copy 2", f" {documents[0].text}", "s2"),
    ]
    samples = prepare(
        make_corpus(tmp_path / "c.parquet", [*documents, *copies]), ChunkConfig(min_per_source=5)
    )
    assert samples.merged_duplicates == 2
    assert samples.positives[0].tolist() == [0, 1, 2]
    assert samples.documents[0] == "0"
    assert len(samples.texts) == 60


def test_a_document_of_several_sources_is_one_sample_with_those_that_take_part(tmp_path: Path) -> None:
    documents = [
        document(f"{n}", words(f"{n}x", 8), "a", "b" if n % 2 else "rare" if n == 0 else "c")
        for n in range(40)
    ]
    samples = prepare(make_corpus(tmp_path / "c.parquet", documents), ChunkConfig(min_per_source=5))
    assert samples.sources == ("a", "b", "c")
    assert [positives.tolist() for positives in samples.positives[:3]] == [[0], [0, 1], [0, 2]]


def near_duplicates(tmp_path: Path) -> Corpus:
    """400 documents, of which 100 pairs differ in their last word only."""

    def text(n: int) -> str:
        return words(f"{n // 2 if n < 200 else n}x", 40) + f" end{n}"

    return make_corpus(tmp_path / "c.parquet", [document(f"{n}", text(n), f"s{n % 2}") for n in range(400)])


@pytest.mark.parametrize("by", ["block", "document", "position"])
def test_near_duplicates_never_straddle_parts(
    tmp_path: Path, by: Literal["block", "document", "position"]
) -> None:
    chunk = ChunkConfig(num_words=64, max_per_source=1000)
    samples = prepare(near_duplicates(tmp_path), chunk, by=by)
    groups: dict[str, set[int]] = {}
    for text, part in zip(samples.texts, samples.parts.tolist(), strict=True):
        groups.setdefault(text.split()[0], set()).add(part)
    assert len(groups) == 300
    assert all(len(parts) == 1 for parts in groups.values())
    assert samples.dropped_near_duplicates == 400 - len(samples.texts) > 0


def test_near_duplicates_stay_where_that_is_asked_for(tmp_path: Path) -> None:
    chunk = ChunkConfig(num_words=64, max_per_source=1000)
    samples = prepare(near_duplicates(tmp_path), chunk, deduplicate=False)
    assert len(samples.texts) == 400
    assert samples.dropped_near_duplicates == 0


def given_corpus(tmp_path: Path, splits: Sequence[str | None]) -> Corpus:
    documents: list[Document] = []
    for number, split in enumerate(splits):
        documents.append(document(f"{number}", words(f"{number}x", 8), f"s{number % 2}", split=split))
    return make_corpus(tmp_path / "c.parquet", documents)


def test_the_corpus_own_split_is_followed(tmp_path: Path) -> None:
    samples = prepare(given_corpus(tmp_path, ["train"] * 60 + ["dev"] * 20 + ["test"] * 20), by="given")
    assert samples.part("test").tolist() == list(range(len(samples.texts)))[-len(samples.part("test")) :]
    assert {samples.documents[n] for n in samples.part("calibration")} <= {str(n) for n in range(60)}


def test_a_document_without_its_own_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"document 40\.split: expected one of train, .* found none"):
        prepare(given_corpus(tmp_path, ["train"] * 40 + [None]), ChunkConfig(), by="given")


def test_a_rule_that_leaves_a_part_empty_is_refused(books: Corpus) -> None:
    with pytest.raises(InvalidInputError, match=r"split\.by: .* found none in validation, calibration, test"):
        prepare(books, by="document")


def test_chunks_of_tokens_are_cut_by_the_tokenizer_given(books: Corpus) -> None:
    def offsets(text: str) -> list[tuple[int, int]]:
        return [(start, min(start + 3, len(text))) for start in range(0, len(text), 3)]

    config = ChunkConfig(num_tokens=10, max_per_source=20)
    samples = prepare_samples(books, config, SourcesConfig(), SplitConfig(), 0, offsets)
    assert all(len(text) <= 30 for text in samples.texts)
