"""A pickle that shows when someone has loaded it."""

import pickle
from pathlib import Path


class _Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _touch, (str(self._path),)


def poisoned_pickle(witness: Path) -> bytes:
    """A pickle that makes the file `witness` when it is loaded."""
    return pickle.dumps(_Touch(witness))


def _touch(path: str) -> None:
    Path(path).touch()
