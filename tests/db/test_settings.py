"""Settings come from SIP_* variables and refuse what can't work."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from db.errors import SettingsError
from db.settings import Settings


def test_variables_are_read_and_artifacts_go_to_the_data_folder_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SIP_BACKBONE_FOLDERS", '{"tiny": "/models/tiny"}')
    settings = Settings()
    assert settings.artifacts_url == str(tmp_path / "artifacts")
    assert settings.features_dir == tmp_path / "features"
    assert settings.backbone_folders == {"tiny": Path("/models/tiny")}


def test_a_relative_data_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(data_dir=Path("data")).artifacts_url == str(tmp_path / "data" / "artifacts")


def test_settings_survive_the_way_to_another_process(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, database_url="postgresql+psycopg://u:p@h/d", data_roots=(tmp_path,)
    )
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(Settings(database_url="postgresql+psycopg://u:secret@h/d"))


def test_a_lease_shorter_than_two_heartbeats_is_refused() -> None:
    with pytest.raises(ValidationError, match="SIP_LEASE_SECONDS"):
        Settings(lease_seconds=1.0, heartbeat_seconds=0.8)


def test_a_missing_url_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="SIP_DATABASE_URL"):
        Settings(database_url=None).require_database_url()
    with pytest.raises(SettingsError, match="SIP_BROKER_URL"):
        Settings(broker_url=None).require_broker_url()
