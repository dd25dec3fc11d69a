"""Built-in corpus `python-docs`: the documentation inside installed Python packages.

Real text with known sources that is on every machine that can run this package: the docstrings of NumPy,
SciPy, scikit-learn, PyTorch, Transformers and the standard library. Files are parsed, nothing is imported.
"""

import importlib.util
import re
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sip_model.corpora.docstrings import read_docstrings
from sip_model.corpora.document import Document
from sip_model.corpora.prose import prose_lines
from sip_model.errors import CorpusError

PACKAGES = ("numpy", "scipy", "sklearn", "torch", "transformers")
MIN_WORDS = 3200
"""Words of a source at least: a hundred chunks of 32."""
MAX_REPEATS = 3
"""A line that stands in more docstrings than this is boilerplate, whatever it says."""

_SKIPPED_FOLDERS = frozenset(
    {
        # Not documentation: tests, demonstrations, generated tables.
        *(
            "tests",
            "test",
            "testing",
            "_testing",
            "idlelib",
            "lib2to3",
            "turtledemo",
            "pydoc_data",
            "ensurepip",
        ),
        # Other people's code: its source isn't the package it lies in.
        *("site-packages", "dist-packages", "externals", "_vendor", "vendor", "array_api_compat"),
        *("array_api_extra", "third_party", "_external"),
        # transformers.models: 500 folders that copy each other's docstrings.
        "models",
    }
)


@dataclass(frozen=True, slots=True)
class _Module:
    """One Python file: where it is, what it is called and what it counts as."""

    path: Path
    document: str
    source: str
    author: str


def read_python_docs(check: Callable[[], None] = lambda: None) -> Iterator[Document]:
    """One document per module file, one source per sub-package (`scipy.signal`, `torch.nn`, `asyncio`).

    Sources of fewer than `MIN_WORDS` words are left out. The same installed versions give the same corpus.

    Args:
        check: called before each file is read, which all are before the first document comes; what it raises
            ends the reading.

    Raises:
        CorpusError: a package of `PACKAGES` isn't installed.
    """
    modules = [*_installed_modules(), *_standard_modules()]
    docstrings = {}
    for module in modules:
        check()
        docstrings[module.document] = [prose_lines(text) for text in read_docstrings(module.path)]
    repeats = Counter(
        line for texts in docstrings.values() for lines in texts for line in {_key(line) for line in lines}
    )
    texts = {document: _joined(texts, repeats) for document, texts in docstrings.items()}
    num_words: Counter[str] = Counter()
    for module in modules:
        num_words[module.source] += len(texts[module.document].split())
    for module in modules:
        if num_words[module.source] >= MIN_WORDS and texts[module.document]:
            yield Document(
                document=module.document,
                text=texts[module.document],
                sources=(module.source,),
                author=module.author,
            )


def read_some_docs(num_modules: int) -> Iterator[str]:
    """The prose of this many modules at most, evenly spaced over all that `read_python_docs` reads: a look at
    the corpus that takes a second.

    Raises:
        CorpusError: a package of `PACKAGES` isn't installed.
    """
    modules = [*_installed_modules(), *_standard_modules()]
    for module in modules[:: max(1, len(modules) // num_modules)]:
        lines = [prose_lines(text) for text in read_docstrings(module.path)]
        if text := _joined(lines, Counter()):
            yield text


def _installed_modules() -> Iterator[_Module]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            found = f"{package} not installed"
            raise CorpusError(("builtin",), "the packages python-docs is made from", found, "Run make setup")
        root = Path(spec.submodule_search_locations[0])
        for path, parts in _files(root):
            source = ".".join([package, *parts[:-1][:1]])
            yield _Module(path, "/".join([package, *parts]), source, f"{package} developers")


def _standard_modules() -> Iterator[_Module]:
    for path, parts in _files(Path(sysconfig.get_path("stdlib"))):
        source = parts[0].removesuffix(".py")
        yield _Module(path, "/".join(["python", *parts]), source, "python developers")


def _files(root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The Python files under `root` in a fixed order, each with its path's parts below `root`."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if _SKIPPED_FOLDERS.isdisjoint(parts[:-1]):
            yield path, parts


def _key(line: str) -> str:
    return " ".join(line.split())


def _joined(texts: list[list[str]], repeats: Counter[str]) -> str:
    """The docstrings of a module without repeated lines, a blank line between them."""
    kept = (
        "\n".join(line for line in lines if not line or repeats[_key(line)] <= MAX_REPEATS).strip()
        for lines in texts
    )
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(text for text in kept if text))
