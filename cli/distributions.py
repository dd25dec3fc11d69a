"""Source distributions as bars."""

from rich.markup import escape

from cli.terminal import Terminal
from client.answers import Classification

WIDTH = 28
"""Characters of a bar for probability 1."""


def bar(probability: float, width: int, *, has_unicode: bool) -> str:
    """A bar `width` characters long at 1, in eighths of a character where Unicode allows.

    Args:
        probability: 0 to 1; anything outside is cut off.
    """
    share = min(max(probability, 0.0), 1.0)
    if not has_unicode:
        return "#" * round(share * width)
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ("" if eighths % 8 == 0 else " ▏▎▍▌▋▊▉"[eighths % 8])


def show_distribution(terminal: Terminal, result: Classification, *, truth: str | None = None) -> None:
    """Print a text's distribution, one bar per source, then `other` and `unknown`.

    Args:
        result: probabilities, `other` and `unknown` sum to 1.
        truth: the source the text really comes from, marked where it is named.
    """
    rows = [(entry["source"], entry["probability"], "cyan") for entry in result["distribution"]]
    rows += [("other sources", result["other"], "dim"), ("no known source", result["unknown"], "yellow")]
    name_width = min(max(len(name) for name, _, _ in rows), 44)
    for name, probability, colour in rows:
        if truth is not None and name == truth:
            colour, mark = "green", " [green]← right[/]" if terminal.has_unicode else " <- right"
        else:
            mark = ""
        label = escape(name[:name_width].ljust(name_width))
        drawn = bar(probability, WIDTH, has_unicode=terminal.has_unicode).ljust(WIDTH)
        terminal.say(f"    {label}  [{colour}]{drawn}[/] {probability:6.1%}{mark}")


def show_backing(terminal: Terminal, result: Classification) -> None:
    """Print what an answer rests on: windows of a long text, the set and the evidence where they were asked
    for, warnings."""
    if windows := result["windows"]:
        best = dict.fromkeys(window["source"] for window in windows)
        named = ", ".join(escape(source) for source in list(best)[:5])
        terminal.say(f"    [dim]read in {len(windows)} windows; first in them: {named}[/]")
    if (members := result.get("conformal_set")) is not None:
        terminal.say(f"    set: {', '.join(escape(member['source']) for member in members)}")
    for passage in result.get("evidence", []):
        place = f"{escape(passage['document'])} {passage['start']}–{passage['end']}"
        words = max((span["words"] for span in passage["shared"]), default=0)
        shared = f", {words} words in a row" if words else ""
        terminal.say(f"    {escape(passage['source'])} [dim]{place}, {passage['similarity']:.2f}{shared}[/]")
        terminal.say(f"      {quote(passage['text'], terminal.num_columns - 10)}")
    for warning in result["warnings"]:
        terminal.say(f"    [yellow]{escape(warning['message'])}[/]")


def show_spans(terminal: Terminal, text: str, result: Classification) -> None:
    """Print which stretch of a text is of which source, where that was asked for."""
    for span in result.get("spans", []):
        name = "no known source" if span["source"] is None else span["source"]
        colour = "yellow" if span["source"] is None else "cyan"
        terminal.say(
            f"    [{colour}]{escape(name)}[/] [dim]{span['start']}–{span['end']}[/]"
            f" {span['probability']:6.1%}"
        )
        terminal.say(f"      {quote(text[span['start'] : span['end']], terminal.num_columns - 10)}")


def quote(text: str, num_characters: int) -> str:
    """The beginning of a text on one line, in quotation marks, as markup-safe text.

    Args:
        num_characters: of the text at most.
    """
    line = " ".join(text.split())
    cut = line if len(line) <= num_characters else line[: num_characters - 1].rstrip() + "…"
    return escape(f'"{cut}"')
