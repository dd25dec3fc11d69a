"""The store: whole files or none, verified, in a folder, in memory, or on a server that speaks S3."""

import errno
import os
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.errors import StorageError, StorageUnavailableError
from db.storage import ArtifactStore, file_sha256
from tests.servers.s3 import S3Server, environment, free_port


@pytest.fixture(params=["folder", "memory", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """A store in a folder, one in memory, and one on an S3 server."""
    if request.param == "s3":
        store: ArtifactStore = request.getfixturevalue("s3_store")
        return store
    url = str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/prefix"
    return ArtifactStore(url, tmp_path / "downloads")


@pytest.fixture
def s3_store(s3: S3Server, tmp_path: Path) -> Iterator[ArtifactStore]:
    """A store on an S3 server."""
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    s3.make_bucket(bucket)
    with environment(s3.environment):
        yield ArtifactStore(f"s3://{bucket}/prefix", tmp_path / "downloads")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to store."""
    path = tmp_path / "source.bin"
    path.write_bytes(b"content")
    return path


def test_a_stored_file_comes_back(any_store: ArtifactStore, source: Path) -> None:
    stored = any_store.put_file("a/b.bin", source)
    assert stored.num_bytes == 7
    with any_store.open("a/b.bin", stored.sha256) as stream:
        assert stream.read() == b"content"
    assert any_store.local_path("a/b.bin", stored.sha256).read_bytes() == b"content"
    assert any_store.local_path("a/b.bin", stored.sha256).read_bytes() == b"content"


def test_a_damaged_file_is_refused(any_store: ArtifactStore, source: Path) -> None:
    stored = any_store.put_file("a", source)
    source.write_bytes(b"other")
    any_store.put_file("a", source)
    with pytest.raises(StorageError, match=r"a: expected sha256 .* damaged"):
        any_store.local_path("a", stored.sha256)
    with pytest.raises(StorageError, match="damaged"):
        any_store.open("a", stored.sha256)


def test_a_missing_file_is_named(any_store: ArtifactStore) -> None:
    with pytest.raises(StorageError, match="models/x"):
        any_store.local_path("models/x")
    with pytest.raises(StorageError, match="models/x"):
        any_store.open("models/x", "0" * 64)


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


def test_storing_again_replaces_the_file(any_store: ArtifactStore, source: Path) -> None:
    first = any_store.put_file("a/b", source)
    any_store.local_path("a/b", first.sha256)
    source.write_bytes(b"a longer content")
    second = any_store.put_file("a/b", source)
    assert second.num_bytes == 16
    assert any_store.local_path("a/b", second.sha256).read_bytes() == b"a longer content"
    assert [(file.key, file.num_bytes) for file in any_store.files()] == [("a/b", 16)]


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


def test_a_copy_that_fails_leaves_nothing(any_store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        any_store.put_file("a/b", tmp_path / "missing")
    assert any_store.files() == []


def test_a_folder_that_can_not_be_stored_whole_is_not_stored_at_all(
    any_store: ArtifactStore, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "first").write_bytes(b"1")
    (folder / "second").symlink_to("/proc/self/mem")  # opens, and can't be read
    with pytest.raises(OSError, match="Input/output error"):
        any_store.put_folder("models/m", folder)
    assert any_store.files() == []


def test_what_another_process_stores_and_deletes_is_seen_at_once(
    s3: S3Server, source: Path, tmp_path: Path
) -> None:
    s3.make_bucket("listed")
    with environment(s3.environment):
        store = ArtifactStore("s3://listed/prefix", tmp_path / "downloads")
        assert store.files() == []
        s3.send("PUT", "/listed/prefix/a/b", b"content")
        assert [file.key for file in store.files()] == ["a/b"]
        assert store.local_path("a/b", file_sha256(source)).read_bytes() == b"content"
        s3.send("DELETE", "/listed/prefix/a/b")
        assert store.files() == []
        with pytest.raises(StorageError, match="a/b"):
            store.local_path("a/b")


def test_every_file_is_listed_with_its_time(any_store: ArtifactStore, source: Path) -> None:
    for key in ("a/b/c", "a/d", "e"):
        any_store.put_file(key, source)
    assert [file.key for file in any_store.files()] == ["a/b/c", "a/d", "e"]
    assert abs(datetime.now(UTC) - any_store.modified_at("a/d")) < timedelta(minutes=1)
    with pytest.raises(StorageError):
        any_store.modified_at("a/missing")
    any_store.delete_file("a/d")
    any_store.delete_file("a/d")
    assert [file.key for file in any_store.files()] == ["a/b/c", "e"]


def test_a_store_is_used_by_several_threads_at_once(any_store: ArtifactStore, tmp_path: Path) -> None:
    def store_and_read(number: int) -> bytes:
        path = tmp_path / f"source-{number}"
        path.write_bytes(str(number).encode() * 1000)
        stored = any_store.put_file(f"many/{number}", path)
        return any_store.local_path(f"many/{number}", stored.sha256).read_bytes()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(store_and_read, range(32))) == [str(n).encode() * 1000 for n in range(32)]


def test_a_file_is_read_again_though_it_was_right_before(any_store: ArtifactStore, source: Path) -> None:
    stored = any_store.put_file("a", source)
    path = any_store.local_path("a", stored.sha256)
    times = path.stat()
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    if path.is_relative_to(source.parent / "downloads"):
        # only the copy is damaged: it is fetched again
        assert any_store.local_path("a", stored.sha256).read_bytes() == b"content"
    else:
        with pytest.raises(StorageError, match="damaged"):
            any_store.local_path("a", stored.sha256)


def test_a_page_of_an_unchanged_file_costs_no_second_reading(
    any_store: ArtifactStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = any_store.put_file("a", source)
    path = any_store.local_path("a", stored.sha256)
    with monkeypatch.context() as patch:
        patch.setattr("db.storage.file_sha256", lambda _path: pytest.fail("read again"))
        assert any_store.local_path("a", stored.sha256, recheck=False) == path
    path.write_bytes(b"something else")
    if path.is_relative_to(source.parent / "downloads"):
        assert any_store.local_path("a", stored.sha256, recheck=False).read_bytes() == b"content"
    else:
        with pytest.raises(StorageError, match="damaged"):
            any_store.local_path("a", stored.sha256, recheck=False)


def test_a_large_file_goes_up_in_parts_and_comes_back(s3_store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1024) * (110 * 1024))
    stored = s3_store.put_file("large", path)
    assert s3_store.local_path("large", stored.sha256).stat().st_size == stored.num_bytes == 110 * 1024**2


def test_more_files_than_one_answer_lists_are_deleted(s3_store: ArtifactStore, source: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: s3_store.put_file(f"many/{n}", source), range(1005)))
    s3_store.put_file("many-more/0", source)
    s3_store.delete_prefix("many")
    assert [file.key for file in s3_store.files()] == ["many-more/0"]


def test_a_bucket_that_is_not_there_is_named(s3: S3Server, source: Path, tmp_path: Path) -> None:
    with environment(s3.environment):
        store = ArtifactStore("s3://no-such-bucket/prefix", tmp_path / "downloads")
        with pytest.raises(StorageUnavailableError, match=r"a/b: .*bucket does not exist"):
            store.put_file("a/b", source)
        with pytest.raises(StorageUnavailableError, match="bucket does not exist"):
            store.files()
        with pytest.raises(StorageError, match=r"a/b: .*bucket does not exist"):
            store.local_path("a/b", "0" * 64)


def test_credentials_that_are_refused_are_named_as_such(
    s3: S3Server, s3_store: ArtifactStore, source: Path
) -> None:
    s3.check_credentials(True)
    try:
        with pytest.raises(StorageUnavailableError, match="PermissionError"):
            s3_store.put_file("a/b", source)
        with pytest.raises(StorageUnavailableError, match="PermissionError"):
            s3_store.local_path("a/b", "0" * 64)
    finally:
        s3.check_credentials(False)


def test_no_credentials_at_all_are_named_as_such(s3: S3Server, source: Path, tmp_path: Path) -> None:
    without = {name: "" for name in s3.environment if name.startswith(("AWS_ACCESS", "AWS_SECRET"))}
    with environment(s3.environment | without | {"AWS_EC2_METADATA_DISABLED": "true"}):
        store = ArtifactStore("s3://bucket/without-credentials", tmp_path / "downloads")
        with pytest.raises(StorageUnavailableError, match=r"[Cc]redentials"):
            store.put_file("a/b", source)


def test_a_server_that_is_away_is_given_up_soon(s3: S3Server, source: Path, tmp_path: Path) -> None:
    with environment(s3.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}):
        store = ArtifactStore("s3://bucket/away", tmp_path / "downloads")
        started = time.monotonic()
        with pytest.raises(StorageUnavailableError, match="a/b"):
            store.put_file("a/b", source)
        with pytest.raises(StorageUnavailableError, match="a/b"):
            store.local_path("a/b")
        with pytest.raises(StorageUnavailableError):
            store.files()
        with pytest.raises(StorageUnavailableError):
            store.delete_prefix("a")
        assert time.monotonic() - started < 30


def test_a_server_that_takes_calls_and_says_nothing_is_given_up_in_a_minute(
    s3: S3Server, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_address = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with environment(s3.environment | silent_address):
            store = ArtifactStore("s3://bucket/silent", tmp_path / "downloads")
            started = time.monotonic()
            with pytest.raises(StorageUnavailableError, match="Timeout"):
                store.local_path("a/b")
            assert time.monotonic() - started < 60


def test_a_kind_of_store_nobody_knows_is_refused_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailableError, match="SIP_ARTIFACTS_URL"):
        ArtifactStore("nonsense://bucket/prefix", tmp_path)


def test_a_full_disk_stays_what_it_is(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = ArtifactStore(f"memory://{uuid.uuid4().hex}", tmp_path / "downloads")
    store.put_file("a", source)
    monkeypatch.setattr(store._filesystem, "get_file", full)
    with pytest.raises(OSError, match="No space left"):
        store.local_path("a", "0" * 64)
