"""Under which licences the locked packages are."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|CNRI|MPL|Mozilla|Zlib|CC0|Unlicense|HPND|BSL-1\.0"
)
COPYLEFT = re.compile(r"GPL|EUPL|SSPL|Proprietary|Commons Clause", re.IGNORECASE)
"""What isn't outweighed by a permissive licence beside it, unless one may choose."""
_CUDA = (
    "NVIDIA's own: comes with the CUDA build of torch alone, as torch asks for it; may be handed on as it is"
)
ACCEPTED = {
    r"psycopg": "LGPL-3: used as it is, as a library of its own that anyone may replace",
    r"psycopg-binary": "LGPL-3: as psycopg",
    r"nvidia-.*": _CUDA,
    r"cuda-.*": _CUDA,
}
"""Pattern of packages → why a licence that isn't permissive is no hindrance. The one place for exceptions."""
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


def locked_packages(lock: Path) -> set[str]:
    """Normalised names of all that a lock file pins."""
    return set(map(_normalised, _PINNED.findall(lock.read_text(encoding="utf-8"))))


def installed_licences() -> dict[str, str]:
    """Normalised name → licence of what is installed here."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {_normalised(package["Name"]): package["License"] for package in found}


def not_permissive(locked: Iterable[str], licences: Mapping[str, str]) -> list[str]:
    """Packages under other licences than are accepted, a line each; those not installed here are left out."""
    return [
        f"{name}: {licences[name]}"
        for name in sorted(locked)
        if name in licences and not reason_for(name) and not _is_permissive(licences[name])
    ]


def reason_for(name: str) -> str:
    """Why the licence of a package is accepted whatever it is; empty where it has to be permissive."""
    return next((reason for pattern, reason in ACCEPTED.items() if re.fullmatch(pattern, name)), "")


def _is_permissive(licence: str) -> bool:
    choices = [licence] if re.search(r"\bAND\b", licence) else re.split(r"\bOR\b", licence)
    return any(PERMISSIVE.search(choice) and not COPYLEFT.search(choice) for choice in choices)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
