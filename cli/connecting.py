"""The options every client command has, and how its errors end the command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from cli.terminal import Terminal
from client import DEFAULT_URL, ApiError, Client, ClientError, ConnectionFailedError, Retrying

FAILED = 1
"""Exit code: the service refused, or the experiment didn't succeed."""
UNREACHABLE = 3
"""Exit code: no service answered."""
INTERRUPTED = 130
"""Exit code: Ctrl-C."""

Url = Annotated[str, typer.Option("--url", envvar="SIP_URL", help="Where the service listens.")]
Token = Annotated[
    str | None, typer.Option("--token", envvar="SIP_TOKEN", help="The key to send.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")]

__all__ = ["DEFAULT_URL", "AsJson", "Token", "Url", "connected"]


class Connected(NamedTuple):
    """What a command works with."""

    client: Client
    terminal: Terminal


@contextmanager
def connected(url: str, token: str | None, *, as_json: bool = False) -> Iterator[Connected]:
    """A client and a terminal for one command; the service's errors end the command with a message.

    Args:
        as_json: errors too are printed as one JSON object, on standard error.

    Raises:
        typer.Exit: with `FAILED` or `UNREACHABLE`.
    """
    terminal = Terminal()
    try:
        with Client(url, token, retrying=Retrying(await_first_answer=False)) as client:
            yield Connected(client, terminal)
    except ApiError as error:
        _report_refusal(terminal, error, as_json=as_json)
        raise typer.Exit(FAILED) from error
    except ConnectionFailedError as error:
        hint = f"Is the service running there? `sip serve` starts one; --url names another than {url}."
        _report(terminal, "Unreachable", f"{error}. {hint}", as_json=as_json)
        raise typer.Exit(UNREACHABLE) from error
    except (ClientError, OSError, TimeoutError) as error:
        _report(terminal, "Failed", str(error), as_json=as_json)
        raise typer.Exit(FAILED) from error


def _report(terminal: Terminal, title: str, detail: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"title": title, "detail": detail}), file=terminal.err.file)
    else:
        terminal.complain(f"[bold red]{escape(title)}[/] {escape(detail)}")


def _report_refusal(terminal: Terminal, error: ApiError, *, as_json: bool) -> None:
    if as_json:
        problem = {
            "type": error.type,
            "title": error.title,
            "status": error.status,
            "detail": error.detail,
            "instance": error.request_id,
            "errors": [{"loc": list(e.loc), "msg": e.msg, "type": e.type} for e in error.errors],
        }
        print(json.dumps(problem), file=terminal.err.file)
        return
    terminal.complain(f"[bold red]{error.status} {escape(error.title)}[/] {escape(error.detail)}")
    for field in error.errors:
        terminal.complain(f"  [bold]{escape(field.field)}[/]: {escape(field.msg)}")
    if error.status >= 500 and error.request_id:
        terminal.complain(f"  The service's log tells more under request {escape(error.request_id)}.")
    if error.retry_after_seconds is not None:
        terminal.complain(f"  Try again in {error.retry_after_seconds:g} s.")
