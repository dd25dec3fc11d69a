import gc
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from starlette.types import Receive, Scope, Send

from cli.serve import AnnouncingServer, base_url, listen
from cli.terminal import Terminal
from client import Client
from db.settings import Settings
from tests.cli.service import SERVE, STOP_SECONDS, RunningService, running_service, until


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("serve") / "data") as service:
        yield service


def serve_in_vain(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SERVE, *options], capture_output=True, text=True, timeout=60, check=False)


def close_input(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()


def test_database_broker_and_worker_become_ready_by_themselves(service: RunningService) -> None:
    with Client(service.url) as client:
        until(lambda: client.ready()["status"] == "ok", 60)
        assert {"database", "broker", "workers"} <= set(client.ready().get("checks", {}))


def test_full_collections_walk_through_nothing_that_start_up_has_made(tmp_path: Path) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        for answered in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{answered}.complete"})

    with listen("127.0.0.1", 0) as listener:
        settings = Settings(data_dir=tmp_path, port=listener.getsockname()[1])
        server = AnnouncingServer(application, settings, Terminal())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: gc.get_freeze_count() > 0, 20)
            assert gc.get_freeze_count() > len(gc.get_objects())
        finally:
            server.should_exit = True
            thread.join()
            gc.unfreeze()


def test_a_second_service_on_the_same_folder_says_so(service: RunningService) -> None:
    second = serve_in_vain("--port", "0", "--data-dir", str(service.data_dir))
    assert second.returncode == 1
    assert "in use by another service" in second.stderr
    assert str(service.process.pid) in second.stderr
    with Client(service.url) as client:
        assert client.is_live()


def test_a_worker_that_dies_is_replaced(service: RunningService) -> None:
    until(service.worker, 60)
    first = service.worker()
    assert first is not None
    first.kill()
    until(lambda: (second := service.worker()) is not None and second.pid != first.pid, 60)


def test_neither_arguments_nor_environment_of_the_worker_hold_the_password(service: RunningService) -> None:
    until(service.worker, 60)
    worker = service.worker()
    assert worker is not None
    password = (service.data_dir / "postgres.password").read_text().strip()
    assert password not in " ".join([*worker.cmdline(), *worker.environ().values()])


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(lambda process: process.send_signal(signal.SIGTERM), id="SIGTERM"),
        pytest.param(lambda process: process.send_signal(signal.SIGINT), id="SIGINT"),
        pytest.param(close_input, id="end of its lifeline"),
    ],
)
def test_every_part_stops_with_the_service(
    tmp_path: Path, stop: "Callable[[subprocess.Popen[str]], None]"
) -> None:
    with running_service(tmp_path, "--lifeline") as service:
        until(service.worker, 60)
        parts = service.parts()
        assert len(parts) >= 3
        stop(service.process)
        assert service.process.wait(STOP_SECONDS) == 0
        assert [part for part in parts if psutil.pid_exists(part.pid)] == []
        assert service.lines[-1] == "Stopped."


def test_the_data_is_still_there_after_a_restart(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "a b c", "source": "x"}\n{"text": "d e f", "source": "y"}\n')
    with running_service(tmp_path / "data") as service, Client(service.url) as client:
        dataset = client.datasets.upload(corpus, "mine")
    with running_service(tmp_path / "data") as service, Client(service.url) as client:
        assert client.datasets.get("mine") == dataset


def test_a_taken_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = serve_in_vain("--port", port, "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert f"can't listen on 127.0.0.1 port {port}" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_without_a_worker_the_servers_must_be_ones_that_workers_elsewhere_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIP_DATABASE_URL", raising=False)
    monkeypatch.delenv("SIP_BROKER_URL", raising=False)
    refused = serve_in_vain("--workers", "0", "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "SIP_DATABASE_URL: expected a postgresql+psycopg:// URL; found nothing" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_without_a_worker_the_service_leaves_experiments_to_others(
    tmp_path: Path, database_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIP_DATABASE_URL", database_url)
    monkeypatch.setenv("SIP_BROKER_URL", broker_url)
    with running_service(tmp_path, "--workers", "0") as service, Client(service.url) as client:
        checks = client.ready().get("checks", {})
        assert checks["broker"]["status"] == "ok"
        assert checks["workers"]["status"] == "degraded"
        assert psutil.Process(service.process.pid).children() == []


def test_several_workers_share_out_the_cores_and_end_with_the_service(
    tmp_path: Path, database_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIP_DATABASE_URL", database_url)
    monkeypatch.setenv("SIP_BROKER_URL", broker_url)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("SPT_NOENV", "1")  # the processes' titles leave their environments readable
    with running_service(tmp_path, "--workers", "2") as service, Client(service.url) as client:
        until(lambda: "2 seen" in str(client.ready().get("checks", {})["workers"]), 60)
        workers = psutil.Process(service.process.pid).children()
        assert len(workers) == 2
        share = str(max(1, len(os.sched_getaffinity(0)) // 2))
        assert {worker.environ()["OMP_NUM_THREADS"] for worker in workers} == {share}
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_a_client_on_this_machine_reaches_every_address(host: str, url: str) -> None:
    assert base_url(host, 80) == url
