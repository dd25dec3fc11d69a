"""Whether the store answers, asked before anyone needs it."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.errors import StorageUnavailableError
from db.storage import ArtifactStore
from tests.servers.s3 import S3Server, environment, free_port


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[str]:
    """Name of an empty bucket, with the environment that reaches it."""
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    s3.make_bucket(name)
    with environment(s3.environment):
        yield name


def test_a_folder_is_well_before_anything_was_stored(tmp_path: Path) -> None:
    ArtifactStore(str(tmp_path / "not" / "made" / "yet"), tmp_path / "downloads").check()


def test_a_folder_below_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailableError, match="a folder that can be written"):
        ArtifactStore(str(tmp_path / "file" / "artifacts"), tmp_path / "downloads").check()


def test_a_bucket_is_well_empty_and_filled(bucket: str, tmp_path: Path) -> None:
    store = ArtifactStore(f"s3://{bucket}/prefix", tmp_path / "downloads")
    store.check()
    (tmp_path / "file").write_bytes(b"content")
    store.put_file("a/b", tmp_path / "file")
    store.check()


def test_a_bucket_that_is_not_there_is_not(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailableError):
        ArtifactStore(f"s3://{bucket}-gone/prefix", tmp_path / "downloads").check()


def test_a_store_that_refuses_connections_is_not(s3: S3Server, tmp_path: Path) -> None:
    away = {**s3.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    with environment(away), pytest.raises(StorageUnavailableError):
        ArtifactStore("s3://bucket/prefix", tmp_path / "downloads").check()
