"""`sip datasets`: corpora of a running service."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from cli.connecting import DEFAULT_URL, FAILED, INTERRUPTED, AsJson, Token, Url, connected
from cli.terminal import Terminal, size
from cli.watching import watch
from client import Client
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
            help="A .jsonl, .csv, .parquet, .tokens or .raw file (each also .gz), or a .zip of texts.",
            show_default=False,
        ),
    ] = None,
    builtin: Annotated[
        str | None, typer.Option(help="A corpus the service makes itself: python-docs.", show_default=False)
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(help="A file or folder of the service's machine, in a data root.", show_default=False),
    ] = None,
    uri: Annotated[
        str | None, typer.Option(help="A file of an object store: s3://bucket/key.", show_default=False)
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(help="A dataset repository of the Hugging Face Hub: owner/name.", show_default=False),
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="With --hub: which configuration.", show_default=False)
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="With --hub: which split; else all.", show_default=False)
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="With --hub: column of the text; else text.", show_default=False)
    ] = None,
    source_column: Annotated[
        str | None, typer.Option(help="With --hub: column of the source; else source.", show_default=False)
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="With --hub: branch, tag or commit.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Its name; else that of where it comes from.", show_default=False)
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="jsonl, csv, parquet, text_folder, pg19, wikitext or xmc; else known by the file name.",
            show_default=False,
        ),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait for the end of an import.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Add a corpus: a file, one the service makes itself, or one its workers import, which is watched."""
    columns = Columns(config, split, text_column, source_column, revision)
    num_given = sum(origin is not None for origin in (file, builtin, path, uri, hub))
    if num_given != 1:
        expected = "expected a file, --builtin, --path, --uri or --hub"
        raise typer.BadParameter(
            f"{expected}; found " + ("none" if num_given == 0 else f"{num_given} of them")
        )
    if hub is None and columns.options():
        raise typer.BadParameter(f"{', '.join(columns.options())}: expected with --hub only")
    with connected(url, token, as_json=as_json) as (client, terminal):
        with terminal.busy("The service reads the corpus", quiet=as_json):
            if file is not None:
                dataset = client.datasets.upload(file, name or name_of(file), format=format)
            elif builtin is not None:
                dataset = client.datasets.builtin(builtin, name)
            elif path is not None:
                dataset = client.datasets.from_path(path, name or name_of(Path(path)), format=format)
            elif uri is not None:
                dataset = client.datasets.from_uri(uri, name or name_of(Path(uri)), format=format)
            else:
                dataset = add_from_hub(client, hub or "", name, columns, format)
        report_added(client, terminal, dataset, detach=detach, as_json=as_json)


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
def delete(dataset: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Remove a dataset that no experiment uses."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        client.datasets.delete(dataset)
        terminal.done(f"removed {escape(dataset)}", {"removed": dataset}, as_json=as_json)


class Columns(NamedTuple):
    """What of a repository of the hub is read."""

    config: str | None
    split: str | None
    text_column: str | None
    source_column: str | None
    revision: str | None

    def options(self) -> list[str]:
        """Those that were given, as one types them."""
        return [f"--{name.replace('_', '-')}" for name, value in self._asdict().items() if value is not None]


def add_from_hub(
    client: Client, repo: str, name: str | None, columns: Columns, format: str | None
) -> Dataset:
    """Have a repository of the hub imported."""
    if format not in (None, "wikitext"):
        raise typer.BadParameter(f"--format: expected wikitext or none with --hub, found {format}")
    return client.datasets.from_hub(
        repo,
        name or repo.rpartition("/")[2],
        config=columns.config,
        split=columns.split,
        text_column=columns.text_column,
        source_column=columns.source_column,
        revision=columns.revision,
        format="wikitext" if format else None,
    )


def report_added(
    client: Client, terminal: Terminal, dataset: Dataset, *, detach: bool, as_json: bool
) -> None:
    """Watch an import to its end unless `detach`, and say what was added.

    Raises:
        typer.Exit: `FAILED` when the import did; `INTERRUPTED` on Ctrl-C, which leaves it running.
    """
    experiment = dataset.get("experiment")
    if dataset["status"] == "importing" and experiment is not None and not detach:
        try:
            if not as_json:
                watch(terminal, client.follow(experiment))
            dataset = client.wait_for_dataset(dataset)
        except KeyboardInterrupt:
            terminal.complain(f"Left running. `sip experiments cancel {experiment}` stops it.")
            raise typer.Exit(INTERRUPTED) from None
    name = escape(dataset["name"])
    if as_json:
        terminal.print_json(dataset)
    elif dataset["status"] == "importing":
        terminal.good(f"importing [bold]{name}[/] by {experiment}")
    elif dataset["status"] == "ready":
        terminal.good(f"added [bold]{name}[/]: {describe_size(dataset)}")
    else:
        error = dataset.get("error") or {"type": "unknown", "message": "no reason was given"}
        terminal.bad(f"{name} failed: {escape(error['type'])}: {escape(error['message'])}")
        terminal.complain(
            f"  `sip datasets delete {name}` frees its name; `sip experiments retry {experiment}`"
        )
        terminal.complain("  tries again.")
    if dataset["status"] == "failed":
        raise typer.Exit(FAILED)


def name_of(file: Path) -> str:
    """A dataset's name from its file's: `books.jsonl.gz` → `books`."""
    return file.name.split(".")[0] or file.name


def describe_size(dataset: Dataset) -> str:
    """How much a dataset holds, in one phrase."""
    counts = f"{dataset['num_documents']:,} documents of {dataset['num_sources']:,} sources"
    return f"{counts}, {size(dataset['num_bytes'])}"
