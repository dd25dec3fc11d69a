"""`sip experiments create`: any kind of experiment; a suite by its preset, backbones, datasets and seeds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connecting import DEFAULT_URL, AsJson, Token, Url, connected
from cli.experiment_config import read_config
from cli.experiments import Detach, app, watch_unless_detached

PRETRAINED = "pretrain:"
"""Before a size: a backbone that the suite pre-trains itself."""


@app.command()
def create(
    kind: Annotated[str, typer.Argument(help="train, evaluate, classify, suite, …", show_default=False)],
    dataset: Annotated[
        str | None,
        typer.Option(help="Id or name of a dataset; a suite takes --datasets.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Of a suite: ksc2023, layers, lengths, shots, classes, ngrams or honesty.",
            show_default=False,
        ),
    ] = None,
    backbones: Annotated[
        str | None,
        typer.Option(
            help="Of a suite: ids separated by commas; pretrain:nano is one of that size it trains itself.",
            show_default=False,
        ),
    ] = None,
    datasets: Annotated[
        str | None, typer.Option(help="Of a suite: ids or names, separated by commas.", show_default=False)
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Of a suite: numbers separated by commas.", show_default=False)
    ] = None,
    analyses: Annotated[
        str | None, typer.Option(help="Of a suite: kinds separated by commas.", show_default=False)
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Of a suite: fewer and smaller experiments.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting: chunk.num_words=64. May be repeated.", show_default=False),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A JSON file of config blocks.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="A trained model takes it.", show_default=False)] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of split, weights and order of samples.", show_default=False)
    ] = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Start an experiment, a suite of them for example, and watch it until it ends."""
    blocks = read_config(config, settings or [])
    given: dict[str, Any] = {
        "preset": preset,
        "backbones": [_backbone(each) for each in _parts(backbones)],
        "datasets": _parts(datasets),
        "seeds": [_seed(each) for each in _parts(seeds)],
        "analyses": _parts(analyses),
        "quick": quick,
    }
    given = {key: value for key, value in given.items() if value}
    if kind == "suite":
        blocks["suite"] = {**blocks.get("suite", {}), **given}
    elif given:
        raise typer.BadParameter(f"--{next(iter(given))}: expected with the kind suite only, found {kind!r}")
    with connected(url, token, as_json=as_json) as (client, terminal):
        made = client.experiments.create(kind, dataset, config=blocks or None, name=name, seed=seed)
        watch_unless_detached(client, terminal, made, detach, as_json)


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _backbone(text: str) -> str | dict[str, dict[str, str]]:
    if not text.startswith(PRETRAINED):
        return text
    return {"pretrain": {"size": text.removeprefix(PRETRAINED)}}


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise typer.BadParameter(f"--seeds: expected numbers from 0, found {text!r}")
    return int(text)
