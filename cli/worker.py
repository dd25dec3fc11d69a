"""`sip worker`: a worker for a database and a broker that others run too."""

import sys
from typing import Annotated

import typer
from rich.markup import escape

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.lifeline import stop_when_input_ends
from cli.terminal import Terminal
from db.errors import StoreError
from db.settings import Settings


def worker(
    queues: Annotated[
        str | None,
        typer.Option(
            help="Experiments to take: gpu (those that run a language model), cpu, or gpu,cpu.",
            show_default="SIP_QUEUES, else gpu,cpu",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto (a GPU no other worker has), cpu, cuda or cuda:<n>.",
            show_default="SIP_DEVICE, else auto",
        ),
    ] = None,
    settings_from_input: Annotated[bool, typer.Option("--settings-from-input", hidden=True)] = False,
) -> None:
    """Run one worker; SIP_DATABASE_URL and SIP_BROKER_URL say for which service.

    `sip serve` has a worker of its own; further ones, on this machine or on others, share its work when
    it was started with these URLs. SIGTERM hands the running experiment back to the queue.
    """
    try:
        if settings_from_input:
            settings = Settings.model_validate_json(sys.stdin.readline())
            stop_when_input_ends()
        else:
            settings = load_settings(queues=None if queues is None else queues.split(","), device=device)
        settings.require_database_url()
        settings.require_broker_url()
        # Here and not above: other commands needn't wait for a task queue to be imported.
        from worker.celery_app import run_worker

        status = run_worker(settings)
    except StoreError as error:
        Terminal().complain(f"[bold red]The worker can't run[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error
    raise typer.Exit(status)
