"""Runs tests on a copy of the tree, and says of each whether it failed because of what it asserts."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TEST_SECONDS = 180
"""A test that takes longer than this hangs, which counts as failing."""
_RUN_SECONDS = 1800.0
_BROKEN = re.compile(r"^(\w+\.)*(ImportError|ModuleNotFoundError|SyntaxError|NameError|AttributeError)\b")
_LONGEST_REASON = 110


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one test, or all the cases of one, went."""

    test: str
    passed: bool
    reason: str
    """Its first line where it didn't pass."""
    complaint: str
    """Why this is no failure that shows the mechanism; empty where it is one."""


def run_tests(tree: Path, tests: Sequence[str]) -> list[Verdict]:
    """Run tests in a copy of the tree, the product and its processes imported from there too."""
    with tempfile.TemporaryDirectory(prefix="sip-verdict-") as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", f"--junitxml={report}"]
        output = subprocess.run(
            [sys.executable, "-m", "pytest", *options, f"--basetemp={folder}/t", *tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        ).stdout
        cases = ElementTree.parse(report).getroot().iter("testcase") if report.exists() else []
        outcomes = [(_node_id(case), *_outcome(case)) for case in cases]
    return [_verdict(test, outcomes, output) for test in tests]


def _verdict(test: str, outcomes: list[tuple[str, str, str]], output: str) -> Verdict:
    """Put together the cases of a test: the first that failed speaks for it."""
    mine = [(kind, reason) for node, kind, reason in outcomes if node == test or node.startswith(f"{test}[")]
    for wanted in ("error", "failure"):
        for kind, reason in mine:
            if kind == wanted:
                return Verdict(test, False, reason, _complaint(kind, reason))
    if mine and all(kind == "passed" for kind, _ in mine):
        return Verdict(test, True, "", "survived: the test passes without the mechanism")
    last = output.strip().splitlines()[-1:] or ["no output"]
    return Verdict(test, False, last[0], f"did not run: {last[0]}")


def _complaint(kind: str, reason: str) -> str:
    if kind == "error":
        return f"did not come to its assertions: {reason}"
    return f"broke instead of failing: {reason}" if _BROKEN.match(reason) else ""


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    for kind in ("error", "failure", "skipped"):
        found = case.find(kind)
        if found is not None:
            lines = (found.get("message") or found.text or kind).splitlines()
            return kind, (lines or [kind])[0][:_LONGEST_REASON]
    return "passed", ""


def _node_id(case: ElementTree.Element) -> str:
    """``tests/a/test_b.py::test_c[d]`` from the names the report has."""
    return f"{(case.get('classname') or '').replace('.', '/')}.py::{case.get('name')}"
