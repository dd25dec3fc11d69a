"""`sip keys`, on a database of one's own and on the embedded one."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from client import ApiError, Client
from db import keys
from db.key_secret import key_secret
from db.session import Database
from db.settings import Settings
from tests.cli.service import SERVE, running_service

Keys = Callable[..., Result]
SECRET = re.compile(r"sip_[A-Za-z0-9_-]{43}")


@pytest.fixture
def run(settings: Settings) -> Keys:
    """Run `sip keys` with these words on the test's database."""

    def run(*words: str) -> Result:
        environment = {
            "SIP_DATABASE_URL": settings.require_database_url(),
            "SIP_DATA_DIR": str(settings.data_dir),
        }
        return CliRunner().invoke(app, ["keys", *words], env=environment)

    return run


def listed(run: Keys) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = json.loads(run("list", "--json").stdout)
    return rows


def test_a_key_is_printed_alone_and_once(run: Keys, settings: Settings, database: Database) -> None:
    made = run("create", "ci", "--scopes", "write", "--expires-days", "30")
    secret = made.stdout.strip()
    assert SECRET.fullmatch(secret)
    with database.session() as session:
        row = keys.find(session, keys.digest_of(key_secret(settings), secret))
    assert row is not None
    assert row.expires_at is not None
    assert (row.name, row.scopes, (row.expires_at - row.created_at).days) == ("ci", ["write"], 30)
    shown = run("list").stdout + run("list", "--json").stdout
    assert row.id in shown
    assert secret not in shown
    assert row.digest not in shown


def test_the_first_key_is_made_once(run: Keys) -> None:
    run("create", "reader", "--if-none")
    made = run("create", "first", "--scopes", "admin", "--if-none")
    assert SECRET.fullmatch(made.stdout.strip())
    again = run("create", "first", "--scopes", "admin", "--if-none")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "There is such a key already" in again.stderr
    assert [row["name"] for row in listed(run)] == ["reader", "first"]
    assert run("create", "first", "--scopes", "admin").exit_code == 0
    assert len(listed(run)) == 3


def test_a_revoked_key_is_listed_as_such_and_counts_no_more(run: Keys) -> None:
    run("create", "first", "--scopes", "admin")
    (row,) = listed(run)
    assert row["state"] == "live"
    assert f"{row['id']} is revoked" in run("revoke", str(row["id"])).stdout
    assert [row["state"] for row in listed(run)] == ["revoked"]
    assert SECRET.search(run("create", "first", "--scopes", "admin", "--if-none").stdout)


def test_a_rotated_key_has_a_new_secret_and_the_same_id(run: Keys) -> None:
    old = run("create", "ci").stdout.strip()
    (row,) = listed(run)
    new = run("rotate", str(row["id"])).stdout.strip()
    assert SECRET.fullmatch(new)
    assert new != old
    assert [(row["id"], row["state"])] == [(row["id"], row["state"]) for row in listed(run)]


def test_a_key_that_shares_is_listed_with_whose_things_it_sees(run: Keys) -> None:
    run("create", "first", "--scopes", "write")
    (first,) = listed(run)
    run("create", "second", "--shares-with", str(first["id"]))
    assert [row["owner"] for row in listed(run)] == [first["id"], first["id"]]
    refused = run("create", "third", "--shares-with", "key_none")
    assert refused.exit_code == 1
    assert "no key has this id" in refused.stderr


def test_what_cannot_be_used_is_refused(run: Keys) -> None:
    assert "expected some of read, write, admin" in run("create", "ci", "--scopes", "root").stderr
    assert run("create", " ").exit_code == 2
    assert run("create", "ci", "--expires-days", "0").exit_code == 2
    for command in ("revoke", "rotate"):
        refused = run(command, "key_none")
        assert refused.exit_code == 1
        assert "no key has this id" in refused.stderr
    assert listed(run) == []


def test_a_database_without_its_schema_says_what_to_do(empty_database_url: str, tmp_path: Path) -> None:
    environment = {"SIP_DATABASE_URL": empty_database_url, "SIP_DATA_DIR": str(tmp_path)}
    refused = CliRunner().invoke(app, ["keys", "list"], env=environment)
    assert refused.exit_code == 1
    assert "run `sip db upgrade`" in refused.stderr


def test_where_no_service_has_run_yet_that_is_said(tmp_path: Path) -> None:
    data_dir = tmp_path / "elsewhere"
    listed = CliRunner().invoke(app, ["keys", "list", "--data-dir", str(data_dir)])
    assert listed.exit_code == 0
    assert f"No service has run on {data_dir} yet" in listed.stderr
    again = CliRunner().invoke(app, ["keys", "list", "--data-dir", str(data_dir)])
    assert again.stderr == ""


def sip_keys(data_dir: Path, *words: str) -> str:
    command = [sys.executable, "-P", "-m", "cli.main", "keys", *words, "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout.strip()


def test_a_service_beyond_this_machine_starts_with_a_key_and_takes_no_one_without(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    command = [*SERVE, "--host", "0.0.0.0", "--port", "0", "--data-dir", str(data_dir)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert refused.returncode == 1
    assert "`sip keys create first --scopes admin` makes one" in refused.stderr
    first = sip_keys(data_dir, "create", "first", "--scopes", "admin")
    with running_service(data_dir, "--host", "0.0.0.0") as service:
        second = sip_keys(data_dir, "create", "second")
        for key in (first, second):
            with Client(service.url, token=key) as client:
                assert client.datasets.list()["data"] == []
        with Client(service.url) as client, pytest.raises(ApiError, match="401"):
            client.datasets.list()
        refused_key = {"Authorization": f"Bearer {first[:-1]}"}
        assert httpx.get(f"{service.url}/datasets", headers=refused_key).status_code == 401
        assert all(key not in line for key in (first, second) for line in service.lines)
