"""What the `sip` command prints on: colours and tables on a terminal, plain aligned text elsewhere."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Terminal:
    """Standard output and standard error, looked at once.

    Results go to standard output, everything said about them to standard error only where a result
    must stay machine-readable (`--json`).
    """

    def __init__(self) -> None:
        self.out = Console(file=sys.stdout, highlight=False)
        self.err = Console(file=sys.stderr, highlight=False)
        self.is_interactive = self.out.is_terminal and not self.out.is_dumb_terminal
        encoding = (self.out.encoding or "ascii").lower().replace("-", "")
        self.has_unicode = encoding in ("utf8", "utf16", "utf32")

    @property
    def num_columns(self) -> int:
        """Characters that fit on a line; outside a terminal, what reads well in a log."""
        return self.out.width if self.is_interactive else 160

    def say(self, text: str = "") -> None:
        """Print a line of rich markup; outside a terminal it is never wrapped."""
        self.out.print(text, soft_wrap=not self.is_interactive)

    def complain(self, text: str) -> None:
        """Print a line of rich markup on standard error."""
        self.err.print(text, soft_wrap=not self.err.is_terminal)

    def heading(self, text: str) -> None:
        """Print the title of a step."""
        self.say()
        self.say(f"[bold cyan]{escape(text)}[/]")

    def good(self, text: str) -> None:
        """Print that something worked."""
        self.say(f"  [green]{'✓' if self.has_unicode else 'ok'}[/] {text}")

    def done(self, text: str, answer: Mapping[str, object], *, as_json: bool) -> None:
        """Print that something was done: in words, or what came of it as JSON."""
        if as_json:
            self.print_json(answer)
        else:
            self.good(text)

    def bad(self, text: str) -> None:
        """Print that something didn't work."""
        self.say(f"  [red]{'✗' if self.has_unicode else 'failed'}[/] {text}")

    def command(self, line: str) -> None:
        """Print a shell command as it would be typed, unwrapped so that it can be copied."""
        self.out.print(f"  [dim]$ {escape(line)}[/]", soft_wrap=True)

    @contextmanager
    def busy(self, text: str, *, quiet: bool = False) -> Iterator[None]:
        """Show that something takes a while: a spinner on a terminal, nothing elsewhere or when `quiet`."""
        if self.is_interactive and not quiet:
            with self.out.status(f"  {escape(text)} …"):
                yield
        else:
            yield

    def fields(self, values: Mapping[str, object]) -> None:
        """Print names and values below each other; nested values as JSON."""
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _cell(value)
            self.say(f"[bold]{escape(name.ljust(width))}[/]  {escape(shown)}")

    def say_where_to_go_on(self, next_cursor: str | None) -> None:
        """After a page of a list: how to see the next one, if there is one."""
        if next_cursor is not None:
            self.say(f"[dim]There is more: --cursor {escape(next_cursor)}[/]")

    def print_json(self, value: Any) -> None:
        """Print a value as JSON, nothing else on standard output."""
        print(json.dumps(value, indent=2, ensure_ascii=not self.has_unicode), file=self.out.file)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; numbers are aligned right. None is shown as a dash.

        Args:
            columns: headings, R of them.
            rows: each of R cells: text, numbers or None.
        """
        cells = [[_cell(value) for value in row] for row in rows]
        is_number = [
            any(isinstance(row[i], int | float) for row in rows)
            and all(isinstance(row[i], int | float | None) for row in rows)
            for i in range(len(columns))
        ]
        if self.is_interactive:
            table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
            for name, right in zip(columns, is_number, strict=True):
                table.add_column(name, justify="right" if right else "left", overflow="fold")
            for row in cells:
                table.add_row(*(escape(cell) for cell in row))
            self.out.print(table)
            return
        lines = [list(columns), *cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        for line in lines:
            padded = (
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(line, widths, is_number, strict=True)
            )
            self.out.print("  ".join(padded).rstrip(), markup=False, soft_wrap=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).split())


def size(num_bytes: int) -> str:
    """Bytes for people, in binary units: ``1.5 MiB``."""
    amount = float(num_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
