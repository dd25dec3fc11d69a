"""What SECURITY.md says of tests and commands is so: each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
THREATS = re.findall(r"^\| ([STRIDE]) \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
KINDS = {
    "S": "Spoofing",
    "T": "tampering",
    "R": "repudiation",
    "I": "information disclosure",
    "D": "denial of service",
    "E": "elevation of privilege",
}


def test_each_kind_of_threat_is_told_of() -> None:
    assert {kind for kind, *_ in THREATS} == set(KINDS)
    assert all(name in PAGE for name in KINDS.values())
    rows = PAGE.split("\n| | what could happen |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(THREATS) == len(rows)


@pytest.mark.parametrize("threat", THREATS, ids=[f"{kind}: {what[:60]}" for kind, what, *_ in THREATS])
def test_what_stops_it_has_a_test_that_is_there(threat: tuple[str, str, str, str]) -> None:
    _, what, stops, tests = threat
    assert what
    assert stops
    named = re.findall(r"`(.*?)`", tests)
    assert named
    for name in named:
        if name.startswith("make "):
            assert is_target(name)
        elif name.startswith("benchmarks/"):
            assert "def main()" in (ROOT / name).read_text(), name
        else:
            assert re.search(r"^def test_|^    def test_", (ROOT / name).read_text(), re.MULTILINE), name


def test_every_path_and_command_it_names_is_there() -> None:
    for command in re.findall(r"`(make [a-z-]+)", PAGE):
        assert is_target(command), command
    for path in re.findall(r"`((?:tests|benchmarks|docs|api|cli)/[\w./-]*)`", PAGE):
        assert (ROOT / path).exists(), path


def is_target(command: str) -> bool:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return f"\n{command.removeprefix('make ')}:" in makefile
