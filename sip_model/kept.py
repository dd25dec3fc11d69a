"""Results that take long and are asked for again, kept in a folder and found by all that they follow from."""

import fcntl
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

IntArray = npt.NDArray[np.int64]

KEPT_SUFFIX = ".kept.npy"
POLL_SECONDS = 0.2
"""Between two attempts at a turn."""
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeptResults:
    """Results in a folder, beside what else is cached there; any number of processes may use it.

    Args:
        folder: made when the first is written; None: nothing is kept. Each result is a file in a folder of
            its own, written under another name and then renamed.
    """

    folder: Path | None

    def get(self, kind: str, address: object, compute: Callable[[], bytes]) -> bytes:
        """A result; computed where it isn't here undamaged.

        Args:
            kind: what it is, a word.
            address: all that it follows from, library versions included, as JSON.
            compute: makes it.

        Raises:
            OSError: the disk is full or not writable.
        """
        if self.folder is None:
            return compute()
        key = hashlib.sha256(json.dumps([kind, address], sort_keys=True).encode()).digest()
        place = self.folder / f"{kind}-{key.hex()[:32]}"
        for path in sorted(place.glob(f"*{KEPT_SUFFIX}")):
            if (found := _read(path, key)) is not None:
                return found
            logger.warning("kept results: %s is damaged; it is computed again", path)
            path.unlink(missing_ok=True)
        result = compute()
        place.mkdir(parents=True, exist_ok=True)
        stored = hashlib.sha256(key + result).digest() + key + result
        write_array(place / (uuid.uuid4().hex + KEPT_SUFFIX), np.frombuffer(stored, np.uint8))
        return result

    def numbers(self, kind: str, address: object, compute: Callable[[], IntArray]) -> IntArray:
        """As :meth:`get`, of whole numbers (n,)."""
        if self.folder is None:
            return compute()
        stored = self.get(kind, address, lambda: compute().astype("<i8").tobytes())
        return np.frombuffer(stored, "<i8").astype(np.int64)

    @contextmanager
    def turn(self, kind: str, address: object, on_wait: Callable[[], None]) -> Iterator[None]:
        """One process at a time: what another one computes under the same address is found afterwards.

        A process that dies gives its turn away. Where nothing is kept, nobody waits.

        Args:
            kind: what it is, a word.
            address: what it is done with, as JSON.
            on_wait: called before each pause for another process; what it raises ends the waiting.

        Raises:
            OSError: the disk is full or not writable.
        """
        if self.folder is None:
            yield
            return
        key = hashlib.sha256(json.dumps([kind, address], sort_keys=True).encode())
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{kind}-{key.hexdigest()[:32]}.lock").open("ab") as lock:
            while not _is_taken(lock.fileno()):
                on_wait()
                time.sleep(POLL_SECONDS)
            yield


NOT_KEPT = KeptResults(None)


def texts_sha256(texts: Iterable[str]) -> str:
    """SHA-256 of texts and their order, for an address."""
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8))
        digest.update(encoded)
    return digest.hexdigest()


def write_array(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write a NumPy file that exists only once it is whole and on the disk; `OSError`."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_taken(lock: int) -> bool:
    """Whether this process holds the lock now; it does until the file is closed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path, key: bytes) -> bytes | None:
    """The result in a file; None if it isn't what was written for this key."""
    try:
        stored: bytes = np.load(path, allow_pickle=False).tobytes()
    except (OSError, ValueError, EOFError) as error:
        logger.debug("kept results: %s: %s", path, error)
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if not content.startswith(key) or hashlib.sha256(content).digest() != digest:
        return None
    return content[len(key) :]
