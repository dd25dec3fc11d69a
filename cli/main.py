"""The `sip` command: starts our own parts, and speaks to a running service for everything else."""

import io
import sys
from typing import Annotated

import typer

from cli.lazy import LazyGroup

app = typer.Typer(
    name="sip",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Where does this text come from? Trains source identifiers and asks them.",
    epilog="Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 no service answers; 130 Ctrl-C.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
