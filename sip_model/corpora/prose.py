"""The prose of a docstring: what is left without code, tables, headings and declarations."""

import re

_HEADINGS = frozenset(
    {
        *("parameters", "other parameters", "returns", "yields", "receives", "raises", "warns", "warnings"),
        *("see also", "notes", "note", "references", "examples", "example", "attributes", "methods", "args"),
        *("arguments", "keyword arguments", "keyword args", "shape", "inputs", "outputs", "usage", "warning"),
    }
)
_RULE = re.compile(r"[-=~^\"'*#+_.`:|\s]{3,}")
"""Underlines of headings and the borders of tables."""
_DECLARATION = re.compile(r"\*{0,2}[\w.]+(, ?\*{0,2}[\w.]+)* ?: .{0,60}|:\w+( [\w*]+)*:.*")
"""`x : array_like, shape (n,)` and `:param x:`."""
_GOOGLE_ARGUMENT = re.compile(r"\*{0,2}\w+ ?\([^()]*(\([^()]*\)[^()]*)*\) ?: ?")
"""The `x (Tensor, optional): ` before an argument's description."""
_ROLE = re.compile(r":[a-z:+-]+:(?=`)")
_BLOCK_DIRECTIVES = ("math", "code", "code-block", "plot", "testcode", "testsetup", "testoutput", "doctest")
_DIRECTIVE = re.compile(r"\.\. ?([\w:-]+)::|\.\. ?(_|\||only|image|currentmodule|autosummary|toctree)")
_LICENCE = re.compile(r"copyright|licen[cs]ed? |all rights reserved|spdx", re.IGNORECASE)
_LINK = re.compile(r"<?https?://\S+>?[.,]?")


def prose_lines(docstring: str) -> list[str]:
    """Lines of prose of a docstring, blank ones between paragraphs.

    Removed are doctests with their output, literal and fenced code, formulas, directives, section headings
    and their underlines, parameter declarations, table borders, lone links and licence lines.

    Args:
        docstring: with its indentation removed.
    """
    kept: list[str] = []
    block_indent: int | None = None  # everything further in than this belongs to a block of code
    in_doctest = in_fence = False
    for line in docstring.splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text.startswith("```"):
            in_fence = not in_fence
            continue
        if not text:
            in_doctest = False
            kept.append("")
            continue
        if block_indent is not None and indent <= block_indent:
            block_indent = None
        in_doctest = in_doctest or text.startswith(">>>")
        if in_fence or in_doctest or block_indent is not None:
            continue
        if _opens_block(text):
            block_indent = indent
        if prose := _prose(text):
            kept.append(prose)
    return kept


def _opens_block(text: str) -> bool:
    """Whether the lines further in that follow are code or a formula."""
    directive = _DIRECTIVE.match(text)
    if directive:
        return directive[1] in _BLOCK_DIRECTIVES or not directive[1]
    return text.endswith("::")


def _prose(text: str) -> str:
    """What is prose in one line that isn't code; empty for a line of markup."""
    if _DIRECTIVE.match(text) or _RULE.fullmatch(text) or _LINK.fullmatch(text) or _LICENCE.search(text):
        return ""
    if text.rstrip(":").lower() in _HEADINGS or _DECLARATION.fullmatch(text):
        return ""
    text = _ROLE.sub("", _GOOGLE_ARGUMENT.sub("", text, count=1) if _GOOGLE_ARGUMENT.match(text) else text)
    return text.replace("`", "")
