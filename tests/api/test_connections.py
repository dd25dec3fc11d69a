"""Connections that send no request, half of one or an endless one, before a real server."""

import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPResponse

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

import api.connections
from api.connections import MAX_HEAD_BYTES, ImpatientProtocol

IDLE = 400
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body to its end and says how long it was."""
    if scope["type"] != "http":
        raise NotImplementedError
    num_bytes, more = 0, True
    while more:
        message = await receive()
        num_bytes += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(num_bytes).encode()})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Of a server that waits a second for a request's head."""
    monkeypatch.setattr(api.connections, "REQUEST_SECONDS", 1.0)
    config = uvicorn.Config(application, http=ImpatientProtocol, ws="none", lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def is_closed(connection: socket.socket, within_seconds: float = 20) -> bool:
    """Whether the other end closes it in time; what it says before is passed over."""
    connection.settimeout(within_seconds)
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def assert_refused(connection: socket.socket, status: int, slug: str) -> None:
    """It answers with this problem, and closes."""
    connection.settimeout(20)
    response = HTTPResponse(connection)
    response.begin()
    assert (response.status, response.getheader("content-type")) == (status, "application/problem+json")
    assert response.getheader("x-content-type-options") == "nosniff"
    assert json.loads(response.read())["type"] == f"/problems/{slug}"
    assert is_closed(connection)


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD, HEAD + b"A: b\r\n" * 10])
def test_a_connection_without_a_whole_head_is_closed(address: tuple[str, int], sent: bytes) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(sent)
        assert is_closed(connection)


def test_one_that_drips_is_closed_as_well(address: tuple[str, int]) -> None:
    began = time.monotonic()
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(HEAD)
        try:
            while time.monotonic() < began + 30:
                connection.sendall(b"A: b\r\n")
                time.sleep(0.1)
        except OSError:
            return
    pytest.fail("it was never closed")


def test_a_head_without_end_is_refused_while_it_comes(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.settimeout(10)
        connection.sendall(HEAD + b"X-Long: " + b"x" * (MAX_HEAD_BYTES + 1))
        assert_refused(connection, 431, "head-too-large")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /?" + b"x" * 80_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="query"),
        pytest.param(HEAD + b"X-Long: " + b"x" * 80_000 + b"\r\n\r\n", id="header"),
        pytest.param(HEAD + b"A: 1234567890\r\n" * 7_000 + b"\r\n", id="headers"),
    ],
)
def test_a_whole_head_that_is_too_long_is_refused_however_it_comes(
    address: tuple[str, int], head: bytes
) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(head)
        assert_refused(connection, 431, "head-too-large")


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"x\r\n\r\n"]
)
def test_what_is_no_http_is_answered_as_every_other_error(address: tuple[str, int], sent: bytes) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(sent)
        assert_refused(connection, 400, "malformed-request")


def test_a_request_may_take_its_time_once_its_head_is_there(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(2.0)
        connection.sendall(b"cd")
        connection.settimeout(10)
        assert b"\r\n4\r\n" in connection.recv(1000)


def test_a_second_request_of_a_connection_is_waited_for_no_longer(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(HEAD + b"\r\n")
        connection.settimeout(10)
        assert connection.recv(1000)
        connection.sendall(HEAD)
        assert is_closed(connection)


def test_others_are_answered_while_many_connections_wait(address: tuple[str, int]) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2 * IDLE + 100
    with ExitStack() as waiting:
        for number in range(IDLE):
            connection = waiting.enter_context(closing(socket.create_connection(address)))
            connection.sendall(HEAD if number % 2 else b"")
        for _ in range(20):
            assert httpx.post(f"http://127.0.0.1:{address[1]}/", content=b"x" * 10, timeout=20).text == "10"
