"""The code blocks of the README and of the pages in docs/."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
LANGUAGES = ("sh", "python", "json", "yaml", "text")
"""What a block may be marked as; `text` is shown, not run."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block."""

    page: str
    """Path of its page, from the root of the repository."""
    line: int
    """Of the opening fence, from 1."""
    language: str
    code: str

    @property
    def place(self) -> str:
        """Where to look: ``README.md:17``."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """The README and every Markdown page in docs/, from the root of the repository; the README first."""
    written = (path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference")
    found = sorted(written)
    return ["README.md", *(str(path.relative_to(ROOT)) for path in found)]


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page, in order; directives of the site (``{toctree}``) are none."""
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        language = token.info.strip()
        if token.type != "fence" or language.startswith("{"):
            continue
        assert token.map is not None
        yield Block(page, token.map[0] + 1, language, dedent(token.content))


def commands_of(code: str) -> list[str]:
    """The lines of a shell block, continued ones joined, without comments and blank ones."""
    lines = re.sub(r"\\\n\s*", "", code).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
