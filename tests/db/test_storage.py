"""The store: whole files or none, verified, in a folder or elsewhere."""

import uuid
from pathlib import Path

import pytest

from db.errors import StorageError
from db.storage import ArtifactStore


@pytest.fixture(params=["folder", "object store"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """A store in a folder, and one that isn't on this machine's disk."""
    url = str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/prefix"
    return ArtifactStore(url, tmp_path / "downloads")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to store."""
    path = tmp_path / "source.bin"
    path.write_bytes(b"content")
    return path


def test_a_stored_file_comes_back(any_store: ArtifactStore, source: Path) -> None:
    stored = any_store.put_file("a/b.bin", source)
    assert stored.num_bytes == 7
    with any_store.open("a/b.bin") as stream:
        assert stream.read() == b"content"
    assert any_store.local_path("a/b.bin", stored.sha256).read_bytes() == b"content"
    assert any_store.local_path("a/b.bin", stored.sha256).read_bytes() == b"content"


def test_a_damaged_file_is_refused(any_store: ArtifactStore, source: Path) -> None:
    stored = any_store.put_file("a", source)
    source.write_bytes(b"other")
    any_store.put_file("a", source)
    with pytest.raises(StorageError, match="damaged"):
        any_store.local_path("a", stored.sha256)


def test_a_missing_file_is_named(any_store: ArtifactStore) -> None:
    with pytest.raises(StorageError, match="models/x"):
        any_store.local_path("models/x")
    with pytest.raises(StorageError, match="models/x"):
        any_store.open("models/x")


def test_a_folder_comes_back_verified(any_store: ArtifactStore, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "one").write_bytes(b"1")
    (folder / "sub" / "two").write_bytes(b"2")
    stored = any_store.put_folder("models/m", folder)
    files = {name: file.sha256 for name, file in stored.items()}
    assert set(files) == {"one", "sub/two"}
    local = any_store.local_folder("models/m", files)
    assert (local / "sub" / "two").read_bytes() == b"2"
    with pytest.raises(StorageError, match="damaged"):
        any_store.local_folder("models/m", files | {"one": "0" * 64})
    with pytest.raises(StorageError):
        any_store.local_folder("models/m", files | {"three": "0" * 64})


def test_deleting_a_prefix_removes_all_below_it_and_nothing_beside_it(
    any_store: ArtifactStore, source: Path
) -> None:
    for key in ("m/1/a", "m/1/b", "m/10/a"):
        any_store.put_file(key, source)
    any_store.local_path("m/1/a")
    any_store.delete_prefix("m/1")
    any_store.delete_prefix("m/1")
    with pytest.raises(StorageError):
        any_store.local_path("m/1/a")
    assert any_store.local_path("m/10/a").is_file()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a\0b", "."])
def test_a_key_outside_the_store_is_refused(any_store: ArtifactStore, source: Path, key: str) -> None:
    with pytest.raises(StorageError):
        any_store.put_file(key, source)
    with pytest.raises(StorageError):
        any_store.delete_prefix(key)


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"), tmp_path / "downloads")
    with pytest.raises(FileNotFoundError):
        store.put_file("a/b", tmp_path / "missing")
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
