"""Format `xmc`: raw text and label files as the extreme classification repository hands them out.

Bhatia et al., "The extreme classification repository", 2016. A zip or folder, in one of two layouts; every
file may be compressed with gzip:

- ``trn.json``, ``tst.json``: a line per document, ``{"uid", "title", "content", "target_ind": [7, 11]}``,
  and the labels' names in ``lbl.json`` (``{"uid", "title"}`` a line) or ``Yf.txt`` (a name a line);
- ``trn_X.txt``, ``tst_X.txt``: a text per line, ``trn_X_Y.txt``, ``tst_X_Y.txt``: numbers of documents and
  labels in their first line, then ``7:1.0 11:1.0`` a line, and the names in ``Yf.txt`` or ``lbl.json``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import read_document
from sip_model.corpora.jsonl import jsonl_rows
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.lines import read_lines
from sip_model.corpora.naming import unique_names
from sip_model.corpora.tree import Entry, Tree, inside, opened_entry, opened_tree
from sip_model.errors import CorpusError

SPLITS = {"trn": "train", "tst": "test"}

_NAMES = ("lbl.json", "Yf.txt", "Y.txt", "lbl.raw.txt", "label.raw.txt")
"""Files of the labels' names."""
_TEXTS = ("{}_X.txt", "{}.raw.txt", "{}_raw_texts.txt")
"""Files of a text per line."""
_LAYOUT = "trn.json, or trn_X.txt with trn_X_Y.txt, and the labels' names in lbl.json or Yf.txt"


@dataclass(frozen=True, slots=True)
class _Part:
    """The files of one split."""

    short: str
    """``trn`` or ``tst``."""
    texts: Entry
    labels: Entry | None
    """None where the texts' own rows name them."""


