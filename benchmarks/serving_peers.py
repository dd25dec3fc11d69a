"""The servers that are compared, each started on a port of its own with the same weights."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.service import open_service
from benchmarks.serving_load import HOST, Payload, answer_to
from client import Client
from sip_model.backbones.bundled import verify_bundled

START_SECONDS = 180.0
OURS = "ours"
QUIET = {"DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0", "HF_HUB_OFFLINE": "1"}
"""The peers reach for no network."""
UNHURRIED = {"SIP_MAX_WAIT_SECONDS": "600", "SIP_MAX_WAITING_TOKENS": str(2**20)}
"""In a closed loop as many wait as there are clients: none is refused, as none is by the peers."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server."""

    name: str
    port: int
    pid: int
    path: str
    fields: dict[str, Any]
    """Of the body, beside `input`."""

    def payload(self, texts: Sequence[str], path: str | None = None, **fields: Any) -> Payload:
        """A request for these texts, to the path of embeddings unless another is given."""
        body = {"input": list(texts), **(self.fields if path is None else fields)}
        return Payload.of(self.port, path or self.path, body, len(texts))

    def vectors(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embeddings, (n, D)."""
        answer = answer_to(self.port, self.payload(texts))
        return np.array([row["embedding"] for row in answer["data"]], np.float32)

    @property
    def peak_bytes(self) -> int:
        """Most memory the process has had since it was started."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system


@contextmanager
def running_peers(infinity: Path | None) -> Iterator[tuple[Client, list[Peer]]]:
    """Ours first, with a client to it, then the others, until the end of the block.

    Args:
        infinity: its virtual environment; None: it is left out.
    """
    folder = str(verify_bundled("minilm"))
    with ExitStack() as stack:
        client = stack.enter_context(open_service(None, None, environment=UNHURRIED))
        port = int(client.base_url.rpartition(":")[2])
        peers = [Peer(OURS, port, _listener(port), "/embed", {"backbone": "minilm"})]
        if infinity is not None:
            for dtype, name in (("bfloat16", "Infinity bf16"), ("float32", "Infinity fp32")):
                options = ["--model-id", folder, "--served-model-name", "minilm", "--dtype", dtype]
                command = [str(infinity / "bin" / "infinity_emb"), "v2", *options, "--device", "cpu"]
                command += ["--engine", "torch", "--host", HOST, "--log-level", "error", "--port"]
                peers.append(stack.enter_context(_started(name, command, {"model": "minilm"})))
        naive = [sys.executable, "-m", "benchmarks.serving_naive", folder]
        peers.append(stack.enter_context(_started("naive", naive, {})))
        yield client, peers


@contextmanager
def _started(name: str, command: list[str], fields: dict[str, Any]) -> Iterator[Peer]:
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, str(port)],
        env=os.environ | QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} doesn't start: {' '.join(command)}")
            time.sleep(0.5)
        yield Peer(name, port, _listener(port), "/embeddings", fields)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def _listener(port: int) -> int:
    """The process that listens on a port."""
    found = next(
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
    )
    assert found is not None, "a process of this user"
    return found
