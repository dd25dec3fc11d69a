"""The report of near-duplicates."""

from pathlib import Path

from sip_model.corpora.document import Document
from sip_model.corpora.duplicate_report import report_duplicates
from sip_model.corpora.samples import deal_chunks
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig

SHARED = "all rights reserved no part of this may be copied by anyone at any time anywhere at all"


def words(stem: str) -> str:
    return " ".join(f"{stem}{number}" for number in range(18))


def document(name: str, source: str, *texts: str) -> Document:
    return Document(document=name, text=" ".join(texts), sources=(source,))


def test_groups_are_counted_and_those_across_sources_named(tmp_path: Path) -> None:
    write_corpus(
        [
            document("a", "sea", SHARED, words("s")),
            document("b", "snow", SHARED.upper(), words("t")),
            document("c", "snow", words("t"), words("u")),
            document("d", "bread", words("v"), words("w")),
        ],
        tmp_path / "corpus.parquet",
    )
    chunk = ChunkConfig(num_words=18, min_per_source=1)
    dealt = deal_chunks(Corpus(tmp_path / "corpus.parquet"), chunk, SourcesConfig(), SplitConfig(), seed=0)
    report = report_duplicates(dealt, listed=10)
    assert (report.chunks, report.in_groups, report.groups, report.across_sources) == (8, 4, 2, 1)
    shared, repeated = report.largest
    assert (shared.chunks, shared.sources, shared.documents, shared.examples) == (
        2,
        ["sea", "snow"],
        2,
        [SHARED],
    )
    assert (repeated.sources, repeated.examples) == (["snow"], [words("t")])
    assert report_duplicates(dealt, listed=1).largest == [shared]
