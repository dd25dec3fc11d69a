"""A group of commands whose modules are imported when one is asked for: few need what all of them need."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

PLACES = {
    "demo": "cli.demo:demo",
    "serve": "cli.serve:serve",
    "worker": "cli.worker:worker",
    "db": "cli.database:app",
    "gc": "cli.garbage:gc",
    "keys": "cli.keys:app",
    "health": "cli.health:app",
    "datasets": "cli.datasets:app",
    "experiments": "cli.creating:app",
    "metrics": "cli.metrics:metrics",
    "models": "cli.models:app",
    "classify": "cli.texts:classify",
    "embed": "cli.texts:embed",
}
"""Command → module and name of its function, or of the Typer of a group; in the order of the help."""


class LazyGroup(TyperGroup):
    """The commands of `PLACES`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()  # type: ignore[assignment]  # Typer only reads what it hasn't added


class LazyCommands(Mapping[str, TyperCommand | TyperGroup]):
    """Name → command; what comes of a name is imported and built when it is asked for."""

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        module, _, attribute = PLACES[name].partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            group = get_group(found)
            group.name = name
            return group
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = get_command(alone)
        assert isinstance(command, TyperCommand)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)
