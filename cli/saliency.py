"""A text in the colours of what its tokens say."""

from rich.markup import escape

from cli.terminal import Terminal
from client.answers import Classification

STRONG, WEAK = 0.5, 0.15
"""Share of the largest weight from which a token is marked strongly, and at all."""
SHOWN = 5
"""Tokens named with their weights."""


def show_saliency(terminal: Terminal, text: str, result: Classification) -> None:
    """Print a text with the tokens marked that speak for the most probable source (green) or against it
    (red), and the strongest with their weights; nothing where no explanation was asked for."""
    tokens = result.get("saliency", [])
    largest = max((abs(token["weight"]) for token in tokens), default=0.0)
    if largest == 0:
        return
    marked, end = "", 0
    for token in tokens:
        start = max(token["start"], end)
        marked += escape(text[end:start])
        style = _style(token["weight"] / largest)
        shown = escape(text[start : token["end"]])
        marked += f"[{style}]{shown}[/]" if style and shown else shown
        end = max(end, token["end"])
    terminal.say("    " + " ".join((marked + escape(text[end:])).split()))
    best = sorted(tokens, key=lambda token: -token["weight"])[:SHOWN]
    named = ", ".join(f"{escape(token['text'])} {token['weight']:+.2f}" for token in best)
    terminal.say(f"    [dim]strongest:[/] {named}")


def _style(share: float) -> str:
    """Of a token with this share of the largest weight, -1 to 1."""
    if abs(share) < WEAK:
        return ""
    return f"{'bold ' if abs(share) >= STRONG else ''}{'green' if share > 0 else 'red'}"
