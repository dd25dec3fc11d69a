import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cli.conftest import Sip
from tests.client.stand_in import StandIn


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.stdout.strip() == f"sip {version('source-identification')}"


def test_nobody_listening_exits_3_at_once_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("client.connection.time.sleep", waited.append)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    result = CliRunner().invoke(app, ["models", "list", "--url", url])
    assert (result.exit_code, waited) == (3, [])
    assert f"no answer from {url}" in result.stderr
    assert "`sip serve` starts one" in result.stderr


def test_models_are_listed_with_their_default(sip: Sip) -> None:
    assert sip("models", "list").stdout.splitlines()[1].split()[:4] == ["stand-in@1", "mdl_0", "yes", "60"]


def test_metrics_are_a_table_or_json(sip: Sip) -> None:
    sip("experiments", "create", "train", "--dataset", "mine", "--json")
    assert sip("metrics", "exp_0").stdout.splitlines()[1].split()[:4] == ["exp_0", "train/loss", "2", "0"]
    assert len(json.loads(sip("metrics", "exp_0", "--json").stdout)["data"]) == 3


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"torch", "fastapi", "celery", "sqlalchemy"}),
        (["models", "list", "--help"], {"torch", "fastapi", "sqlalchemy", "psycopg", "uvicorn"}),
    ],
    ids=["help of all", "a command of the client"],
)
def test_a_command_loads_only_what_it_needs(words: list[str], heavy: set[str]) -> None:
    code = (
        "import sys; from cli.main import app; app(sys.argv[1:], standalone_mode=False);"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_command_is_answered_with_the_one_meant() -> None:
    result = CliRunner().invoke(app, ["dataset", "list"])
    assert result.exit_code == 2
    assert "Did you mean 'datasets'?" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("models", "default", "stand-in"),
        ("experiments", "cancel", "exp_0"),
        ("experiments", "report", "exp_0", "--output", "report.html"),
        ("datasets", "delete", "mine"),
    ],
    ids=" ".join,
)
def test_what_changes_something_says_so_as_json(
    words: tuple[str, ...], sip: Sip, stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.jsonl").write_text('{"text": "a", "source": "x"}\n')
    assert sip("datasets", "add", "mine.jsonl").exit_code == 0
    assert sip("experiments", "create", "train", "--dataset", "mine", "--detach").exit_code == 0
    done = sip(*words, "--json")
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout), dict)


def test_the_shells_completion_can_be_shown(sip: Sip) -> None:
    assert "--show-completion" in sip("--help").output
