import socket

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from db import workers
from db.session import Database
from db.states import Queue


def health(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["health", *words], env=environment)


def test_an_api_that_answers_is_well(url: str) -> None:
    assert health("api", SIP_PORT=url.rpartition(":")[2]).exit_code == 0


def test_an_api_that_is_not_there_is_not_well() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        found = health("api", SIP_PORT=str(taken.getsockname()[1]))
    assert found.exit_code == 1
    assert "127.0.0.1" in found.stderr


@pytest.mark.parametrize(
    ("host", "exit_code"),
    [
        pytest.param(socket.gethostname(), 0, id="this machine"),
        pytest.param(f"not-{socket.gethostname()}", 1, id="another machine"),
    ],
)
def test_a_worker_is_well_when_one_of_this_machine_was_seen(
    database: Database, database_url: str, host: str, exit_code: int
) -> None:
    with database.session() as session:
        workers.show(session, f"{host}:7", "cpu", list(Queue))
    assert health("worker", SIP_DATABASE_URL=database_url).exit_code == exit_code


def test_a_worker_without_its_database_is_not_well() -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    found = health("worker", SIP_DATABASE_URL=url)
    assert found.exit_code == 1
    assert "the database doesn't answer" in found.stderr
