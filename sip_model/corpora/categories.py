"""What a corpus says of its sources: author, genre, domain or any other of its fields."""

from collections.abc import Mapping, Sequence

from sip_model.corpora.document import JSON, Document
from sip_model.corpora.store import Corpus

_COLUMNS = ("author", "date", "split")


def source_categories(corpus: Corpus, sources: Sequence[str], field: str) -> tuple[str | None, ...]:
    """The value of a field on which all documents of a source agree, (C,); None where they don't or lack it.

    Args:
        corpus: read once, from beginning to end.
        sources: C names.
        field: `author`, `date`, `split` or a field of the documents' metadata. Of a list its first entry
            counts; only strings, numbers and booleans are values.
    """
    found: dict[str, str | None] = {}
    wanted = frozenset(sources)
    for document in corpus.documents():
        value = _value(document, field)
        for source in document.sources:
            if source in wanted:
                found[source] = value if found.get(source, value) == value else None
    return tuple(found.get(source) for source in sources)


def _value(document: Document, field: str) -> str | None:
    value: JSON = getattr(document, field) if field in _COLUMNS else document.metadata.get(field)
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None or isinstance(value, (list, Mapping)) else str(value)
