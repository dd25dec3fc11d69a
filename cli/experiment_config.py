"""An experiment's config from the command line: a JSON file, and single settings on top of it."""

import json
from pathlib import Path
from typing import Any

import typer


def read_config(file: Path | None, settings: list[str]) -> dict[str, Any]:
    """The config blocks to send.

    Args:
        file: a JSON object of blocks, or None.
        settings: ``block.key=value``; a value that is JSON is taken as such, anything else as text.

    Raises:
        typer.BadParameter: a file or setting that can't be read, with what was expected.
    """
    config = _read_file(file) if file is not None else {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise typer.BadParameter(f"--set: expected block.key=value, found {setting!r}")
        block = config
        for key in keys[:-1]:
            block = block.setdefault(key, {})
            if not isinstance(block, dict):
                raise typer.BadParameter(f"--set: {path!r} goes below {key!r}, which holds a value")
        block[keys[-1]] = _value(text)
    return config


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_file(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--config: {file} can't be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise typer.BadParameter(f"--config: expected an object of blocks, found {type(config).__name__}")
    return config
