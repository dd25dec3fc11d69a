import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sip_model.corpora.document import Document
from sip_model.corpora.wikitext import read_wikitext
from sip_model.errors import CorpusError
from tests.sip_model.corpora.trees import Files, write_zip

TOKENS = """ 
 = Valkyria Chronicles III = 
 
 Senjō no Valkyria 3 : <unk> Chronicles ( Japanese : 戦場 , lit . " <unk> " ) , is a role @-@ playing game . 
 It sold 160 @,@ 000 copies , 1 @.@ 5 times as many . <unk> 
 
 = = Gameplay = = 
 
 As with previous games , it is tactical . 
 = 3 + x = 
 
 = = = Missions = = = 
 
 = a = b = 
 
 = <unk> = 
 
 A second article . 
 
 = Empty = 
 
 = Valkyria Chronicles III = 
 
 = = Notes = = 
"""  # noqa: W291, W293 - as the release has it


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_tokenised_release_becomes_a_document_per_article(tmp_path: Path) -> None:
    documents = list(read_wikitext(write(tmp_path / "wiki.test.tokens", TOKENS)))
    assert [(d.document, d.sources, d.split) for d in documents] == [
        ("Valkyria Chronicles III", ("Valkyria Chronicles III",), None),
        ("<unk>", ("<unk>",), None),
        ("Valkyria Chronicles III (2)", ("Valkyria Chronicles III (2)",), None),
    ]
    assert documents[0].text.split("\n") == [
        'Senjō no Valkyria 3 : Chronicles ( Japanese : 戦場 , lit . " " ) , is a role-playing game .',
        "It sold 160,000 copies , 1.5 times as many .",
        "Gameplay",
        "As with previous games , it is tactical .",
        "= 3 + x =",
        "Missions",
        "= a = b =",
    ]
    assert documents[2].text == "Notes"


def test_a_file_may_be_compressed_and_begin_with_a_heading_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wiki.train.raw.gz"
    path.write_bytes(gzip.compress(b"= A =\n\ntext\n\n== Section ==\n\n= B =\n\nmore"))
    assert [(d.sources, d.text) for d in read_wikitext(path)] == [(("A",), "text\nSection"), (("B",), "more")]


def test_the_release_as_a_zip_gives_each_article_its_split(tmp_path: Path) -> None:
    files: Files = {
        f"wikitext-2/wiki.{part}.tokens": f" = {part} = \n \n text \n" for part in ("train", "valid", "test")
    } | {"wikitext-2/README": "nothing", "wikitext-2/other.txt": "= other =\n\ntext"}
    documents = list(read_wikitext(write_zip(tmp_path / "wikitext-2.zip", files)))
    assert [(d.document, d.split) for d in documents] == [
        ("train", "train"),
        ("valid", "validation"),
        ("test", "test"),
        ("other", None),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\n", r"^line 1: expected a heading `= Title =` before any text"),
        (b"\n= = Section = =\n\nx", r"^line 2: expected a heading"),
        (b" = A = \ntext right below\n", r"^line 1: expected a heading .* between blank lines"),
        (b" = A = \n\n\xff\n", r"^line 3: expected UTF-8"),
        (b" = A = \n\nx\0\n", r"^line 1\.text: expected text without NUL"),
        (b" = " + b"x" * 501 + b" = \n\ntext\n", r"^line 1\.source: expected at most 500"),
        (b"", r"^file: expected one document or more; found 0 bytes"),
        (gzip.compress(b" = A = \n\n text" * 100, mtime=0)[:-9], r"^file: expected a whole gzip file"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "wiki.raw"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        list(read_wikitext(path))


def test_a_bad_line_in_a_zip_is_named_with_its_entry(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "c.zip", {"wiki.train.raw": "= A =\n\nx\0"})
    with pytest.raises(CorpusError, match=r"^entry 'wiki\.train\.raw'\.line 1\.text: expected"):
        list(read_wikitext(path))
    with pytest.raises(CorpusError, match=r"^file: expected files that end in \.tokens"):
        list(read_wikitext(write_zip(tmp_path / "d.zip", {"a.pdf": "x"})))


def test_an_article_longer_than_a_document_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip_model.corpora.wikitext.MAX_TEXT_BYTES", 100)
    path = write(tmp_path / "wiki.raw", "= A =\n\n" + "ten letters\n" * 9)
    with pytest.raises(CorpusError, match="line 1: expected an article of at most 100 bytes"):
        list(read_wikitext(path))


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=8).filter(
    lambda word: "@" not in word
)
LINES = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


@given(st.lists(st.tuples(LINES, st.lists(LINES, min_size=1, max_size=4)), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_articles_that_are_written_out_are_read_back(
    tmp_path: Path, articles: list[tuple[str, list[str]]]
) -> None:
    text = "".join(f"\n = {title} = \n\n" + "".join(f" {p} \n" for p in body) for title, body in articles)
    documents: list[Document] = list(read_wikitext(write(tmp_path / "wiki.raw", text)))
    assert [document.text for document in documents] == ["\n".join(body) for _, body in articles]
    assert [str(document.metadata) for document in documents] == ["{}"] * len(articles)
    assert len({document.document for document in documents}) == len(articles)
