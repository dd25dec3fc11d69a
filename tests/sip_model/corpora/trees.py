"""Corpora of many files, as a zip or as a folder."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | bytes]


def write_zip(path: Path, files: Files) -> Path:
    """A zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_folder(path: Path, files: Files) -> Path:
    """A folder of these files."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
