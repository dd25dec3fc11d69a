import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.connecting import INTERRUPTED
from cli.demo import choose_port, take_steps
from cli.demo_steps import StepFailedError
from cli.serve import ServiceStartError, listen
from cli.terminal import Terminal
from client import Client
from tests.client.stand_in import StandIn


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


def test_every_step_shows_its_request_and_its_result(
    client: Client, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_steps(client, Terminal(), None) == "stand-in@1"
    shown = capsys.readouterr().out
    for request in (
        "/datasets",
        "/experiments",
        "/metrics?experiment=exp_0&wait=10",
        "/experiments/exp_0",
        "/classify",
    ):
        assert f"{client.base_url}{request}" in shown
    assert "python-docs: 1 documents of 60 sources" in shown
    assert "38.4 x chance and 1.28 x the lexical baseline" in shown
    assert "the right source comes first for 5 of 5 unseen passages" in shown
    assert shown.count("no known source") == 6


def test_a_corpus_that_is_there_already_is_used_again(
    client: Client, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    take_steps(client, Terminal(), None)
    take_steps(client, Terminal(), None)
    assert len(stand_in.datasets) == 1
    assert "is there already" in capsys.readouterr().out


def test_a_changed_file_becomes_a_dataset_of_its_own(
    client: Client, stand_in: StandIn, tmp_path: Path
) -> None:
    corpus = tmp_path / "mine.jsonl"
    for text in ("{}\n", "{}\n{}\n", "{}\n"):
        corpus.write_text(text)
        take_steps(client, Terminal(), corpus)
    assert [name.split("-")[0] for name in stand_in.datasets] == ["mine", "mine"]


def test_a_failed_training_ends_the_demo_with_its_reason(client: Client, stand_in: StandIn) -> None:
    stand_in.ends_as = "failed"
    with pytest.raises(StepFailedError, match="exp_0 failed: CorpusError: sources: expected 2 or more"):
        take_steps(client, Terminal(), None)


def test_a_port_that_is_taken_is_refused_when_asked_for_and_avoided_otherwise() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(ServiceStartError, match=f"can't listen on 127.0.0.1 port {port}"):
            choose_port(port)
    assert choose_port(None) > 0


@pytest.fixture
def heard_interrupt() -> Iterator[None]:
    """Processes started meanwhile hear SIGINT, even where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_interrupt")
def test_ctrl_c_stops_the_demo_and_its_service(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    words = [sys.executable, "-P", "-m", "cli.main", "demo", "--data-dir", str(data_dir)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, bufsize=1) as demo:
        try:
            assert demo.stdout is not None
            assert any("2. Add a corpus" in line for line in demo.stdout)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == INTERRUPTED
            assert demo.stdout.read().endswith("Stopped.\n")
        finally:
            demo.kill()
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if str(data_dir) in line] == []
