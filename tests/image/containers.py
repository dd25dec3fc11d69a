"""Containers of the image, started as docker-compose.yml starts them but on the network of this machine."""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
MIGRATION_SECONDS = 120.0


def compose_services() -> dict[str, dict[str, Any]]:
    """Every service of docker-compose.yml, anchors resolved."""
    services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return services


def seconds(duration: str) -> int:
    """A duration of the Compose file, which all are whole seconds: ``60s``."""
    return int(duration.removesuffix("s"))


class Container:
    """A running container of one service.

    Args:
        name: of the container.
        service: of docker-compose.yml.
    """

    def __init__(self, name: str, service: str) -> None:
        self.name = name
        self.service = service
        self.grace_seconds = seconds(compose_services()[service]["stop_grace_period"])

    @property
    def logs(self) -> str:
        """All it wrote."""
        done = subprocess.run(
            ["docker", "logs", self.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def health(self) -> str:
        """``starting``, ``healthy`` or ``unhealthy``."""
        return str(self._state()["Health"]["Status"])

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return bool(self._state()["Running"])

    def run(self, *command: str) -> str:
        """Run a command in it; its standard output. `CalledProcessError` when it fails."""
        return docker("exec", self.name, *command)

    def stop(self) -> float:
        """SIGTERM, SIGKILL after the grace period; returns the seconds it took.

        Raises `AssertionError` unless it ended by itself, with 0.
        """
        began = time.monotonic()
        docker("stop", "--time", str(self.grace_seconds), self.name)
        took = time.monotonic() - began
        state = self._state()
        assert state["ExitCode"] == 0, f"{self.service} ended with {state['ExitCode']}:\n{self.logs}"
        return took

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .State}}", self.name))
        return state


class Project:
    """What belongs to one run: the image, the settings, the volumes, the containers.

    Args:
        image: its tag.
        environment: wins over that of docker-compose.yml.
    """

    def __init__(self, image: str, environment: Mapping[str, str]) -> None:
        self._image = image
        self._environment = environment
        self._name = f"sip-check-{uuid.uuid4().hex[:8]}"
        self._containers: list[str] = []

    def finish(self, service: str) -> str:
        """Run a service that ends by itself; returns what it printed."""
        options = [*self._options(service), "--rm"]
        return docker("run", *options, self._image, *self._command(service), timeout=MIGRATION_SECONDS)

    def start(self, service: str) -> Container:
        """Start a service."""
        name = f"{self._name}-{service}-{len(self._containers)}"
        self._containers.append(name)
        docker(
            "run", "--detach", "--name", name, *self._options(service), self._image, *self._command(service)
        )
        return Container(name, service)

    def close(self) -> None:
        """Remove the containers and their volumes."""
        for name in self._containers:
            docker("rm", "--force", name)
        for volume in docker("volume", "ls", "--quiet", "--filter", f"name={self._name}").split():
            docker("volume", "rm", volume)

    def _command(self, service: str) -> Sequence[str]:
        command: list[str] = compose_services()[service]["command"]
        return command

    def _options(self, service: str) -> list[str]:
        # Without --init, which Compose adds: the service itself has to be able to be process 1.
        described = compose_services()[service]
        options = ["--network=host"]
        options += ["--read-only"] if described["read_only"] else []
        options += [f"--cap-drop={name}" for name in described["cap_drop"]]
        options += [f"--security-opt={option}" for option in described["security_opt"]]
        options += [f"--tmpfs={folder}" for folder in described["tmpfs"]]
        options += [f"--volume={self._name}-{volume}" for volume in described["volumes"]]
        options += [f"--env={name}={value}" for name, value in self._environment.items()]
        options += _health_options(described.get("healthcheck", {}))
        return options


@contextmanager
def project(image: str, environment: Mapping[str, str]) -> Iterator[Project]:
    """A project whose containers and volumes are gone after the block."""
    opened = Project(image, environment)
    try:
        yield opened
    finally:
        opened.close()


def docker(*arguments: str, timeout: float = 120.0) -> str:
    """Standard output of a `docker` command; `AssertionError` with its errors when it fails."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def _health_options(check: Mapping[str, Any]) -> list[str]:
    if check.get("disable"):
        return ["--no-healthcheck"]
    # Asked more often than in earnest, so that nobody waits for the answer; without a test the image's own.
    own = [f"--health-cmd={' '.join(check['test'][1:])}"] if "test" in check else []
    return [*own, "--health-interval=2s", "--health-timeout=15s", "--health-start-period=60s"]
