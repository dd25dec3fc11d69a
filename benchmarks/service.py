"""The service a benchmark speaks to: one that runs already, or one of its own on a folder that is removed."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.demo import HOST
from cli.serve import base_url, listen
from cli.service_process import ServiceProcess
from client import Client, ConnectionFailedError


@contextmanager
def open_service(
    url: str | None,
    port: int | None,
    folder: Path | None = None,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Client]:
    """A client of a service that can run experiments.

    Args:
        url: where a service runs; None: one is started, and stopped at the end of the block.
        port: where the started one listens; None: any free port.
        folder: where the started one keeps its data from one time to the next; None: it is removed.
        workers: of the started one.
        environment: settings of the started one that differ from this process's, by their variables.

    Raises:
        ServiceFailedError: the started one isn't ready in time, or ended too early; with the end of its log.
    """
    if url is not None:
        with Client(url) as client:
            yield client
        return
    with listen(HOST, port or 0) as listener:
        chosen: int = listener.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="sip-benchmark-") as removed:
        data_dir = (folder or Path(removed)) / "data"
        service = ServiceProcess(data_dir, chosen, data_dir / "service.log", workers, environment)
        with Client(base_url(HOST, chosen)) as client:
            try:
                service.start()
                service.wait_until_ready(client)
                yield client
            except ConnectionFailedError:
                service.check()  # says how it ended, if it has
                raise
            finally:
                service.stop()
