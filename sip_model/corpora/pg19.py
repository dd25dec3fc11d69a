"""Format `pg19`: books in text files and their metadata, in the layout of the PG19 release.

A zip or folder with ``train/``, ``validation/`` and ``test/`` of ``<book id>.txt``, or with all books in
one folder, and ``metadata.csv`` beside them: book id, short title, publication date, URL, with or without a
header.
Rae et al., "Compressive Transformers for Long-Range Sequence Modelling", ICLR 2020.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sip_model.corpora.csv import csv_rows, read_header
from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import MAX_NAME_CHARACTERS, read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.naming import unique_names
from sip_model.corpora.tree import Entry, Tree, num_outer_folders, opened_entry, opened_tree, read_text
from sip_model.errors import CorpusError

METADATA = "metadata.csv"
SPLITS = ("train", "validation", "test")

_COLUMNS = ("_id", "short_book_title", "publication_date", "url")
"""Of the release's file, which has no header."""
_ALSO_CALLED = {"id": "_id", "book_id": "_id", "title": "short_book_title", "date": "publication_date"}
_BESIDE = ("README", "LICENSE")
"""Beginnings of the names of files that are left aside."""
_MAX_TITLE_CHARACTERS = MAX_NAME_CHARACTERS - 50
"""Leaves room for the id in brackets."""
_LAYOUT = f"{METADATA}, and <book id>.txt in {', '.join(SPLITS)} or beside it"


@dataclass(frozen=True, slots=True)
class _Book:
    entry: Entry
    split: str | None

    @property
    def id(self) -> str:
        return self.entry.parts[-1].removesuffix(".txt")


def read_pg19(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """One document per book, in the order of splits and ids; its source is its title.

    Titles that several books share are followed by the book's id. The URL and the title itself are kept as
    metadata; rows of the metadata without a text are left aside, since a part of the release has them all.

    Raises:
        CorpusError: ``loc`` is ``("file",)``, ``("entry 'metadata.csv'", "line 17", "_id")`` or
            ``("entry 'train/17.txt'",)``.
    """
    with opened_tree(path, limits) as tree:
        metadata, books = _files(tree)
        rows = _read_metadata(tree, metadata)
        for book in books:
            if book.id not in rows:
                raise CorpusError((book.entry.where,), f"a row of {METADATA} with its id", "none")
        names = unique_names({book.id: rows[book.id]["short_book_title"] for book in books})
        for book in books:
            row = rows[book.id]
            fields: dict[str, JSON] = {
                "text": read_text(tree, book.entry),
                "source": names[book.id],
                "date": row["publication_date"] or None,
                "split": book.split,
                "title": row["short_book_title"],
                "url": row["url"] or None,
            }
            yield read_document(fields, book.entry.where, default_id=book.id)
            del fields  # or a long book would stay until the next has been read


def _files(tree: Tree) -> tuple[Entry, list[_Book]]:
    """The metadata's entry, and the books in their order."""
    depth = num_outer_folders(tree.entries, 1)
    metadata, books = None, []
    for entry in tree.entries:
        folders, name = entry.parts[depth:-1], entry.parts[-1]
        if name == METADATA and not folders:
            metadata = entry
        elif name.upper().startswith(_BESIDE):
            continue
        elif name.endswith(".txt") and (not folders or folders in {(split,) for split in SPLITS}):
            books.append(_Book(entry, folders[0] if folders else None))
        else:
            raise CorpusError((entry.where,), _LAYOUT, "a file that is none of them")
    if metadata is None:
        raise CorpusError(("file",), _LAYOUT, f"no {METADATA}")
    seen: dict[str, _Book] = {}
    for book in books:
        if seen.setdefault(book.id, book) is not book:
            raise CorpusError((book.entry.where,), "each book once", "its id in another split too")
    return metadata, sorted(books, key=_place)


def _place(book: _Book) -> tuple[int, int, str]:
    """Numbers in their order, whatever else is an id after them."""
    split = SPLITS.index(book.split) if book.split else -1
    return split, int(book.id) if book.id.isdecimal() and len(book.id) < 20 else 10**20, book.id


def _read_metadata(tree: Tree, entry: Entry) -> dict[str, dict[str, str]]:
    """Book id → the release's columns of its row."""
    rows: dict[str, dict[str, str]] = {}
    with opened_entry(tree, entry) as file:
        columns: Sequence[str] | None = None
        for where, cells in csv_rows(file):
            if columns is None:
                columns = _header(cells, where)
                if columns is not None:
                    continue
                columns = _COLUMNS
            row = dict.fromkeys(_COLUMNS, "") | {
                name: cell.strip() for name, cell in zip(columns, cells, strict=True)
            }
            _check_row(row, where)
            if row["_id"] in rows:
                raise CorpusError((where, "_id"), "each book once", "its id again")
            rows[row["_id"]] = {name: row[name] for name in _COLUMNS}
    return rows


def _header(first: Sequence[str], where: str) -> list[str] | None:
    """The columns' names, where the first row gives them; None where it is a book's, as in the release."""
    if len(first) == len(_COLUMNS) and first[0].strip().isdecimal():
        return None
    header = [_ALSO_CALLED.get(name, name) for name in read_header(first, where)]
    if not {"_id", "short_book_title"} <= set(header):
        expected = f"the columns {', '.join(_COLUMNS)}"
        raise CorpusError((where,), expected, f"{len(first)} columns that are others")
    return header


def _check_row(row: dict[str, str], where: str) -> None:
    if not row["_id"]:
        raise CorpusError((where, "_id"), "a book's id", "none")
    if not row["short_book_title"]:
        raise CorpusError((where, "short_book_title"), "a title", "none")
    num_characters = len(row["short_book_title"])
    if num_characters > _MAX_TITLE_CHARACTERS:
        expected = f"at most {_MAX_TITLE_CHARACTERS} characters"
        raise CorpusError((where, "short_book_title"), expected, f"{num_characters}")
