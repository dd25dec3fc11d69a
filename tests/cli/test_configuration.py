from pathlib import Path

import pytest

from cli.configuration import InvalidSettingsError, load_settings


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIP_PORT", "9000")
    monkeypatch.setenv("SIP_DATA_DIR", "/elsewhere")
    settings = load_settings(port=None, data_dir=tmp_path)
    assert (settings.port, settings.data_dir) == (9000, tmp_path)


def test_a_setting_that_cannot_be_used_is_named_as_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIP_PORT", "secret-abc")
    with pytest.raises(InvalidSettingsError, match=r"^SIP_PORT: Input should be a valid integer") as caught:
        load_settings()
    assert "secret-abc" not in str(caught.value)


def test_a_list_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIP_DATA_ROOTS", "/data")
    with pytest.raises(InvalidSettingsError, match=r"data_roots.*expected JSON"):
        load_settings()
