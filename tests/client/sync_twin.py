"""Makes the client's modules for plain code from those for asyncio: `python -m tests.client.sync_twin`.

What differs between the two is a handful of words. They are replaced, and the result is put in order by ruff.
"""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[2] / "client"
HEAD = "# Made from client/aio/{name} by `make client`; edit that one.\n"
RULES = (
    (r"\b(a|an) `async ", "a `"),
    (r"\b(async|await) ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\bclient\.aio\.", "client."),
    (r"\b__a(enter|exit)__", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", r"\1"),
    (r"\basyncio\b", "time"),
)


def sources() -> list[Path]:
    """The modules for asyncio that have a twin."""
    return sorted(path for path in (CLIENT / "aio").glob("*.py") if path.name != "__init__.py")


def twin(source: Path) -> str:
    """The text of the module for plain code."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    name = str(CLIENT / source.name)
    fixed = _ruff(
        text, "check", "--select", "I,UP028,C416,SIM117", "--fix", "--unsafe-fixes", "--stdin-filename", name
    )
    return HEAD.format(name=source.name) + _ruff(fixed, "format", "--stdin-filename", name)


def _ruff(text: str, command: str, *options: str) -> str:
    words = [sys.executable, "-m", "ruff", command, "--quiet", *options, "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, cwd=CLIENT.parent, check=True)
    return done.stdout


if __name__ == "__main__":
    for source in sources():
        (CLIENT / source.name).write_text(twin(source), encoding="utf-8")
