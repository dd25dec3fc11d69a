"""`sip health`: whether the part of the service on this machine works, for health checks of containers."""

import socket

import typer
from rich.markup import escape

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.serve import base_url
from cli.terminal import Terminal
from client import Client, ClientError
from db.errors import StoreError

TIMEOUT_SECONDS = 5.0

app = typer.Typer(
    no_args_is_help=True, help="Whether the API or the worker of this machine works: exit code 0 or 1."
)


@app.command()
def api() -> None:
    """Ask the API at SIP_HOST and SIP_PORT whether it is there."""
    try:
        settings = load_settings()
        with Client(base_url(settings.host, settings.port), timeout_seconds=TIMEOUT_SECONDS) as client:
            client.is_live()
    except (ClientError, StoreError) as error:
        _fail(str(error))


@app.command()
def worker() -> None:
    """Ask the database whether a worker of this machine has shown itself lately."""
    # Here and not above: `sip --help` needn't wait for the database's library.
    from db import workers
    from db.session import Database

    host = socket.gethostname()
    try:
        settings = load_settings()
        database = Database(settings.require_database_url(), pool_size=1)
        try:
            with database.session() as session:
                seen = workers.seen(session, settings.worker_seen_seconds)
                found = any(row.name.startswith(f"{host}:") for row in seen)
        finally:
            database.close()
    except StoreError as error:
        _fail(str(error))
    if not found:
        _fail(f"no worker of {host} was seen in the last {settings.worker_seen_seconds:g} s")


def _fail(reason: str) -> None:
    Terminal().complain(escape(reason))
    raise typer.Exit(FAILED)
