import contextlib
import stat
import zipfile
from pathlib import Path

import pytest

from sip_model.corpora.text_folder import read_text_folder
from sip_model.errors import CorpusError


def write(path: Path, entries: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_each_folder_is_a_source_and_each_file_a_document(tmp_path: Path) -> None:
    entries: dict[str, str | bytes] = {
        "Austen/emma.txt": "Emma Woodhouse, handsome",
        "Austen/early/susan.txt": "\ufeffMy dear brother",
        "Doyle/hound.txt": "Mr. Sherlock Holmes",
        ".DS_Store": b"\0\0",
        "__MACOSX/Austen/._emma.txt": b"\0",
    }
    documents = list(read_text_folder(write(tmp_path / "c.zip", entries)))
    assert [(document.document, document.sources) for document in documents] == [
        ("Austen/emma.txt", ("Austen",)),
        ("Austen/early/susan.txt", ("Austen",)),
        ("Doyle/hound.txt", ("Doyle",)),
    ]
    assert documents[1].text == "My dear brother"


def test_one_folder_around_everything_is_looked_through(tmp_path: Path) -> None:
    path = write(tmp_path / "c.zip", {"books/Austen/emma.txt": "x", "books/Doyle/hound.txt": "y"})
    documents = list(read_text_folder(path))
    assert [document.sources for document in documents] == [("Austen",), ("Doyle",)]
    assert documents[0].document == "Austen/emma.txt"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"../evil.txt": "x"}, "a path inside the archive; found one that leads out of it"),
        ({"/etc/passwd": "x"}, "a path inside the archive"),
        ({"a/../../b.txt": "x"}, "a path inside the archive"),
        ({"a\\..\\b.txt": "x"}, "a path inside the archive"),
        ({"C:/b.txt": "x"}, "a path inside the archive"),
        ({"loose.txt": "x"}, "in a folder named for its source; found a file outside any folder"),
        ({"a/b.txt": b"\x89PNG"}, "entry 'a/b.txt': expected UTF-8"),
        ({"a/b.txt": "  "}, "entry 'a/b.txt'.text: expected text that is not blank"),
        ({"a/b.txt": "x\0"}, "without NUL"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, entries: dict[str, str | bytes], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        list(read_text_folder(write(tmp_path / "c.zip", entries)))


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a/link.txt")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(CorpusError, match="found a symbolic link"):
        list(read_text_folder(tmp_path / "c.zip"))


def test_a_zip_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    path = write(tmp_path / "c.zip", {f"a/{number}.txt": b" " * 2**24 for number in range(5)})
    with pytest.raises(CorpusError, match="grows more than 200 times"):
        list(read_text_folder(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"plain text"])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.zip"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="file: expected"):
        list(read_text_folder(path))


def test_flipped_bytes_are_refused_or_read_but_never_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "c.zip", {"a/b.txt": "some words " * 50, "c/d.txt": "other words " * 50})
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(CorpusError):
            list(read_text_folder(path))


def test_a_damaged_entry_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "c.zip", {"a/b.txt": "some words " * 500})
    content = bytearray(path.read_bytes())
    content[50] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorpusError):
        list(read_text_folder(path))
