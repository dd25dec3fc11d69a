"""HTML that is escaped unless it was made here."""

from collections.abc import Iterable
from html import escape

VOID = frozenset({"img", "meta", "br"})
"""Elements that have no content and no end tag."""


class Markup(str):
    """Text that is HTML already; made by :func:`element` alone, never from what somebody gave."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str | int | None) -> Markup:
    """One element; content and attributes are escaped, unless the content is markup.

    Args:
        tag: its name.
        content: text and elements, in order.
        attributes: a trailing underscore is dropped (`class_`), inner ones become hyphens; None leaves
            the attribute out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{joined(content)}</{tag}>")


def joined(content: Iterable[str]) -> Markup:
    """Text and elements one after another."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in content))
