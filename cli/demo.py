"""`sip demo`: the whole path, from a corpus to source distributions, in one command."""

import socket
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli import demo_steps
from cli.configuration import load_settings
from cli.connecting import FAILED, INTERRUPTED
from cli.curl import curl
from cli.demo_steps import StepFailedError
from cli.serve import ServiceStartError, base_url, listen
from cli.service_process import ServiceFailedError, ServiceProcess
from cli.signals import Terminated, stoppable, undisturbed
from cli.terminal import Terminal
from client import Client, ClientError
from db.errors import StoreError

HOST = "127.0.0.1"
FAILURES = (StoreError, ServiceStartError, ServiceFailedError, StepFailedError, ClientError, OSError)
"""What ends the demo with a message instead of a traceback."""


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop the service at the end; exit 0 if every step worked, else 1.")
    ] = False,
    dataset: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="A corpus file of yours instead of the built-in python-docs.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Where to listen.", show_default="8000, else any free one"),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept.", show_default="SIP_DATA_DIR, else ./.sip")
    ] = None,
) -> None:
    """Start the service, train an identifier on real text and ask it where unseen passages come from."""
    terminal = Terminal()
    try:
        settings = load_settings(data_dir=data_dir)
        chosen = choose_port(port)
        with stoppable():
            run_demo(terminal, settings.data_dir, chosen, dataset, once=once)
    except (KeyboardInterrupt, Terminated):
        terminal.say()
        terminal.say("Stopped.")
        raise typer.Exit(INTERRUPTED) from None
    except FAILURES as error:
        terminal.bad(escape(str(error)))
        raise typer.Exit(FAILED) from error


def run_demo(terminal: Terminal, data_dir: Path, port: int, file: Path | None, *, once: bool) -> None:
    """Start the service, take every step, and stop the service at the end or at Ctrl-C.

    Raises:
        ServiceFailedError: the service didn't start, or ended.
        StepFailedError: a step gave no usable result.
        ClientError: a request failed.
    """
    service = ServiceProcess(data_dir, port, data_dir / "service.log")
    with Client(base_url(HOST, port)) as client:
        try:
            service.start()
            terminal.heading("1. Start the service")
            terminal.command(f"sip serve --port {port} --data-dir {data_dir}")
            with terminal.busy("PostgreSQL, Redis, a worker and the API start"):
                service.wait_until_ready(client)
            terminal.good(f"it listens at [bold]{client.base_url}[/]")
            terminal.command(curl(f"{client.base_url}/health/ready"))
            model = take_steps(client, terminal, file)
            if not once:
                say_what_is_next(terminal, client.base_url, model)
                service.wait()
        finally:
            with undisturbed():
                service.stop()
    terminal.say()
    terminal.good("every step worked; the service is stopped")


def take_steps(client: Client, terminal: Terminal, file: Path | None) -> str:
    """The steps between a running service and an answer; returns the model as `name@version`."""
    terminal.heading("2. Add a corpus")
    dataset = demo_steps.add_corpus(client, terminal, file)
    terminal.heading("3. Train a source identifier")
    experiment = demo_steps.train(client, terminal, dataset)
    terminal.heading("4. How good is it? Passages it has never seen, beside chance and a lexical baseline")
    trained = demo_steps.show_results(client, terminal, experiment)
    model = f"{trained['name']}@{trained['version']}"
    terminal.heading("5. Where do these unseen passages come from?")
    demo_steps.classify_unseen(client, terminal, experiment, model)
    terminal.heading("6. And texts from no source it knows?")
    demo_steps.classify_strangers(client, terminal, model)
    return model


def say_what_is_next(terminal: Terminal, url: str, model: str) -> None:
    """What can be done with the service that is left running."""
    terminal.heading("The service keeps running until you press Ctrl-C")
    terminal.say(f"  Its API, with a form for each request: {url}/docs")
    terminal.command(f"sip classify --url {url} --model {model} 'A text of yours'")
    terminal.command(f"sip datasets add --url {url} yours.jsonl")


def choose_port(wanted: int | None) -> int:
    """The port asked for; without one 8000, or any free port when 8000 is taken.

    Raises:
        ServiceStartError: the port asked for is taken.
    """
    if wanted is not None:
        listen(HOST, wanted).close()
        return wanted
    try:
        listener = listen(HOST, 8000)
    except ServiceStartError:
        listener = socket.create_server((HOST, 0))
    with listener:
        return int(listener.getsockname()[1])
