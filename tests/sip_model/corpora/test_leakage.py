"""What language models are trained on holds no held-out text."""

from pathlib import Path

import numpy as np
import pytest

from sip_model.backbones.pretraining.prepared import PreparedText
from sip_model.backbones.pretraining.setup import Setup
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.corpora.document import Document
from sip_model.corpora.leakage import RUN_WORDS, cut_held_out
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.spans import part_spans
from sip_model.corpora.split import PARTS
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig
from sip_model.experiments.pretrain import PretrainBlock
from tests.worker.kinds.corpora import make_document

CHUNK = ChunkConfig(num_words=8, max_per_source=20)


def make_corpus(folder: Path, documents: list[Document]) -> Corpus:
    """These documents as a corpus."""
    path = folder / f"{documents[0].document}.parquet"
    write_corpus(documents, path)
    return Corpus(path)


def long_documents() -> list[Document]:
    """Long texts, a document too short for the sources, and a copy of one text's middle inside another."""
    documents = [make_document(source, 60, 0) for source in ("ash", "birch", "cedar", "elm")]
    words = documents[0].text.split()
    copy = " ".join(words[: len(words) // 2]).upper()
    documents.append(Document("thief", f"{make_document('fir', 30, 1).text} {copy}", ("fir",)))
    documents.append(make_document("short", 3, 0))
    return documents


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("by", ["block", "document", "position"])
def test_no_held_out_chunk_and_no_window_of_its_tokens_is_in_the_training_stream(
    by: str, seed: int, tmp_path: Path
) -> None:
    documents = long_documents()
    if by == "document":
        documents = [
            Document(f"{document.document}-{number}", part, document.sources)
            for document in documents
            for number, part in enumerate(_pieces(document.text))
        ]
    corpus = make_corpus(tmp_path, documents)
    split = SplitConfig(by=by)  # type: ignore[arg-type]  # one of three
    samples = prepare_samples(corpus, CHUNK, SourcesConfig(), split, seed)
    text = PretrainingText.of([corpus], CHUNK, SourcesConfig(), split, seed)
    stream = "\n".join(" ".join(part.casefold().split()) for part in text.train_texts())
    assert len(stream) > 1000
    held_out = np.flatnonzero(samples.parts != PARTS.index("train")).tolist()
    assert len(held_out) > 20
    for row in held_out:
        assert " ".join(samples.texts[row].casefold().split()) not in stream
    config = PretrainBlock(vocab_size=512, context=16, batch_tokens=16)
    setup = Setup.new(PreparedText.of(text, config.vocab_size), config, seed)
    tokens = " ".join(map(str, setup.train.tokens.tolist()))
    for row in held_out:
        ids = setup.tokenizer.encode(" " + samples.texts[row]).ids
        assert f" {' '.join(map(str, ids))} " not in f" {tokens} "


def _pieces(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[start : start + 64]) for start in range(0, len(words), 64)]


def test_the_samples_of_a_part_lie_in_its_spans_and_the_parts_do_not_touch(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, long_documents())
    samples = prepare_samples(corpus, CHUNK, SourcesConfig(), SplitConfig(), 1)
    spans = part_spans(corpus, CHUNK, SourcesConfig(), SplitConfig(), 1)
    ids = [document.document for document in corpus.documents()]
    for row, document in enumerate(samples.documents):
        inside = (
            (spans.documents == ids.index(document))
            & (spans.starts <= samples.starts[row])
            & (samples.ends[row] <= spans.ends)
        )
        assert spans.parts[inside].tolist() == [samples.parts[row]]
    for number in range(len(ids)):
        mine = spans.take(spans.documents == number)
        assert np.all(mine.starts[1:] > mine.ends[:-1])
    whole = spans.take(spans.documents == ids.index("short-0"))
    assert (whole.starts.tolist(), whole.parts.tolist()) == ([0], [PARTS.index("train")])


def test_a_held_out_text_is_cut_out_of_another_corpus_too(tmp_path: Path) -> None:
    first = make_corpus(tmp_path, long_documents()[:4])
    spans = part_spans(first, CHUNK, SourcesConfig(), SplitConfig(), 0)
    quoted = next(iter(spans.part("test").texts(first)))
    others = [make_document(source, 20, 5) for source in ("oak", "yew")]
    others.append(Document("quote", f"a b c d e f g h i j {quoted} k l m n o p q r s t", ("oak",)))
    second = make_corpus(tmp_path, others)
    chunk = ChunkConfig(num_words=8, max_per_source=1000)
    theirs = part_spans(second, chunk, SourcesConfig(limit=2), SplitConfig(), 0)
    _, cleaned = cut_held_out([first, second], [spans, theirs])
    stream = " ".join(cleaned.spans.texts(second))
    words = quoted.split()
    for start in range(len(words) - RUN_WORDS + 1):
        assert " ".join(words[start : start + RUN_WORDS]) not in stream
    assert "w" in stream


def test_short_texts_are_left_out_where_a_held_out_one_is_nearly_the_same(tmp_path: Path) -> None:
    documents = [Document(f"u{n}", f"unique thing number {n * 7919}", ("one",)) for n in range(30)]
    documents += [Document(f"v{n}", "always the very same text", ("two",)) for n in range(30)]
    corpus = make_corpus(tmp_path, documents)
    spans = part_spans(corpus, CHUNK, SourcesConfig(), SplitConfig(), 0)
    assert "always the very same text" in set(spans.part("test").texts(corpus))
    (cleaned,) = cut_held_out([corpus], [spans])
    kept = list(cleaned.spans.texts(corpus))
    assert kept
    assert not set(kept) & {"always the very same text"}
