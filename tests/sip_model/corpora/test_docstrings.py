import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sip_model.corpora.docstrings import read_docstrings

SOURCE = '''
"""Module."""
raise SystemExit("imported!")

class A:
    """Class
    A."""

    if True:
        async def f(self):
            """Method."""
            "\\d no docstring"

try:
    pass
except OSError:
    def g():
        """Handler."""
'''


def test_docstrings_come_in_the_order_of_the_file_and_nothing_runs(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    assert read_docstrings(path) == ["Module.", "Class\nA.", "Method.", "Handler."]


def test_a_file_of_another_python_has_none(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""Module."""\nprint "old"\n')
    assert read_docstrings(path) == []


def test_a_file_that_is_not_utf8_has_none(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_bytes(b'"""Module \xff."""\n')
    assert read_docstrings(path) == []


class Litter:
    """Garbage whose end runs code, so that another thread may come in between."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


def test_several_threads_may_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "".join(f'def f{n}(x):\n    """Number {n}."""\n    return (x + 1) * 2\n' for n in range(300))
    )

    def read(_: int) -> list[str]:
        Litter()
        return read_docstrings(path)

    known, interval = read(0), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(read, range(100)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [known] * 100
