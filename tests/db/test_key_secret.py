"""The secret keys are hashed under."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from db.errors import SettingsError
from db.key_secret import key_secret
from db.settings import Settings


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: key_secret(settings), range(8)))
    assert len(secrets) == 1
    (path,) = (tmp_path / "data").iterdir()
    assert path.name == "key.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 64


def test_a_setting_comes_before_the_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", key_secret=SecretStr("s" * 32))
    assert key_secret(settings) == b"s" * 32
    assert not (tmp_path / "data").exists()


def test_a_file_that_holds_too_little_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.secret").write_text("short")
    with pytest.raises(SettingsError, match="SIP_KEY_SECRET"):
        key_secret(Settings(data_dir=tmp_path))


def test_the_setting_is_shown_nowhere_and_not_too_short() -> None:
    settings = Settings(key_secret=SecretStr("s" * 32))
    assert "sss" not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(ValidationError):
        Settings(key_secret=SecretStr("s" * 31))
