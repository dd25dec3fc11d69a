"""`sip serve`: the whole service in one command."""

import errno
import gc
import ipaddress
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.markup import escape
from starlette.types import ASGIApp

from cli.configuration import load_settings
from cli.connecting import FAILED
from cli.lifeline import stop_when_input_ends
from cli.servers import running_servers
from cli.signals import Terminated, stoppable, undisturbed
from cli.terminal import Terminal
from cli.worker_process import running_workers
from db.errors import StoreError
from db.logs import set_up_logging
from db.process_limits import allow_open_files, forbid_core_dumps
from db.settings import Settings

DRAIN_SECONDS = 3
"""Time requests in flight have to end once the service is told to stop."""


class ServiceStartError(Exception):
    """The service can't start; the message says why and what to do."""


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default="SIP_HOST, else 127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0: any free one.", show_default="SIP_PORT, else 8000"),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept.", show_default="SIP_DATA_DIR, else ./.sip")
    ] = None,
    allow_anyone: Annotated[
        bool, typer.Option("--allow-anyone", help="Listen beyond this machine and ask for no key.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=64,
            help="Workers it runs, which share out the cores. With 0, SIP_DATABASE_URL and SIP_BROKER_URL "
            "are needed.",
        ),
    ] = 1,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Run the service: HTTP API, workers and, unless URLs are set, its own PostgreSQL and Redis.

    Everything else is set by SIP_* environment variables. Ctrl-C or SIGTERM stops it all.
    """
    terminal = Terminal()
    try:
        settings = load_settings(host=host, port=port, data_dir=data_dir, allow_anyone=allow_anyone or None)
        set_up_logging(settings, "api")
        forbid_core_dumps()
        allow_open_files()
        if lifeline:
            stop_when_input_ends()
        run_service(settings, terminal, workers=workers)
    except (StoreError, ServiceStartError, OSError) as error:
        terminal.complain(f"[bold red]The service can't run[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error


def run_service(settings: Settings, terminal: Terminal, *, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then stop all parts.

    Args:
        workers: how many it runs; 0 leaves the experiments to workers that are started elsewhere.

    Raises:
        ServiceStartError: the address can't be listened on, or needs keys and there is none.
        StoreError: the database can't be started, reached or migrated.
    """
    # Here and not above: `sip --help` needn't wait for a web framework and a tensor library.
    from setproctitle import setproctitle

    from api.app import create_app
    from db.migrate import upgrade

    setproctitle("sip api")
    if workers == 0:
        # Workers started elsewhere can't reach the embedded servers: these listen on sockets of this folder.
        settings.require_database_url()
        settings.require_broker_url()
    with stoppable():
        parts = ExitStack()
        try:
            listener = parts.enter_context(listen(settings.host, settings.port))
            settings = settings.model_copy(update={"port": listener.getsockname()[1]})
            settings = parts.enter_context(running_servers(settings))
            upgrade(settings.require_database_url())
            require_live_key(settings)
            app = create_app(settings)
            parts.enter_context(running_workers(settings, workers))
            AnnouncingServer(app, settings, terminal).run(sockets=[listener])
        except (KeyboardInterrupt, Terminated):
            terminal.say("Stopping …")
        finally:
            with undisturbed():
                parts.close()
    terminal.say("Stopped.")


def require_live_key(settings: Settings) -> None:
    """Raise `ServiceStartError` when requests would need a key and there is none that is live."""
    from api.keys import asks_for_keys
    from db import keys
    from db.session import Database

    if not asks_for_keys(settings):
        return
    database = Database(settings.require_database_url(), pool_size=1)
    try:
        with database.session() as session:
            found = keys.has_live(session)
    finally:
        database.close()
    if not found:
        raise ServiceStartError(
            f"keys: expected one at least, as requests to {settings.host} need one; found none. "
            "`sip keys create first --scopes admin` makes one; "
            "--allow-anyone serves without keys, to all who reach this address"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address before anything else is started.

    Raises:
        ServiceStartError: the port is taken or the address isn't this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        hint = (
            "Another program listens there; --port chooses another" if error.errno == errno.EADDRINUSE else ""
        )
        raise ServiceStartError(
            f"can't listen on {host} port {port}: {error.strerror}. {hint}".rstrip(". ")
        ) from error
    return listener


class AnnouncingServer(uvicorn.Server):
    """Says where the service is once it listens."""

    def __init__(self, app: ASGIApp, settings: Settings, terminal: Terminal) -> None:
        from api.connections import ImpatientProtocol

        config = uvicorn.Config(
            app,
            http=ImpatientProtocol,
            ws="none",
            log_config=None,
            access_log=False,  # the app logs each request with its id
            timeout_graceful_shutdown=DRAIN_SECONDS,
            server_header=False,
        )
        super().__init__(config)
        self._settings = settings
        self._terminal = terminal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        # What start-up has made stays. A full collection halts every request, and needn't walk through that.
        gc.collect()
        gc.freeze()
        url = base_url(self._settings.host, self._settings.port)
        self._terminal.say(f"The service listens at [bold]{url}[/] (API: {url}/docs). Ctrl-C stops it.")
        self._terminal.say(f"[dim]Everything is kept in {escape(str(self._settings.data_dir))}[/]")


def base_url(host: str, port: int) -> str:
    """Where a client on this machine reaches a service bound to `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://{address}:{port}" if address.version == 4 else f"http://[{address}]:{port}"