def read_xmc(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents with the names of their labels as sources, and their split.

    A label's number follows its name where several share it. Documents without a label are left out: there
    is nothing to learn from or to score. Memory is bounded by the labels' names.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("entry 'trn.json'", "line 17", "target_ind")``.
    """
    with opened_tree(path, limits) as tree:
        files = _files(tree)
        parts = list(_parts(files))
        named = next((files[name] for name in _NAMES if name in files), None)
        if not parts or named is None:
            found = "no documents" if not parts else "no names of labels"
            raise CorpusError(("file",), _LAYOUT, found)
        names = _read_names(tree, named)
        for part in parts:
            if part.labels is None:
                yield from _rows_with_labels(tree, part, names)
            else:
                yield from _texts_beside_labels(tree, part.texts, part.labels, part.short, names)


def _files(tree: Tree) -> dict[str, Entry]:
    """The files of the layouts by their names, in whatever folders they are."""
    known = {*_NAMES, *(f"{short}{rest}" for short in SPLITS for rest in (".json", "_X_Y.txt"))}
    known |= {form.format(prefix) for form in _TEXTS for prefix in (*SPLITS, *SPLITS.values())}
    files: dict[str, Entry] = {}
    for entry in tree.entries:
        name = entry.parts[-1].removesuffix(".gz")
        if name in known and files.setdefault(name, entry) is not entry:
            raise CorpusError((entry.where,), "one file of this name", f"{files[name].where} too")
    return files


def _parts(files: Mapping[str, Entry]) -> Iterator[_Part]:
    for short, long in SPLITS.items():
        rows, labels = files.get(f"{short}.json"), files.get(f"{short}_X_Y.txt")
        texts = next(
            (files[name] for p in (short, long) for form in _TEXTS if (name := form.format(p)) in files), None
        )
        if rows is not None:
            yield _Part(short, rows, None)
        elif texts is not None and labels is not None:
            yield _Part(short, texts, labels)
        elif labels is not None:
            raise CorpusError((labels.where,), f"the texts in {_TEXTS[0].format(short)} beside it", "none")


def _read_names(tree: Tree, entry: Entry) -> Sequence[str]:
    """A unique name for every label."""
    titles: dict[str, str] = {}
    with opened_entry(tree, entry) as file:
        for where, title in _titles(file, entry):
            number = str(len(titles))
            if not isinstance(title, str | None):
                raise CorpusError((where, "title"), "a string", "another value")
            titles[number] = (title or "").strip() or f"label {number}"
    return list(unique_names(titles).values())


def _titles(file: BinaryIO, entry: Entry) -> Iterator[tuple[str, JSON]]:
    if entry.name.removesuffix(".gz").endswith(".json"):
        for number, row in jsonl_rows(file):
            yield f"line {number}", row.get("title")
        return
    for number, line in read_lines(file):
        yield f"line {number}", line


def _rows_with_labels(tree: Tree, part: _Part, names: Sequence[str]) -> Iterator[Document]:
    with opened_entry(tree, part.texts) as file:
        for number, row in jsonl_rows(file):
            where = f"line {number}"
            labels = _numbers(row.get("target_ind"), len(names), (where, "target_ind"))
            if labels:
                id = row.get("uid")
                yield _document(
                    _text(row, where),
                    [names[label] for label in labels],
                    part.short,
                    str(number) if not isinstance(id, str | int) else str(id),
                    where,
                )
            del row  # or a long document would stay until the next has been read


def _text(row: Mapping[str, JSON], where: str) -> str:
    """Title and content, a line each."""
    lines = []
    for field in ("title", "content"):
        value = row.get(field)
        if not isinstance(value, str | None):
            raise CorpusError((where, field), "a string", "another value")
        if value and not value.isspace():
            lines.append(value)
    return "\n".join(lines)


def _numbers(value: JSON, num_labels: int, loc: tuple[str, str]) -> list[int]:
    if not isinstance(value, list):
        raise CorpusError(loc, "a list of labels' numbers", "none" if value is None else "another value")
    numbers = []
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < num_labels:
            raise CorpusError(loc, f"whole numbers from 0 to {num_labels - 1}", "something else")
        numbers.append(number)
    return numbers


def _texts_beside_labels(
    tree: Tree, texts: Entry, labels: Entry, short: str, names: Sequence[str]
) -> Iterator[Document]:
    """Documents of two files read side by side."""
    text_lines, label_lines = _lines(tree, texts), _lines(tree, labels)
    num_documents = _check_header(next(label_lines, (1, ""))[1], labels, len(names))
    for number in range(1, num_documents + 1):
        text, label = next(text_lines, None), next(label_lines, None)
        if text is None or label is None:
            short_one = texts if text is None else labels
            expected = f"{num_documents} documents, as the first line of {labels.parts[-1]} says"
            raise CorpusError((short_one.where,), expected, f"{number - 1}")
        with inside(labels):
            chosen = _sparse_row(label[1], len(names), f"line {label[0]}")
        if chosen:
            with inside(texts):
                document = _document(
                    text[1].strip(), [names[label] for label in chosen], short, str(number), f"line {text[0]}"
                )
            yield document
            del document
        del text  # or a long one would stay until the next has been read
    for entry, lines in ((texts, text_lines), (labels, label_lines)):
        if next(lines, None) is not None:
            raise CorpusError((entry.where,), f"{num_documents} documents", "more lines")


def _lines(tree: Tree, entry: Entry) -> Iterator[tuple[int, str]]:
    with opened_entry(tree, entry) as file:
        yield from read_lines(file)


def _check_header(line: str, labels: Entry, num_labels: int) -> int:
    """The number of documents that the first line of a label file gives."""
    counts = line.split()
    if len(counts) != 2 or not all(count.isdecimal() and len(count) < 12 for count in counts):
        loc = (labels.where, "line 1")
        raise CorpusError(loc, "the numbers of documents and labels", "something else")
    if int(counts[1]) != num_labels:
        found = f"{num_labels} names"
        raise CorpusError((labels.where, "line 1"), f"names for {counts[1]} labels", found)
    return int(counts[0])


def _sparse_row(line: str, num_labels: int, where: str) -> list[int]:
    """The labels of ``7:1.0 11:1.0``; their values are left aside."""
    numbers = []
    for cell in line.split():
        number = cell.partition(":")[0]
        if not (number.isdecimal() and len(number) < 12 and int(number) < num_labels):
            expected = f"labels from 0 to {num_labels - 1}, as `7:1.0 11:1.0`"
            raise CorpusError((where,), expected, "something else")
        numbers.append(int(number))
    return numbers


def _document(text: str, sources: list[str], short: str, id: str, where: str) -> Document:
    fields: dict[str, JSON] = {"text": text, "sources": [*sources], "split": SPLITS[short]}
    return read_document(fields, where, default_id=f"{short}/{id}")
