"""The `sip` command: starts our own parts, and speaks to a running service for everything else."""

import io
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli import datasets, experiments, models
from cli.creating import create
from cli.database import app as database
from cli.demo import demo
from cli.garbage import gc
from cli.health import app as health
from cli.keys import app as keys
from cli.metrics import metrics
from cli.serve import serve
from cli.texts import classify, embed
from cli.worker import worker

app = typer.Typer(
    name="sip",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Where does this text come from? Trains source identifiers and asks them.",
    epilog="Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 no service answers; 130 Ctrl-C.",
)
app.command()(demo)
app.command()(serve)
app.command()(worker)
app.add_typer(database, name="db")
app.command()(gc)
app.add_typer(keys, name="keys")
app.add_typer(health, name="health")
app.add_typer(datasets.app, name="datasets")
experiments.app.command()(create)
app.add_typer(experiments.app, name="experiments")
app.command()(metrics)
app.add_typer(models.app, name="models")
app.command()(classify)
app.command()(embed)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"sip {version('source-identification')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What every command shares; `--version` has done its work before."""


def main() -> None:
    """Run the command line this process was started with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A source's name may hold what this terminal can't show; a question mark is better than a crash.
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
