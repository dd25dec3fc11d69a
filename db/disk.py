"""How much the data folder may hold, and how much of its disk has to stay free."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from db.settings import Settings

_KNOWN_SECONDS = 30.0
"""For so long a folder that was measured isn't measured again: that takes a look at every file."""


class DiskQuota:
    """Says whether there is room for more files.

    Args:
        folder: everything the service keeps on this machine.
        max_bytes: what it may hold; 0: as much as the disk does.
        min_free_bytes: what has to stay free on its disk.
        clock: seconds, monotonic.
    """

    def __init__(
        self, folder: Path, max_bytes: int, min_free_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._measured: tuple[int, float] | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "DiskQuota":
        """The quota the settings name."""
        return cls(settings.data_dir, settings.max_data_bytes, settings.min_free_bytes)

    def require(self, num_bytes: int = 0) -> None:
        """Raise `OSError` (EDQUOT) unless there is room for `num_bytes` more."""
        folder = next(path for path in (self._folder, *self._folder.parents) if path.exists())
        if shutil.disk_usage(folder).free - num_bytes < self._min_free_bytes:
            raise OSError(
                errno.EDQUOT, f"less than {self._min_free_bytes} bytes would stay free (SIP_MIN_FREE_BYTES)"
            )
        if self._max_bytes and self._size() + num_bytes > self._max_bytes:
            raise OSError(
                errno.EDQUOT, f"the data folder may hold {self._max_bytes} bytes (SIP_MAX_DATA_BYTES)"
            )

    def _size(self) -> int:
        with self._lock:
            now = self._clock()
            if self._measured is None or now > self._measured[1] + _KNOWN_SECONDS:
                self._measured = num_bytes_below(self._folder), now
            return self._measured[0]


def num_bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
