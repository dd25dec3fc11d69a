"""What happens while a request is answered: files opened, addresses named, programs started."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPENS = frozenset({"open", "os.listdir", "os.scandir"})
_OUTWARD = frozenset(
    {
        "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen",
        "os.system", "os.exec", "os.posix_spawn", "urllib.Request", "os.symlink",
    }
)  # fmt: skip


class Ears:
    """An audit hook, which can't be taken out of the interpreter again, heard while it listens.

    Args:
        inside: folders in which files may be opened, besides what Python itself is made of.
        addresses: of the service's own servers.
    """

    def __init__(self, inside: list[Path], addresses: set[object]) -> None:
        ours = Path(__file__).parents[2]
        places = [*inside, ours, *map(Path, sys.path), Path(sys.prefix), Path(sys.base_prefix)]
        self._inside = [path for place in places for path in (place.absolute(), place.resolve())]
        self._addresses = addresses
        self._heard: list[str] = []
        self._listening = False
        sys.addaudithook(self._hear)

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What is heard within the block that has no place in it."""
        self._heard = []
        self._listening = True
        try:
            yield self._heard
        finally:
            self._listening = False

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._listening:
            return
        if event in _OPENS and not self._is_inside(arguments[0]):
            self._heard.append(f"{event} {arguments[0]!r}")
        if event in _OUTWARD and not (event == "socket.connect" and arguments[-1] in self._addresses):
            self._heard.append(f"{event} {arguments!r}")

    def _is_inside(self, opened: object) -> bool:
        if not isinstance(opened, str | bytes):
            return True  # by descriptor: opened before
        path = Path(opened.decode() if isinstance(opened, bytes) else opened).absolute()
        if str(path) in ("/dev/null", "/dev/urandom") or path.is_relative_to("/proc/self"):
            return True
        return any(path.is_relative_to(place) for place in self._inside) and ".." not in path.parts
