import gzip
import os
import stat
import zipfile
from pathlib import Path

import pytest

from sip_model.corpora.tree import Entry, Tree, opened_entry, opened_tree, read_text
from sip_model.errors import CorpusError
from tests.sip_model.corpora.trees import Files, write_folder, write_zip


def read_to_the_end(tree: Tree, entry: Entry) -> None:
    with opened_entry(tree, entry) as file:
        while file.read(2**20):
            pass


FILES: Files = {"b/two.txt": "two", "a/one.txt": "one", ".hidden": "x", "a/.DS_Store": "x", "__MACOSX/a": "x"}


def test_zip_and_folder_have_the_same_files(tmp_path: Path) -> None:
    for path in (write_zip(tmp_path / "c.zip", FILES), write_folder(tmp_path / "c", FILES)):
        with opened_tree(path) as tree:
            texts = {entry.name: read_text(tree, entry) for entry in tree.entries}
        assert texts == {"a/one.txt": "one", "b/two.txt": "two"}


def test_an_entry_is_decompressed_where_it_is_gzip(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "c.zip", {"a.gz": gzip.compress(b"packed"), "b": "plain"})
    with opened_tree(path) as tree:
        contents = []
        for entry in tree.entries:
            with opened_entry(tree, entry) as file:
                contents.append(file.read())
    assert contents == [b"packed", b"plain"]


def test_a_bomb_inside_an_entry_is_refused_and_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "c.zip", {"a.gz": gzip.compress(b"\0" * 100 * 2**20)})
    with opened_tree(path) as tree, pytest.raises(CorpusError, match=r"entry 'a\.gz': .* grows more than"):
        read_to_the_end(tree, tree.entries[0])


def test_a_link_in_a_folder_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for number, target in enumerate((secret, tmp_path)):
        folder = write_folder(tmp_path / f"c{number}", {"a/one.txt": "one"})
        (folder / "a" / "link").symlink_to(target)
        message = "entry 'a/link': expected a plain file; found a symbolic link"
        with pytest.raises(CorpusError, match=message), opened_tree(folder):
            pass


def test_a_pipe_in_a_folder_is_refused_and_never_opened(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"a/one.txt": "one"})
    os.mkfifo(folder / "a" / "pipe")
    with pytest.raises(CorpusError, match="found a special file"), opened_tree(folder):
        pass


def test_a_file_that_became_a_link_after_the_look_is_not_followed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"one.txt": "one"})
    (tmp_path / "secret.txt").write_text("secret")
    with opened_tree(folder) as tree:
        (folder / "one.txt").unlink()
        (folder / "one.txt").symlink_to(tmp_path / "secret.txt")
        with pytest.raises(OSError, match=r"one\.txt"):
            read_text(tree, tree.entries[0])


def test_a_zip_that_names_an_entry_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a/one.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/one.txt", "two")
    with pytest.raises(CorpusError, match="names each entry once"), opened_tree(tmp_path / "c.zip"):
        pass


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a/link.txt")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(CorpusError, match="found a symbolic link"), opened_tree(tmp_path / "c.zip"):
        pass
