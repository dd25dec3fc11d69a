"""`sip db`: the database's schema."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.servers import running_servers
from cli.signals import Terminated, stoppable
from cli.terminal import Terminal
from db.errors import StoreError

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.callback()
def root() -> None:
    """Keeps `upgrade` a command of its own while it is the only one."""


@app.command()
def upgrade(
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The embedded database's folder.", show_default="SIP_DATA_DIR, else ./.sip"),
    ] = None,
) -> None:
    """Bring the database to this version's schema (`sip serve` does so by itself).

    Without SIP_DATABASE_URL and SIP_BROKER_URL the embedded database is started for the moment.
    """
    from db.migrate import upgrade as migrate

    terminal = Terminal()
    try:
        settings = load_settings(data_dir=data_dir)
        with stoppable(), running_servers(settings) as complete:
            migrate(complete.require_database_url())
    except Terminated:
        raise typer.Exit(FAILED) from None
    except StoreError as error:
        terminal.complain(f"[bold red]The database can't be upgraded[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error
    terminal.good("the database has this version's schema")
