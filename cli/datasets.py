"""`sip datasets`: corpora of a running service."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.connecting import DEFAULT_URL, AsJson, Token, Url, connected
from cli.terminal import size
from client.answers import Dataset

app = typer.Typer(no_args_is_help=True, help="Corpora: add, look at, remove.")

Reference = Annotated[str, typer.Argument(metavar="DATASET", help="Id or name.", show_default=False)]


@app.command()
def add(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="A .jsonl, .csv or .parquet file (each also .gz), or a .zip with one folder per source.",
            show_default=False,
        ),
    ] = None,
    builtin: Annotated[
        str | None, typer.Option(help="A corpus the service makes itself: python-docs.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Its name; else the file's or the built-in's.", show_default=False)
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="jsonl, csv, parquet or text_folder; else known by the file name.", show_default=False
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Add a corpus: a file, or one the service makes itself."""
    if (file is None) == (builtin is None):
        raise typer.BadParameter(
            "expected a file or --builtin; found " + ("neither" if file is None else "both")
        )
    with connected(url, token, as_json=as_json) as (client, terminal):
        with terminal.busy("The service reads the corpus", quiet=as_json):
            if file is not None:
                dataset = client.datasets.upload(file, name or name_of(file), format=format)
            else:
                dataset = client.datasets.builtin(builtin or "", name)
        if as_json:
            terminal.print_json(dataset)
        else:
            terminal.good(f"added [bold]{escape(dataset['name'])}[/]: {describe_size(dataset)}")


@app.command("list")
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after a page.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the datasets, one page."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        page = client.datasets.list(limit=limit, cursor=cursor)
        if as_json:
            terminal.print_json(page)
            return
        terminal.table(
            ("NAME", "ID", "STATUS", "FORMAT", "DOCUMENTS", "SOURCES", "TEXT", "ADDED"),
            [
                (
                    row["name"],
                    row["id"],
                    row["status"],
                    row["format"],
                    row["num_documents"],
                    row["num_sources"],
                    size(row["num_bytes"]),
                    row["created_at"],
                )
                for row in page["data"]
            ],
        )
        terminal.say_where_to_go_on(page["next_cursor"])


@app.command()
def show(dataset: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Show one dataset."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = client.datasets.get(dataset)
        if as_json:
            terminal.print_json(found)
        else:
            terminal.fields(found)


@app.command()
def sources(dataset: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """List every source of a dataset."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = list(client.datasets.sources(dataset))
        if as_json:
            terminal.print_json(found)
        else:
            terminal.table(
                ("SOURCE", "AUTHOR", "DOCUMENTS", "WORDS"),
                [(s["name"], s.get("author"), s.get("num_documents"), s.get("num_words")) for s in found],
            )


@app.command()
def delete(dataset: Reference, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Remove a dataset that no experiment uses."""
    with connected(url, token) as (client, terminal):
        client.datasets.delete(dataset)
        terminal.good(f"removed {escape(dataset)}")


def name_of(file: Path) -> str:
    """A dataset's name from its file's: `books.jsonl.gz` → `books`."""
    return file.name.split(".")[0] or file.name


def describe_size(dataset: Dataset) -> str:
    """How much a dataset holds, in one phrase."""
    counts = f"{dataset['num_documents']:,} documents of {dataset['num_sources']:,} sources"
    return f"{counts}, {size(dataset['num_bytes'])}"
