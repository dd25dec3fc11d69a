"""Format `text_folder`: a zip (or folder) with one folder per source and one text file per document."""

from collections.abc import Iterator
from pathlib import Path

from sip_model.corpora.document import Document
from sip_model.corpora.fields import read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.tree import Entry, Tree, num_outer_folders, opened_tree, read_text
from sip_model.errors import CorpusError

_LAYOUT = "a text file in a folder named for its source"


def read_text_folder(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents of a zip or folder of text files; a zip's entries are read, never extracted.

    The source is the first folder of an entry's path; one folder around everything is looked through.
    Hidden files and what macOS adds are skipped.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("entry 'Doyle/hound.txt'",)``.
    """
    with opened_tree(path, limits) as tree:
        depth = num_outer_folders(tree.entries, 2)
        for entry in tree.entries:
            yield _document(tree, entry, depth)


def _document(tree: Tree, entry: Entry, depth: int) -> Document:
    parts = entry.parts[depth:]
    if len(parts) < 2:
        raise CorpusError((entry.where,), _LAYOUT, "a file outside any folder")
    fields = {"text": read_text(tree, entry), "source": parts[0]}
    return read_document(fields, entry.where, default_id="/".join(parts))
