"""The quota of the data folder."""

import errno
from pathlib import Path

import pytest

from db.disk import DiskQuota, num_bytes_below

FOR_EVER = 2**62


def is_refused(quota: DiskQuota, num_bytes: int = 0) -> bool:
    try:
        quota.require(num_bytes)
    except OSError as error:
        return error.errno == errno.EDQUOT
    return False


def test_a_folder_may_hold_so_much_and_no_more(tmp_path: Path) -> None:
    now = 0.0
    quota = DiskQuota(tmp_path, 1000, 0, clock=lambda: now)
    assert not is_refused(quota, 1000)
    assert is_refused(quota, 1001)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(bytes(600))
    now += 31  # it was measured before
    assert not is_refused(quota, 400)
    assert is_refused(quota, 401)
    (tmp_path / "below" / "file").unlink()
    now += 31
    assert not is_refused(quota, 1000)


def test_some_of_the_disk_stays_free(tmp_path: Path) -> None:
    assert not is_refused(DiskQuota(tmp_path, 0, 0), 10)
    assert is_refused(DiskQuota(tmp_path, 0, FOR_EVER))
    assert is_refused(DiskQuota(tmp_path, 0, 1), FOR_EVER)


def test_a_folder_that_is_not_there_yet_has_room(tmp_path: Path) -> None:
    assert not is_refused(DiskQuota(tmp_path / "not" / "there", 10, 0), 10)


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    (tmp_path / "around").symlink_to(tmp_path)
    assert num_bytes_below(tmp_path) == 100


@pytest.mark.parametrize("num_bytes", [0, 1])
def test_zero_means_no_bound(tmp_path: Path, num_bytes: int) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    assert not is_refused(DiskQuota(tmp_path, 0, 0), num_bytes)
