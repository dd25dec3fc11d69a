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
