"""`sip metrics`: measured values as a table."""

from typing import Annotated

import typer

from cli.connecting import DEFAULT_URL, AsJson, Token, Url, connected


def metrics(
    experiment: Annotated[
        list[str] | None, typer.Argument(metavar="[EXPERIMENT]...", help="Ids; else all.", show_default=False)
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name; * matches anything: 'eval/*'. May be repeated.", show_default=False),
    ] = None,
    split: Annotated[str | None, typer.Option(show_default=False)] = None,
    dataset: Annotated[str | None, typer.Option(show_default=False)] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the newest value of each.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=5000)] = 1000,
    since: Annotated[
        str | None, typer.Option(help="Only values after this cursor.", show_default=False)
    ] = None,
    wait_seconds: Annotated[
        float, typer.Option("--wait", min=0, max=30, help="Seconds to wait for something new.")
    ] = 0.0,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Measured values, in the order they were recorded."""
    with connected(url, token, as_json=as_json) as (client, terminal):
        page = client.metrics.poll(
            experiment=experiment,
            name=name,
            split=split,
            dataset=dataset,
            since=since,
            limit=limit,
            latest=latest,
            wait_seconds=wait_seconds,
        )
        if as_json:
            terminal.print_json(page)
            return
        terminal.table(
            ("EXPERIMENT", "NAME", "VALUE", "STEP", "SPLIT", "LAYER", "SEED", "RECORDED"),
            [
                (
                    row["experiment"],
                    row["name"],
                    row["value"],
                    row["step"],
                    row["split"],
                    row["layer"],
                    row["seed"],
                    row["recorded_at"],
                )
                for row in page["data"]
            ],
        )
        if page["has_more"]:
            terminal.say(f"[dim]There is more: --since {page['next_since']}[/]")
