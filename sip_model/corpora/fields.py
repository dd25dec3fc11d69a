"""From the fields of one row to a `Document`, whichever format the row came from."""

from collections.abc import Mapping

from sip_model.corpora.document import JSON, Document
from sip_model.errors import CorpusError

MAX_TEXT_BYTES = 64 * 2**20
"""UTF-8 bytes of one document; the largest book known has a tenth of it."""
MAX_NAME_CHARACTERS = 500
"""Characters of a source's, author's or document's name: they are keys in indexes and file names."""

_SOURCE_FIELDS = ("source", "sources", "labels")


def read_document(fields: Mapping[str, JSON], where: str, default_id: str) -> Document:
    """Check one row and make a document of it.

    Args:
        fields: column or key → value; null means absent. Known are `text`, `document`, `author`, `date`,
            `split` and the first of `source`, `sources`, `labels` that is present; the rest is metadata.
        where: what the row is called in messages, `line 17`.
        default_id: the document's id where the row has none.

    Raises:
        CorpusError: ``loc`` is ``(where, field)``.
    """
    source_field = next((name for name in _SOURCE_FIELDS if fields.get(name) is not None), None)
    known = {"text", "document", "author", "date", "split", source_field}
    return Document(
        document=_optional_name(fields, "document", where) or default_id,
        text=_text(fields, where),
        sources=_sources(fields, source_field, where),
        author=_optional_name(fields, "author", where),
        date=_optional_name(fields, "date", where),
        split=_optional_name(fields, "split", where),
        metadata={key: value for key, value in fields.items() if key not in known and value is not None},
    )


def _text(fields: Mapping[str, JSON], where: str) -> str:
    loc = (where, "text")
    value = fields.get("text")
    if value is None:
        raise CorpusError(loc, "a string", "none", "Put the document's text in the field `text`")
    if not isinstance(value, str):
        raise CorpusError(loc, "a string", _kind(value))
    check_characters(value, loc)
    # A character takes at most four bytes, so most texts need not be encoded to know.
    if len(value) * 4 > MAX_TEXT_BYTES and len(value.encode()) > MAX_TEXT_BYTES:
        raise CorpusError(
            loc, f"at most {MAX_TEXT_BYTES} bytes of UTF-8", "more", "Cut the document in parts"
        )
    if not value or value.isspace():
        raise CorpusError(loc, "text that is not blank", "white space only" if value else "an empty string")
    return value


def _sources(fields: Mapping[str, JSON], source_field: str | None, where: str) -> tuple[str, ...]:
    if source_field is None:
        hint = "Name the document's source in `source`, or several in the list `sources`"
        raise CorpusError((where, "source"), "a source", "none", hint)
    value = fields[source_field]
    if source_field == "source":
        if isinstance(value, (list, Mapping)):
            hint = "A list belongs in the field `sources`"
            raise CorpusError((where, "source"), "one name", _kind(value), hint)
        names: list[JSON] = [value]
    elif isinstance(value, list):
        names = value
    else:
        raise CorpusError((where, source_field), "a list of names", _kind(value))
    if not names:
        raise CorpusError((where, source_field), "one source or more", "an empty list")
    checked = []
    for name in names:
        source = _name(name, (where, source_field))
        if not source:
            raise CorpusError((where, source_field), "a source's name", "a blank one")
        checked.append(source)
    return tuple(dict.fromkeys(checked))


def _optional_name(fields: Mapping[str, JSON], field: str, where: str) -> str | None:
    value = fields.get(field)
    return None if value is None else _name(value, (where, field)) or None


def _name(value: JSON, loc: tuple[str, str]) -> str:
    # Numbered labels and years are often written as numbers; as names they are text all the same.
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise CorpusError(loc, "a string or a whole number", _kind(value))
    try:
        name = str(value).strip()
    except ValueError:  # Python writes out no integer of more than 4300 digits
        name = "9" * (MAX_NAME_CHARACTERS + 1)
    check_characters(name, loc)
    if len(name) > MAX_NAME_CHARACTERS:
        raise CorpusError(loc, f"at most {MAX_NAME_CHARACTERS} characters", f"{len(name)}")
    return name


def check_characters(value: str, loc: tuple[str, str]) -> None:
    """Raise `CorpusError` for what no UTF-8 file or database column can hold: NUL and lone surrogates."""
    nul = value.find("\0")
    if nul >= 0:
        hint = "Is this a binary file?"
        raise CorpusError(loc, "text without NUL characters", f"one at character {nul + 1}", hint)
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:
        found = f"half of a surrogate pair at character {error.start + 1}"
        raise CorpusError(loc, "whole Unicode characters", found) from None


def _kind(value: JSON) -> str:
    names = {Mapping: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a number")
