"""A real server process: it ends its long polls when it is told to stop."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from sqlalchemy import text

from db.session import Database
from db.settings import Settings

SERVER = """
import sys, uvicorn
from api.app import create_app
from db.settings import Settings
app = create_app(Settings.model_validate_json(sys.stdin.read()))
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_live(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if client.get("/health/live").status_code == 200:
                return
        except httpx.TransportError:
            continue  # not listening yet
    raise TimeoutError("the server did not come up within 60 s")


def wait_until_polling(database: Database) -> None:
    """Until another connection listens, which the first waiting poll makes it do."""
    listening = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with database.session() as session:
            if session.scalar(listening):
                return
    raise TimeoutError("no poll reached the database within 30 s")


def test_sigterm_answers_a_waiting_poll_and_ends_the_server(settings: Settings, database: Database) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)], cwd=ROOT, stdin=subprocess.PIPE, env=dict(os.environ)
    )
    try:
        assert server.stdin is not None
        server.stdin.write(settings.model_dump_json().encode())
        server.stdin.close()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=40) as client:
            wait_until_live(client)
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(client.get, "/metrics", params={"wait": 30})
                wait_until_polling(database)
                started = time.monotonic()
                server.send_signal(signal.SIGTERM)
                assert waiting.result(timeout=10).json()["data"] == []
                server.wait(timeout=10)
                assert time.monotonic() - started < 10
    finally:
        server.kill()
        server.wait()
