"""``make test-mutants``: takes each mechanism out of the product and sees its test fail.

A mutant is a patch ``mutants/NN_<words>.patch`` whose first lines say ``# promise: NN``,
``# without: <mechanism>`` and, once or more often, ``# test: <node id>``. The tests must pass on a copy of
the tree as it is, and each must fail on the copy with the patch, because of what it asserts or waits for.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.mutant import Mutant, MutantError, read_mutant
from tests.reliability.verdicts import Verdict, run_tests

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "mutants"
PROMISES = range(1, 21)


def main() -> int:
    """Run all mutants, or those whose names hold one of the words given; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="part of a patch's name, such as 06_")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    arguments = parser.parse_args()
    try:
        mutants = _chosen(arguments.words)
    except MutantError as error:
        print(error)
        return 1
    complaints = [] if arguments.words else _promises_without(mutants)
    with tempfile.TemporaryDirectory(prefix="sip-mutants-") as folder:
        original = Path(folder) / "original"
        _copy_tree(original)
        print(f"{len(mutants)} mutants; their tests on the tree as it is …", flush=True)
        verdicts = run_tests(original, sorted({test for mutant in mutants for test in mutant.tests}))
        broken = [f"{v.test} doesn't pass without a mutant: {v.reason}" for v in verdicts if not v.passed]
        if broken:
            print("\n".join(broken))
            return 1
        with ThreadPoolExecutor(arguments.jobs) as pool:
            for complaint in pool.map(lambda mutant: _try(mutant, original), mutants):
                complaints += complaint
    print("\n".join(complaints) if complaints else f"All {len(mutants)} mutants were noticed.")
    return 1 if complaints else 0


def _chosen(words: list[str]) -> list[Mutant]:
    mutants = [read_mutant(path) for path in sorted(FOLDER.glob("*.patch"))]
    return [m for m in mutants if not words or any(word in m.path.name for word in words)]


def _promises_without(mutants: list[Mutant]) -> list[str]:
    covered = {mutant.promise for mutant in mutants}
    return [f"promise {number} has no mutant" for number in PROMISES if number not in covered]


def _try(mutant: Mutant, original: Path) -> list[str]:
    """Run a mutant's tests and print a row for each; returns what is wrong with it."""
    with _mutated(mutant, original) as tree:
        try:
            mutant.apply(tree)
        except MutantError as error:
            return [str(error)]
        verdicts = run_tests(tree, mutant.tests)
    for verdict in verdicts:
        _print_row(mutant, verdict)
    return [
        f"{mutant.path.name}: {verdict.test} {verdict.complaint}" for verdict in verdicts if verdict.complaint
    ]


@contextmanager
def _mutated(mutant: Mutant, original: Path) -> Iterator[Path]:
    tree = original.with_name(mutant.path.stem)
    shutil.copytree(original, tree, symlinks=True)
    try:
        yield tree
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _print_row(mutant: Mutant, verdict: Verdict) -> None:
    outcome = verdict.complaint or f"failed as it should: {verdict.reason}"
    test = verdict.test.rpartition("/")[2]
    print(
        f"{mutant.promise:>2} | {mutant.path.stem} | without {mutant.without} | {test} | {outcome}",
        flush=True,
    )


def _copy_tree(target: Path) -> None:
    """Copy what git tracks and what it doesn't ignore, as it is on disk now."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listing.stdout.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


if __name__ == "__main__":
    sys.exit(main())
