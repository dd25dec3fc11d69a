"""`sip keys`: who may use a service that is reached from beyond its machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.markup import escape

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.servers import running_database
from cli.signals import Terminated, stoppable
from cli.terminal import Terminal
from db.errors import StoreError

if TYPE_CHECKING:
    # Loaded where they are needed: `sip --help` needn't wait for the database's library.
    from sqlalchemy.orm import Session

    from db.keys import NewKey, Scope
    from db.settings import Settings
    from db.tables import ApiKey

app = typer.Typer(no_args_is_help=True, help="Keys of the service on this machine or at SIP_DATABASE_URL.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Id of the key; `list` shows it.")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="The embedded database's folder.", show_default="SIP_DATA_DIR, else ./.sip"),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    scopes: Annotated[
        str, typer.Option(help="read, write (which may read) or admin (which may both).")
    ] = "read",
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days it lives.", show_default="for ever")
    ] = None,
    shares_with: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The key whose datasets, experiments and models it sees and adds to.",
            show_default="none: it begins with nothing",
        ),
    ] = None,
    requests_per_minute: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1_000_000,
            help="Requests it may send; 0: any number.",
            show_default="SIP_REQUESTS_PER_MINUTE",
        ),
    ] = None,
    texts_per_day: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1_000_000_000,
            help="Texts it may have classified and embedded; 0: any number.",
            show_default="SIP_TEXTS_PER_DAY",
        ),
    ] = None,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only where no live key has these scopes yet.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it, this once."""
    from db import keys
    from db.key_secret import key_secret
    from db.locks import Lock, hold

    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise typer.BadParameter("NAME: expected 1 to 200 printable characters")
    wanted = _scopes(scopes)
    expires_in = None if expires_days is None else timedelta(days=expires_days)
    with _opened(data_dir) as (session, settings, terminal):
        hold(session, Lock.KEYS)
        is_there = if_none and keys.has_live(session, keys.widest(wanted))
        terms = keys.Terms(
            shares_with=shares_with, requests_per_minute=requests_per_minute, texts_per_day=texts_per_day
        )
        new = (
            None if is_there else keys.create(session, key_secret(settings), name, wanted, expires_in, terms)
        )
    if new is None:
        terminal.complain("There is such a key already; none was made.")
    else:
        _show(terminal, new)


@app.command("list")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, data_dir: DataDir = None
) -> None:
    """List the keys, also those that are revoked or expired; never what a client sends."""
    from db import keys

    with _opened(data_dir) as (session, _, terminal):
        now = keys.database_time(session)
        rows = [_described(row, now) for row in keys.every(session)]
    if as_json:
        terminal.print_json(rows)
        return
    columns = ("id", "name", "scopes", "owner", "state", "created_at", "expires_at", "last_used_at")
    terminal.table(
        [column.removesuffix("_at").replace("_", " ").upper() for column in columns],
        [[row[column] for column in columns] for row in rows],
    )


@app.command()
def revoke(key: KeyId, data_dir: DataDir = None) -> None:
    """End a key for good; a running service refuses it within 5 seconds."""
    from db import keys

    with _opened(data_dir) as (session, _, terminal):
        keys.revoke(session, key)
    terminal.good(f"{escape(key)} is revoked")


@app.command()
def rotate(key: KeyId, data_dir: DataDir = None) -> None:
    """Give a key a new secret and print it, this once; a running service refuses the old one in 5 seconds.

    Its id, name, scopes and expiry stay, and with the id all that belongs to it.
    """
    from db import keys
    from db.key_secret import key_secret

    with _opened(data_dir) as (session, settings, terminal):
        new = keys.rotate(session, key_secret(settings), key)
    _show(terminal, new)


class _Opened(NamedTuple):
    session: "Session"
    settings: "Settings"
    terminal: Terminal


@contextmanager
def _opened(data_dir: Path | None) -> Iterator[_Opened]:
    from db.session import Database

    terminal = Terminal()
    try:
        settings = load_settings(data_dir=data_dir)
        if settings.database_url is None and not settings.data_dir.exists():
            folder = escape(str(settings.data_dir.absolute()))
            terminal.complain(
                f"No service has run on {folder} yet: this is for one that will. --data-dir names another."
            )
        with stoppable(), running_database(settings) as url:
            database = Database(url, pool_size=1)
            try:
                with database.session() as session:
                    yield _Opened(session, settings, terminal)
            finally:
                database.close()
    except Terminated:
        raise typer.Exit(FAILED) from None
    except StoreError as error:
        terminal.complain(f"[bold red]Failed[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error


def _scopes(given: str) -> list["Scope"]:
    from db.keys import Scope

    try:
        return sorted({Scope(scope.strip()) for scope in given.split(",")}, key=list(Scope).index)
    except ValueError:
        raise typer.BadParameter(f"--scopes: expected some of {', '.join(Scope)}, with commas") from None


def _show(terminal: Terminal, new: "NewKey") -> None:
    # the key alone on standard output, so that a script can take it up
    print(new.secret, file=terminal.out.file)
    terminal.complain(
        f"{new.id}: keep it now, it is shown this once. Clients send it as `Authorization: Bearer …`; "
        "the client commands read it from SIP_TOKEN."
    )


def _described(row: "ApiKey", now: datetime) -> dict[str, str | int | None]:
    is_expired = row.expires_at is not None and row.expires_at <= now
    times = {name: getattr(row, name) for name in ("created_at", "expires_at", "last_used_at", "revoked_at")}
    return {
        "id": row.id,
        "name": row.name,
        "scopes": ",".join(row.scopes),
        "owner": row.owner,
        "state": "revoked" if row.revoked_at else "expired" if is_expired else "live",
        "requests_per_minute": row.requests_per_minute,
        "texts_per_day": row.texts_per_day,
        **{name: time and time.strftime("%Y-%m-%dT%H:%M:%SZ") for name, time in times.items()},
    }
