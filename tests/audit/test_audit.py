"""What the audit makes of its tools' reports; that it doesn't take silence for good news."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.audit.__main__ import LOCK
from tests.audit.advisories import read_report
from tests.audit.licences import locked_packages, not_permissive

FOUND = {"name": "x", "version": "1", "vulns": []}


def report(*dependencies: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": dependencies})


def test_nothing_found_is_clean_only_where_all_was_looked_up() -> None:
    assert read_report(report(FOUND), "").is_clean
    skipped = {"name": "y", "skip_reason": "Dependency not found and could not be audited"}
    partly = read_report(report(FOUND, skipped), "")
    assert not partly.is_clean
    assert "NO ANSWER for 1 packages (y, …)" in partly.describe()


def test_a_source_that_cannot_be_reached_is_said_and_is_no_good_news() -> None:
    silent = read_report("", "INFO: asking\nERROR:pip_audit._cli: connection refused\n")
    assert not silent.is_clean
    assert silent.describe().startswith("Advisories: the source can't be reached, so NOTHING IS KNOWN")
    assert "connection refused" in silent.describe()


def test_a_vulnerable_package_is_named_with_its_advisory() -> None:
    vulnerable = read_report(report(FOUND | {"vulns": [{"id": "PYSEC-2026-1"}]}), "")
    assert vulnerable.describe() == "Advisories: x 1 has PYSEC-2026-1"
    assert not vulnerable.is_clean


def test_licences_are_permissive_or_have_a_reason() -> None:
    licences = {"a": "MIT License", "b": "GPL-3.0-only", "psycopg": "LGPL-3.0-only", "c": "AGPL"}
    assert not_permissive({"a", "b", "psycopg", "missing"}, licences) == ["b: GPL-3.0-only"]


@pytest.mark.parametrize(
    ("licence", "is_permissive"),
    [
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-2.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("GPL-3.0-only AND (MIT OR BSD)", False),
        ("MIT; GNU General Public License v3 (GPLv3)", False),
        ("UNKNOWN", False),
    ],
)
def test_a_permissive_licence_outweighs_another_only_where_one_may_choose(
    licence: str, is_permissive: bool
) -> None:
    assert (not_permissive({"a"}, {"a": licence}) == []) == is_permissive


def test_every_package_that_is_asked_for_is_locked_with_hashes() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [
        *project["dependencies"],
        *(name for extra in ("embedded", "minilm", "s3", "gcs") for name in extras[extra]),
    ]
    names = {name.partition(">")[0].partition("=")[0].partition("[")[0].strip().lower() for name in asked}
    assert names <= locked_packages(LOCK)
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    pinned = [number for number, line in enumerate(lines) if line and line[0].isalnum()]
    assert all("--hash=sha256:" in lines[number + 1] for number in pinned)
    assert not any("://" in line for line in lines)
