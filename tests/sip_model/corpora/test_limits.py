"""How much a corpus may be, whatever format it comes in."""

import gzip
import struct
import tracemalloc
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sip_model.corpora.document import Document
from sip_model.corpora.formats import read_corpus
from sip_model.corpora.limits import CorpusLimits, within
from sip_model.errors import CorpusError


def documents(*texts: str) -> list[Document]:
    return [Document(str(number), text, (f"source {number}",)) for number, text in enumerate(texts)]


def test_a_corpus_has_so_many_sources_and_no_more() -> None:
    two = CorpusLimits(max_sources=2)
    assert len(list(within(documents("a", "b"), two))) == 2
    with pytest.raises(CorpusError, match="sources: expected at most 2 sources; found more"):
        list(within(documents("a", "b", "c"), two))


def test_a_corpus_has_so_many_bytes_and_no_more() -> None:
    six = CorpusLimits(max_bytes=6)
    assert len(list(within(documents("ab", "éé"), six))) == 2
    with pytest.raises(CorpusError, match="file: expected at most 6 bytes of text"):
        list(within(documents("abc", "éé"), six))


def test_every_format_is_held_to_them(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("".join(f'{{"text": "x", "source": "s{n}"}}\n' for n in range(5)))
    assert len(list(read_corpus(path, "jsonl"))) == 5
    with pytest.raises(CorpusError, match="at most 4 sources"):
        list(read_corpus(path, "jsonl", CorpusLimits(max_sources=4)))


def test_how_much_a_compressed_file_may_grow_is_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    line = b'{"text": "' + b"x" * 2**20 + b'", "source": "a"}\n'
    path.write_bytes(gzip.compress(line * 80))
    assert len(list(read_corpus(path, "jsonl", CorpusLimits(max_expansion=2000)))) == 80
    with pytest.raises(CorpusError, match="grows more than 200 times"):
        list(read_corpus(path, "jsonl"))


def test_a_zip_of_too_many_files_is_refused_before_its_directory_is_read(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5000):
            archive.writestr(f"a/{number}.txt", "x")
    assert len(list(read_corpus(path, "text_folder", CorpusLimits(max_entries=5000)))) == 5000
    tracemalloc.start()
    with pytest.raises(CorpusError, match="file: expected a zip of at most 4999 files; found more"):
        list(read_corpus(path, "text_folder", CorpusLimits(max_entries=4999)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_entries_are_counted_and_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "lies.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(50):
            archive.writestr(f"a/{number}.txt", "x")
    content = bytearray(path.read_bytes())
    content[-14:-10] = struct.pack("<HH", 1, 1)  # the numbers of entries in the last record
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="at most 49 files"):
        list(read_corpus(path, "text_folder", CorpusLimits(max_entries=49)))


def lying_zip(path: Path, text: bytes, field: int, stated: int) -> Path:
    """A zip of one text whose directory states another number at this place of its entry."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.txt", text)
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + field
    content[place : place + 4] = struct.pack("<I", stated)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "field", "stated"),
    [
        pytest.param(b"The sea.", 20, 2**31 - 2, id="compressed-size"),
        pytest.param(b"\0" * (200 * 2**20), 24, 9, id="size"),
    ],
)
def test_sizes_that_a_zip_states_falsely_take_no_memory(
    tmp_path: Path, text: bytes, field: int, stated: int
) -> None:
    path = lying_zip(tmp_path / "lies.zip", text, field, stated)
    tracemalloc.start()
    with pytest.raises(CorpusError) if field == 24 else nullcontext():
        assert [document.text for document in read_corpus(path, "text_folder")] == ["The sea."]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_a_way_that_nothing_bounds_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a/1.txt", "x" * 1000)
    with pytest.raises(CorpusError, match="expected deflate compression; found another"):
        list(read_corpus(path, "text_folder"))


def test_a_parquet_file_that_says_it_grows_beyond_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    columns = {"text": ["x" * 2**20] * 100, "source": ["a"] * 100}
    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 2**20
    with pytest.raises(CorpusError, match="expected a Parquet file of texts; found one that grows more"):
        list(read_corpus(path, "parquet"))


def test_rows_that_share_a_long_text_are_in_memory_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    columns = {"text": ["x" * 8 * 2**20] * 64, "source": ["a"] * 64}
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=True)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    found = 0
    for document in read_corpus(path, "parquet"):
        found += len(document.text)
        assert pa.total_allocated_bytes() - before < 80 * 2**20
        del document
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 64 * 8 * 2**20
    assert peak < 80 * 2**20
