"""Whether anything of `requirements.lock` is known to be vulnerable, and whether that can be known now."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

COMMAND = (
    sys.executable, "-m", "pip_audit", "--require-hashes", "--no-deps", "--disable-pip",
    "--format", "json", "--progress-spinner", "off", "--requirement",
)  # fmt: skip
ACCEPTED: dict[str, str] = {}
"""Advisory → why it doesn't concern this project. The one place for such exceptions."""


class Advisories(NamedTuple):
    """What the advisory source has said."""

    vulnerable: list[str]
    """A line each: package, version, advisory."""
    unknown: list[str]
    """Packages it has no answer for."""
    reason: str
    """Why it has said nothing at all; empty where it has."""

    @property
    def is_clean(self) -> bool:
        """Whether all was looked up, and nothing found."""
        return not (self.vulnerable or self.unknown or self.reason)

    def describe(self) -> str:
        """What to print."""
        if self.reason:
            return f"Advisories: the source can't be reached, so NOTHING IS KNOWN ({self.reason})."
        lines = [f"Advisories: {line}" for line in self.vulnerable]
        if self.unknown:
            shown = ", ".join(self.unknown[:5])
            lines.append(
                f"Advisories: the source has NO ANSWER for {len(self.unknown)} packages ({shown}, …)."
            )
        return "\n".join(lines) or "Advisories: none for any locked package."


def look_up(lock: Path) -> Advisories:
    """Ask the advisory source of the package index for every locked package."""
    done = subprocess.run([*COMMAND, str(lock)], capture_output=True, text=True, check=False)
    return read_report(done.stdout, done.stderr)


def read_report(report: str, complaints: str) -> Advisories:
    """What pip-audit has found.

    Args:
        report: its standard output: JSON, or nothing when it couldn't ask.
        complaints: its standard error.
    """
    try:
        dependencies = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return Advisories([], [], complaints.strip().rpartition("\n")[2] or "it gave no report")
    vulnerable = [
        f"{found['name']} {found['version']} has {advisory['id']}"
        for found in dependencies
        for advisory in found.get("vulns", ())
        if advisory["id"] not in ACCEPTED
    ]
    return Advisories(vulnerable, [found["name"] for found in dependencies if "skip_reason" in found], "")
