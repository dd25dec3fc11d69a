"""How much a corpus may be: what strangers send is held to it while it is read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sip_model.corpora.document import Document
from sip_model.errors import CorpusError


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusLimits:
    """Bounds of one corpus."""

    max_expansion: int = 200
    """Bytes out per byte of a compressed file; text compresses 2 to 20 times, a bomb about 1,000 times."""
    max_entries: int = 1_000_000
    """Files in a zip, hidden ones included."""
    max_sources: int = 1_500_000
    """Different sources; the largest public corpora of labelled texts have 1.3 million."""
    max_bytes: int = 64 * 2**30
    """UTF-8 bytes of all texts."""


DEFAULT_LIMITS = CorpusLimits()


def within(documents: Iterable[Document], limits: CorpusLimits) -> Iterator[Document]:
    """`documents`, as long as they are no more than a corpus may be.

    Raises:
        CorpusError: too many sources (``loc`` is ``("sources",)``) or too much text (``("file",)``).
    """
    sources: set[str] = set()
    num_bytes = 0
    for document in documents:
        sources.update(document.sources)
        if len(sources) > limits.max_sources:
            raise CorpusError(("sources",), f"at most {limits.max_sources} sources", "more")
        num_bytes += len(document.text.encode())
        if num_bytes > limits.max_bytes:
            raise CorpusError(("file",), f"at most {limits.max_bytes} bytes of text", "more")
        yield document
        del document  # or a long one would stay until the next has been read
