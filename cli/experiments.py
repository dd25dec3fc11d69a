"""`sip experiments`: start, watch and look at what takes time."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.connecting import DEFAULT_URL, FAILED, INTERRUPTED, AsJson, Token, Url, connected
from cli.scores import show_scores
from cli.terminal import Terminal, size
from cli.watching import watch
from client import Client
from client.answers import Experiment

app = typer.Typer(no_args_is_help=True, help="Experiments: start, watch, look at, cancel, retry, remove.")

Id = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Its id.", show_default=False)]
Detach = Annotated[bool, typer.Option("--detach", help="Don't wait for the end.")]


@app.command("watch")
def watch_one(experiment: Id, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Watch an experiment until it ends."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        follow_to_the_end(client, terminal, experiment, as_json=as_json)


@app.command("list")
def list_all(
    kind: Annotated[str | None, typer.Option(show_default=False)] = None,
    parent: Annotated[str | None, typer.Option(help="Only its children.", show_default=False)] = None,
    status: Annotated[str | None, typer.Option(show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after a page.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the experiments, one page."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        page = client.experiments.list(
            kind=kind, status=status, dataset=dataset, parent=parent, limit=limit, cursor=cursor
        )
        if as_json:
            terminal.print_json(page)
            return
        terminal.table(
            ("ID", "KIND", "NAME", "STATUS", "DATASET", "ACCURACY", "STARTED"),
            [
                (
                    row["id"],
                    row["kind"],
                    row["name"],
                    row["status"],
                    row["dataset"],
                    row["metrics"].get("eval/accuracy"),
                    row["started_at"],
                )
                for row in page["data"]
            ],
        )
        terminal.say_where_to_go_on(page["next_cursor"])


@app.command()
def show(experiment: Id, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Show one experiment: state, config, final metrics, artifacts."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = client.experiments.get(experiment)
        if as_json:
            terminal.print_json(found)
            return
        terminal.fields({k: v for k, v in found.items() if k not in ("metrics", "artifacts")})
        show_outcome(client, terminal, found)


@app.command()
def log(
    experiment: Id,
    since: Annotated[int, typer.Option(min=0, help="Only lines after this id.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=5000)] = 1000,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """What has happened to it: states, attempts and why they ended, phases, warnings."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        page = client.experiments.log(experiment, since=since, limit=limit)
        if as_json:
            terminal.print_json(page)
            return
        terminal.table(
            ("TIME", "ATTEMPT", "LEVEL", "WHAT HAPPENED"),
            [(line["recorded_at"], line["attempt"], line["level"], line["message"]) for line in page["data"]],
        )
        if page["has_more"]:
            terminal.say(f"[dim]There is more: --since {page['next_since']}[/]")


@app.command()
def cancel(experiment: Id, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Ask a queued or running experiment to stop."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        found = client.experiments.cancel(experiment)
        terminal.done(f"{experiment} is {found['status']}", found, as_json=as_json)


@app.command()
def retry(
    experiment: Id,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Try a failed or cancelled experiment again, from its last checkpoint, and watch it until it ends."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        watch_unless_detached(client, terminal, client.experiments.retry(experiment), detach, as_json)


@app.command()
def delete(experiment: Id, url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Remove a final experiment with its metrics and artifacts."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        client.experiments.delete(experiment)
        terminal.done(f"removed {experiment}", {"removed": experiment}, as_json=as_json)


@app.command()
def download(
    experiment: Id,
    artifact: Annotated[str, typer.Argument(help="Its name; `show` lists them.", show_default=False)],
    target: Annotated[Path | None, typer.Argument(help="Where to.", show_default="its own name")] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a file an experiment left behind."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        # An artifact's name may hold folders; the file lands here under the last part.
        path = target or Path(Path(artifact).name)
        num_bytes = client.experiments.download(experiment, artifact, path)
        said = f"wrote {escape(str(path))}, {size(num_bytes)}"
        terminal.done(said, {"file": str(path), "bytes": num_bytes}, as_json=as_json)


@app.command()
def report(
    experiment: Id,
    output: Annotated[Path | None, typer.Option(help="Where to.", show_default="<id>.html")] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the report: one HTML page with figures and tables that opens anywhere."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        path = output or Path(f"{experiment}.html")
        num_bytes = client.experiments.download_report(experiment, path)
        said = f"wrote {escape(str(path))}, {size(num_bytes)}"
        terminal.done(said, {"file": str(path), "bytes": num_bytes}, as_json=as_json)


@app.command()
def results(
    experiment: Id,
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file for the whole table.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after a page.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """The result table of a bulk classification: a page as JSON, or all of it as a file."""
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise typer.BadParameter(f"--out: expected a .csv or .parquet file, found {out.name}")
    with connected(url, token) as (client, terminal):
        if out is None:
            terminal.print_json(client.experiments.results(experiment, limit=limit, cursor=cursor))
            return
        num_bytes = client.experiments.download_results(
            experiment, out, format="csv" if out.suffix == ".csv" else "parquet"
        )
        terminal.good(f"wrote {escape(str(out))}, {size(num_bytes)}")


def watch_unless_detached(
    client: Client, terminal: Terminal, experiment: Experiment, detach: bool, as_json: bool
) -> None:
    """Watch an experiment just made to its end, or say its id."""
    if not detach:
        follow_to_the_end(client, terminal, experiment["id"], as_json=as_json)
    elif as_json:
        terminal.print_json(experiment)
    else:
        terminal.good(f"queued [bold]{experiment['id']}[/]")


def follow_to_the_end(client: Client, terminal: Terminal, experiment_id: str, *, as_json: bool) -> None:
    """Watch an experiment and report how it ended.

    Raises:
        typer.Exit: `FAILED` unless it succeeded; `INTERRUPTED` on Ctrl-C, which leaves it running.
    """
    try:
        if as_json:
            experiment = client.wait(experiment_id)
            terminal.print_json(experiment)
        else:
            terminal.say(f"  [bold]{experiment_id}[/]")
            experiment, _ = watch(terminal, client.follow(experiment_id))
            show_outcome(client, terminal, experiment)
    except KeyboardInterrupt:
        terminal.complain(f"Left running. `sip experiments cancel {experiment_id}` stops it.")
        raise typer.Exit(INTERRUPTED) from None
    if experiment["status"] != "succeeded":
        raise typer.Exit(FAILED)


def show_outcome(client: Client, terminal: Terminal, experiment: Experiment) -> None:
    """Print an experiment's scores, or why it failed, and its artifacts."""
    if experiment["error"] is not None:
        error = experiment["error"]
        terminal.bad(f"{experiment['status']}: {escape(error['type'])}: {escape(error['message'])}")
    elif experiment["status"] == "succeeded":
        terminal.good("succeeded")
    if experiment["metrics"].get("eval/accuracy") is not None and experiment["model"] is not None:
        show_scores(terminal, experiment["metrics"], client.models.get(experiment["model"])["num_sources"])
    elif experiment["metrics"]:
        terminal.table(("METRIC", "VALUE"), sorted(experiment["metrics"].items()))
    if experiment["artifacts"]:
        terminal.table(
            ("ARTIFACT", "TYPE", "SIZE"),
            [(a["name"], a["media_type"], size(a["bytes"])) for a in experiment["artifacts"]],
        )
