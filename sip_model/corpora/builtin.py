"""The corpora that come with the package, or with what it needs anyway."""

from collections.abc import Callable, Iterator

from sip_model.corpora.document import Document
from sip_model.corpora.python_docs import read_python_docs
from sip_model.errors import CorpusError

BUILTIN: dict[str, Callable[[Callable[[], None]], Iterator[Document]]] = {"python-docs": read_python_docs}


def read_builtin(name: str, check: Callable[[], None] = lambda: None) -> Iterator[Document]:
    """Documents of a built-in corpus.

    Args:
        name: a key of `BUILTIN`.
        check: called now and then, also before the first document; what it raises ends the reading.

    Raises:
        CorpusError: ``loc`` is ``("builtin",)``.
    """
    reader = BUILTIN.get(name)
    if reader is None:
        raise CorpusError(("builtin",), f"one of {', '.join(BUILTIN)}", "another name")
    return reader(check)
