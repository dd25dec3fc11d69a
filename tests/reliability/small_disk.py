"""A file system that is full when a test wants it to be."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NUM_BYTES = 4 * 1024**2


class SmallDisk:
    """A folder on a disk of `NUM_BYTES`."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, but: int = 0) -> None:
        """Leave no byte, or this many."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (64 * 1024, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
            file.truncate(file.tell() - but)

    def make_space(self) -> None:
        """Take the filling away."""
        self._filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A small disk mounted on `folder`; skips the test where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={NUM_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
