from pathlib import Path

import pytest

from cli.serve import base_url, listen
from cli.service_process import ServiceFailedError, ServiceProcess
from client import Client


def free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def test_a_service_is_ready_once_it_has_a_worker_and_is_gone_after_stop(tmp_path: Path) -> None:
    port = free_port()
    service = ServiceProcess(tmp_path / "data", port, tmp_path / "data" / "service.log")
    with Client(base_url("127.0.0.1", port)) as client:
        service.start()
        try:
            service.wait_until_ready(client)
            assert client.ready().get("checks", {})["workers"]["status"] == "ok"
        finally:
            service.stop()
    assert service.log.read_text().splitlines()[-1] == "Stopped."


def test_a_service_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("not a database")
    (tmp_path / "serve.lock").mkdir()
    port = free_port()
    service = ServiceProcess(tmp_path, port, tmp_path / "service.log")
    with Client(base_url("127.0.0.1", port)) as client:
        service.start()
        try:
            with pytest.raises(
                ServiceFailedError, match="the service ended with exit code 1; the end of its log"
            ):
                service.wait_until_ready(client)
        finally:
            service.stop()
