"""The docstrings of a Python file, read without running it."""

import ast
import threading
import warnings
from pathlib import Path

_PARSING = threading.Lock()
"""Python counts a tree's depth for all threads together: where two make one, either may get a SystemError."""
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def read_docstrings(path: Path) -> list[str]:
    """Docstrings of the module, its classes and functions in the order of the file, indentation removed.

    A file that isn't valid Python of the running version, or not UTF-8, has none: packages carry templates
    and files for other versions.
    """
    source = path.read_bytes()
    if b'"""' not in source and b"'''" not in source:
        return []
    try:
        with _PARSING, warnings.catch_warnings():
            # Other packages' invalid escapes are not the caller's concern.
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[str] = []
    _collect(tree, found)
    return found


def _collect(node: ast.AST, found: list[str]) -> None:
    """Statements only: expressions hold no docstrings, and most of a tree is expressions."""
    if isinstance(node, _DOCUMENTED) and (docstring := ast.get_docstring(node)):
        found.append(docstring)
    for field in ("body", "orelse", "handlers", "finalbody"):
        children = getattr(node, field, ())
        for child in children if isinstance(children, list) else ():
            _collect(child, found)
