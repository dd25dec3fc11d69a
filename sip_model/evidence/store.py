"""An evidence index on disk: one safetensors file, which stays there and is mapped into memory."""

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sip_model.errors import ArtifactError
from sip_model.evidence.index import EvidenceIndex


def save_evidence(index: EvidenceIndex, path: Path) -> str:
    """Write an index to the file `path`; returns its sha256."""
    tensors = {name: torch.from_numpy(array.copy()) for name, array in index.arrays().items()}
    save_file(tensors, path)
    return _sha256(path)


def open_evidence(path: Path, sha256: str) -> EvidenceIndex:
    """Map an index written by :func:`save_evidence` into memory; what is looked at is read, no more.

    Args:
        path: of the file, which must not change while the index is used.
        sha256: of its bytes.

    Raises:
        ArtifactError: the file is missing, cut short or altered.
    """
    try:
        found = _sha256(path)
        if found != sha256:
            raise ArtifactError((path.name,), f"sha256 {sha256}", found)
        with safe_open(path, framework="pt") as file:
            arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118  # no mapping
        return EvidenceIndex.from_arrays(arrays)
    except (OSError, SafetensorError, KeyError) as error:
        raise ArtifactError(
            (path.name,), "an evidence index", f"{type(error).__name__}: {str(error)[:200]}"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
