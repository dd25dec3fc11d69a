"""`sip models`: trained source identifiers of a running service."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.connecting import DEFAULT_URL, AsJson, Token, Url, connected
from cli.terminal import size

app = typer.Typer(no_args_is_help=True, help="Models: look at, choose the default, fetch, remove.")

Reference = Annotated[
    str, typer.Argument(metavar="MODEL", help="Id, name, name@version or default.", show_default=False)
]


@app.command("list")
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after a page.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the models, one page."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        page = client.models.list(limit=limit, cursor=cursor)
        if as_json:
            terminal.print_json(page)
            return
        terminal.table(
            ("MODEL", "ID", "DEFAULT", "SOURCES", "SIZE", "TRAINED"),
            [
                (
                    f"{row['name']}@{row['version']}",
                    row["id"],
                    row["is_default"],
                    row["num_sources"],
                    size(row["num_bytes"]),
                    row["created_at"],
                )
                for row in page["data"]
            ],
        )
        terminal.say_where_to_go_on(page["next_cursor"])


@app.command()
def show(model: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Show one model and its card."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = client.models.get(model)
        if as_json:
            terminal.print_json(found)
        else:
            terminal.fields(found)


@app.command()
def sources(model: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """List every source a model knows."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = list(client.models.sources(model))
        if as_json:
            terminal.print_json(found)
        else:
            terminal.table(("NUMBER", "SOURCE"), [(s.get("source_id"), s["name"]) for s in found])


@app.command("default")
def set_default(
    model: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False
) -> None:
    """Let a model answer requests that name none."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        chosen = client.models.set_default(model)
        said = f"{escape(chosen['name'])}@{chosen['version']} is the default"
        terminal.done(said, chosen, as_json=as_json)


@app.command()
def download(
    model: Reference,
    target: Annotated[Path, typer.Argument(help="A .zip file.", show_default=False)],
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a model: safetensors and JSON in a zip."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        num_bytes = client.models.download(model, target)
        said = f"wrote {escape(str(target))}, {size(num_bytes)}"
        terminal.done(said, {"file": str(target), "bytes": num_bytes}, as_json=as_json)


@app.command()
def delete(model: Reference, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Remove a model that isn't the default."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        client.models.delete(model)
        terminal.done(f"removed {escape(model)}", {"removed": model}, as_json=as_json)
