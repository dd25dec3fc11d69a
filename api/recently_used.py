"""What is kept in memory: the values asked for last."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LeastRecentlyUsed(Generic[Key, Value]):
    """Keeps the values asked for last; any thread may use it.

    Args:
        max_bytes: of all values together; a single larger one is kept alone.
        bytes_of: the memory of a value.
    """

    def __init__(self, max_bytes: int, bytes_of: Callable[[Value], int]) -> None:
        self._max_bytes = max_bytes
        self._bytes_of = bytes_of
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    @property
    def keys(self) -> list[Key]:
        """What is kept, the one asked for longest ago first."""
        with self._lock:
            return list(self._values)

    @property
    def num_bytes(self) -> int:
        """Memory of all values."""
        with self._lock:
            return self._sum()

    def get(self, key: Key) -> Value | None:
        """The value of `key`, if it is kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; those asked for longest ago make room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._sum() > self._max_bytes:
                self._values.popitem(last=False)

    def drop_where(self, is_meant: Callable[[Key], bool]) -> None:
        """Forget those whose key is meant."""
        with self._lock:
            for key in [key for key in self._values if is_meant(key)]:
                del self._values[key]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()

    def _sum(self) -> int:
        return sum(map(self._bytes_of, self._values.values()))
