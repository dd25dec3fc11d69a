"""Format `wikitext`: Wikipedia articles one after another, as WikiText-2 and WikiText-103 have them.

Merity et al., "Pointer Sentinel Mixture Models", ICLR 2017. One text file, or the release's zip of three.

What is made of the text:

- ``= Title =`` on a line of its own between blank lines begins an article. More than one equals sign on
  either side (``= = Section = =``, ``== Section ==``) is a heading inside it, kept as a line without the
  signs. A line with an equals sign between the outer ones is a formula, and so is one that has text right
  above or below.
- The tokenised variant's ``@-@``, ``@,@`` and ``@.@`` become the character in their middle, without the
  spaces that were put around it. The spaces before punctuation stay: where they were can't be told.
- ``<unk>``, which stands for a rare word the tokenised variant has lost, is left out.
- An article without any text is left out.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sip_model.corpora.compression import open_decompressed
from sip_model.corpora.document import Document
from sip_model.corpora.fields import MAX_TEXT_BYTES, read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.lines import read_lines
from sip_model.corpora.naming import NumberedNames
from sip_model.corpora.tree import Entry, opened_entry, opened_tree
from sip_model.errors import CorpusError

_TITLE = re.compile(r"= (?!=)(.*[^= ]) =")
_SECTION = re.compile(r"(=(?: ?=)+) ?([^= ].*?) ?\1")
_SEPARATOR = re.compile(r" ?@([-,.])@ ?")
_UNKNOWN = re.compile(r"(?<!\S)<unk>(?:\s|$)")
_SPLIT = re.compile(r"(?:^|[._/-])(train|valid|validation|test)(?=[._/-])")
_SUFFIXES = (".tokens", ".raw", ".txt", ".tokens.gz", ".raw.gz", ".txt.gz")
_ZIP_MAGIC = b"PK"


def read_wikitext(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """One document per article; its source is its title, with a number where it isn't the first of its name.

    Of a zip or folder, files whose name says ``train``, ``valid`` or ``test`` give their articles that split.

    Args:
        path: UTF-8 text, plain or gzip, or a zip or folder of such files.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("line 17",)``, of a zip with the entry in front.
    """
    names = NumberedNames()
    if path.is_dir() or _is_zip(path):
        yield from _read_tree(path, names, limits)
        return
    with open_decompressed(path, limits) as file:
        lines = ((f"line {number}", line) for number, line in read_lines(file))
        yield from read_articles(lines, names, None)


def read_articles(
    lines: Iterable[tuple[str, str]], names: NumberedNames, split: str | None
) -> Iterator[Document]:
    """The articles that lines make up.

    Args:
        lines: what each is called in messages, and its text.
        names: gives each article its own.
        split: of all of them.

    Raises:
        CorpusError: text before the first heading, or an article longer than a document may be.
    """
    article: _Article | None = None
    for where, line, is_alone in _with_surroundings(lines):
        title = _title(line) if is_alone else None
        if title is not None:
            if article is not None:
                yield from article.documents(names, split)
            article = _Article(where, title)
        elif article is not None:
            article.add(line)
        elif line:
            hint = "A heading stands between blank lines"
            raise CorpusError((where,), "a heading `= Title =` before any text", "text", hint)
    if article is not None:
        yield from article.documents(names, split)


class _Article:
    """What has been read of an article."""

    def __init__(self, where: str, title: str) -> None:
        self._where = where
        self._title = title
        self._paragraphs: list[str] = []
        self._num_bytes = 0

    def add(self, line: str) -> None:
        section = _SECTION.fullmatch(line)
        text = _plain(section[2] if section else line)
        if not text:
            return
        self._num_bytes += len(text.encode()) + 1
        if self._num_bytes > MAX_TEXT_BYTES:
            expected = f"an article of at most {MAX_TEXT_BYTES} bytes"
            raise CorpusError((self._where,), expected, "a longer one")
        self._paragraphs.append(text)

    def documents(self, names: NumberedNames, split: str | None) -> Iterator[Document]:
        if not self._paragraphs:
            return
        name = names.give(self._title)
        fields = {"text": "\n".join(self._paragraphs), "source": name, "split": split}
        yield read_document(fields, self._where, default_id=name)


def _with_surroundings(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, bool]]:
    """Each line without the space around it, and whether no text is right above or below."""
    above = ""
    held: tuple[str, str] | None = None
    for where, line in lines:
        below = line.strip()
        if held is not None:
            yield *held, not above and not below
            above = held[1]
        held = (where, below)
    if held is not None:
        yield *held, not above


def _title(line: str) -> str | None:
    """The title a heading line gives, None for any other line."""
    found = _TITLE.fullmatch(line)
    if found is None or "=" in found[1].split():
        return None
    return _SEPARATOR.sub(r"\1", found[1]).strip()


def _plain(line: str) -> str:
    return _SEPARATOR.sub(r"\1", _UNKNOWN.sub("", line)).strip()


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _ZIP_MAGIC


def _read_tree(path: Path, names: NumberedNames, limits: CorpusLimits) -> Iterator[Document]:
    with opened_tree(path, limits) as tree:
        entries = [entry for entry in tree.entries if entry.name.endswith(_SUFFIXES)]
        if not entries:
            raise CorpusError(("file",), f"files that end in {', '.join(_SUFFIXES)}", "none")
        for entry in entries:
            with opened_entry(tree, entry) as file:
                lines = ((f"line {number}", line) for number, line in read_lines(file))
                yield from read_articles(lines, names, _split(entry))


def _split(entry: Entry) -> str | None:
    found = _SPLIT.search(entry.parts[-1])
    return None if found is None else {"valid": "validation"}.get(found[1], found[1])
