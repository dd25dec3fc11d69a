"""The one shape every corpus format is read into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

JSON: TypeAlias = Mapping[str, "JSON"] | list["JSON"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its sources, as it stands in a corpus."""

    document: str
    """Id, unique in the corpus; `row-17` style where the file names none."""
    text: str
    """Not blank, no NUL characters, at most `MAX_TEXT_BYTES` of UTF-8."""
    sources: tuple[str, ...]
    """One or more names, distinct, without space around them."""
    author: str | None = None
    date: str | None = None
    split: str | None = None
    """The part the corpus itself gives this document, used by `split.by: "given"`."""
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    """Whatever else the file says about the document."""
