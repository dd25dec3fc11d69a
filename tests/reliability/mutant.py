"""A mutant: a patch that takes one mechanism out of the product, and the tests that must notice."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_IMPORT_SECONDS = 120.0
_PRODUCT = ("api", "cli", "client", "db", "sip_model", "worker")


class MutantError(Exception):
    """A patch that can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """What a patch's first lines say, and the files it changes."""

    path: Path
    promise: int
    tests: tuple[str, ...]
    without: str
    changes: tuple[str, ...]

    def apply(self, tree: Path) -> None:
        """Apply the patch to a copy of the tree; `MutantError` unless all of it fits and can be imported."""
        result = subprocess.run(
            ["git", "apply", "-C1", "--recount", str(self.path.resolve())],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
            env={"GIT_CEILING_DIRECTORIES": str(tree.parent), "PATH": "/usr/bin:/bin"},
        )
        if result.returncode != 0:
            raise MutantError(f"{self.path.name} doesn't apply: {result.stderr.strip()}")
        self._check_import(tree)

    def _check_import(self, tree: Path) -> None:
        """What the tests and the processes they start import is the copy, and it can be imported."""
        modules = [_module(change) for change in self.changes if change.partition("/")[0] in _PRODUCT]
        code = (
            "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
        )
        found = subprocess.run(
            [sys.executable, "-P", "-c", code, *modules],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
            check=False,
            env={"PYTHONPATH": str(tree)},
        )
        if found.returncode != 0:
            raise MutantError(f"{self.path.name} breaks the product: {found.stderr.strip().splitlines()[-1]}")
        for file in found.stdout.split():
            if not Path(file).is_relative_to(tree):
                raise MutantError(f"{self.path.name}: imported {file}, expected a file below {tree}")


def read_mutant(path: Path) -> Mutant:
    """Read a patch's first lines; `MutantError` when one is missing."""
    text = path.read_text()
    head, _, _ = text.partition("\n--- ")
    fields: dict[str, list[str]] = {}
    for key, value in re.findall(r"^# (promise|test|without): *(.+?) *$", head, re.MULTILINE):
        fields.setdefault(key, []).append(value)
    changes = tuple(re.findall(r"^\+\+\+ b/(\S+)", text, re.MULTILINE))
    if set(fields) != {"promise", "test", "without"} or not changes:
        raise MutantError(f"{path.name}: expected lines '# promise:', '# test:', '# without:' and a diff")
    tests = tuple(test for line in fields["test"] for test in line.split())
    return Mutant(path, int(fields["promise"][0]), tests, fields["without"][0], changes)


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
