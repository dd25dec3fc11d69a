"""`sip serve` as a real process, for tests that look at what it starts and stops."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

START_SECONDS = 90.0
STOP_SECONDS = 20.0


class RunningService:
    """A service whose output is read as it comes; `url` is where it listens."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*SERVE, "--port", "0", "--data-dir", str(data_dir), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def url(self) -> str:
        line = next(line for line in self.lines if "listens at" in line)
        return line.split("listens at ")[1].split()[0]

    def parts(self) -> list[psutil.Process]:
        """Every process below this one, and the servers, which have detached themselves."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        servers = [p for p in psutil.process_iter() if str(self.data_dir) in _command_line(p)]
        return list({p.pid: p for p in [*below, *servers] if p.pid != self.process.pid}.values())

    def worker(self) -> psutil.Process | None:
        """The worker, once it has read its settings and taken its title."""
        below = psutil.Process(self.process.pid).children()
        return next((p for p in below if _command_line(p).startswith("sip worker")), None)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())


SERVE = (sys.executable, "-P", "-m", "cli.main", "serve")


@contextmanager
def running_service(data_dir: Path, *options: str) -> Iterator[RunningService]:
    """A service that listens; stopped at the end of the block."""
    service = RunningService(data_dir, *options)
    try:
        until(
            lambda: service.process.poll() is not None or any("listens at" in line for line in service.lines),
            START_SECONDS,
        )
        assert service.process.poll() is None, "\n".join(service.lines)
        yield service
    finally:
        service.close()


def until(condition: Callable[[], object], seconds: float) -> None:
    """Poll until a condition holds; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds:g} s"
        time.sleep(0.02)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
