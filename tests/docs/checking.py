"""What can be said of a shell block without running it."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from tests.docs.blocks import ROOT, commands_of


def check_shell(code: str) -> None:
    """Fail on what isn't shell, and on commands of ours that don't exist or don't take such options."""
    subprocess.run(["sh", "-n"], input=code, text=True, check=True)
    for line in commands_of(re.sub(r"<<(\w+)\n.*?^\1$", "", code, flags=re.MULTILINE | re.DOTALL)):
        words = shlex.split(line, comments=True)
        stop = next((i for i, word in enumerate(words) if re.match(r"[|;&]|\d?>", word)), len(words))
        _check_words(words[:stop])


def _check_words(words: list[str]) -> None:
    program = Path(words[0]).name if words else ""
    if program == "sip":
        check_sip(words[1:])
    elif program == "make":
        done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    elif words[1:2] == ["-m"]:
        assert importlib.util.find_spec(words[2]) is not None, words[2]


def check_sip(words: list[str]) -> None:
    """Have `sip` read its words; with `--help` among them it only does that, and files needn't be there."""
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, f"sip {' '.join(words)}: {result.output}"
