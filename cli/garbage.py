"""`sip gc`: frees the disk of what nobody will ask for any more."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.servers import running_database
from cli.signals import Terminated, stoppable
from cli.terminal import Terminal
from db.errors import StoreError


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go and remove nothing.")] = False,
    cache_gb: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="GiB of the feature cache to keep.", show_default="all of it", metavar="GIB"
        ),
    ] = None,
    metrics_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Also delete all metrics of experiments that ended more days ago.",
            show_default="none are deleted",
            metavar="DAYS",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="The service's folder.", show_default="SIP_DATA_DIR, else ./.sip")
    ] = None,
) -> None:
    """Remove stored files that nothing refers to, leftovers and unused copies, each a day old or older.

    It may run while the service does, on every machine that has a data folder.
    """
    # Loaded here: `sip --help` needn't wait for the database's library.
    from cli.collection import Collection
    from db.session import Database

    terminal = Terminal()
    try:
        settings = load_settings(data_dir=data_dir)
        with stoppable(), running_database(settings) as database_url:
            database = Database(database_url)
            try:
                Collection(settings, database, terminal, dry_run).run(cache_gb, metrics_days)
            finally:
                database.close()
    except Terminated:
        raise typer.Exit(FAILED) from None
    except (StoreError, OSError) as error:
        terminal.complain(f"[bold red]Not all could be removed[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error
