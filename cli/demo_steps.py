"""The steps of `sip demo`, each a request or two and what came of it."""

import hashlib
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from rich.markup import escape

from cli.curl import curl
from cli.datasets import describe_size, name_of
from cli.distributions import quote, show_distribution
from cli.scores import show_scores
from cli.strangers import STRANGERS
from cli.terminal import Terminal
from cli.watching import watch
from client import ApiError, Client
from client.answers import Dataset, Experiment, Model
from client.progress import duration

BUILTIN = "python-docs"
TRAINING_TIMEOUT_SECONDS = 3600.0
NUM_SHOWN = 3
"""Passages whose distributions are drawn; all are classified."""


class StepFailedError(Exception):
    """A step of the demo didn't work; the message says which and why."""


class Passage(TypedDict):
    """A passage of the test part, which the model has never seen, and where it really comes from."""

    text: str
    source: str
    document: str


def add_corpus(client: Client, terminal: Terminal, file: Path | None) -> Dataset:
    """Have a corpus in the service: the built-in one, or a file of the user's.

    A file's dataset is named by its content too, so that a changed file becomes a dataset of its own.
    """
    url = f"{client.base_url}/datasets"
    if file is None:
        name = BUILTIN
        terminal.command(curl(url, body={"name": name, "from": {"builtin": BUILTIN}}))
    else:
        with file.open("rb") as stream:
            name = f"{name_of(file)}-{hashlib.file_digest(stream, 'sha256').hexdigest()[:8]}"
        terminal.command(curl(url, form={"name": name, "file": f"@{file}"}))
    try:
        dataset = client.datasets.get(name)
        terminal.good(f"[bold]{escape(name)}[/] is there already: {describe_size(dataset)}")
        return dataset
    except ApiError as error:
        if error.status != 404:
            raise
    started_at = time.monotonic()
    with terminal.busy(
        "The service reads the documentation of installed Python packages"
        if file is None
        else "The service reads the file"
    ):
        dataset = client.datasets.builtin(BUILTIN) if file is None else client.datasets.upload(file, name)
    took = duration(time.monotonic() - started_at)
    terminal.good(f"[bold]{escape(name)}[/]: {describe_size(dataset)} [dim]({took})[/]")
    return dataset


def train(client: Client, terminal: Terminal, dataset: Dataset) -> Experiment:
    """Train an identifier with the defaults and show it happen.

    Raises:
        StepFailedError: the experiment failed or was cancelled.
    """
    url = client.base_url
    terminal.command(curl(f"{url}/experiments", body={"kind": "train", "dataset": dataset["name"]}))
    started_at = time.monotonic()
    queued = client.experiments.create("train", dataset["name"])
    terminal.command(curl(f"{url}/metrics?experiment={queued['id']}&wait=10"))
    updates = client.follow(queued["id"], poll_seconds=1.0, timeout_seconds=TRAINING_TIMEOUT_SECONDS)
    experiment, _ = watch(terminal, updates)
    if experiment["status"] != "succeeded":
        error = experiment["error"]
        reason = f": {error['type']}: {error['message']}" if error else ""
        raise StepFailedError(f"the experiment {experiment['id']} {experiment['status']}{reason}")
    terminal.good(f"trained in {duration(time.monotonic() - started_at)}")
    return experiment


def show_results(client: Client, terminal: Terminal, experiment: Experiment) -> Model:
    """Print the scores on the test part; returns the trained model.

    Raises:
        StepFailedError: the experiment left no model.
    """
    if experiment["model"] is None:
        raise StepFailedError(f"the experiment {experiment['id']} left no model")
    terminal.command(curl(f"{client.base_url}/experiments/{experiment['id']}"))
    model = client.models.get(experiment["model"])
    show_scores(terminal, experiment["metrics"], model["num_sources"])
    return model


def classify_unseen(client: Client, terminal: Terminal, experiment: Experiment, model: str) -> None:
    """Ask the model where passages of the test part come from."""
    passages = _read_unseen(client, experiment)
    texts = [passage["text"] for passage in passages]
    terminal.command(curl(f"{client.base_url}/classify", body={"input": texts[0], "model": model}))
    results = client.classify(texts, model=model)["results"]
    right = [
        result["distribution"][0]["source"] == passage["source"]
        for passage, result in zip(passages, results, strict=True)
    ]
    # Spread over the list: neighbours in it may come from the same source.
    for number in sorted({round(i * (len(passages) - 1) / max(NUM_SHOWN - 1, 1)) for i in range(NUM_SHOWN)}):
        passage = passages[number]
        room = max(terminal.num_columns - len(passage["source"]) - 10, 20)
        terminal.say(f"  {quote(passage['text'], room)} [dim]from[/] {escape(passage['source'])}")
        show_distribution(terminal, results[number], truth=passage["source"])
    terminal.good(f"the right source comes first for {sum(right)} of {len(right)} unseen passages")


def classify_strangers(client: Client, terminal: Terminal, model: str) -> None:
    """Ask the model about texts from none of its sources."""
    terminal.command(curl(f"{client.base_url}/classify", body={"input": STRANGERS[0], "model": model}))
    results = client.classify(STRANGERS, model=model, top_k=2)["results"]
    for text, result in zip(STRANGERS, results, strict=True):
        terminal.say(f"  {quote(text, terminal.num_columns - 4)}")
        show_distribution(terminal, result)


def _read_unseen(client: Client, experiment: Experiment) -> list[Passage]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "unseen.jsonl"
        client.experiments.download(experiment["id"], file.name, file)
        passages: list[Passage] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    if not passages:
        raise StepFailedError(f"the experiment {experiment['id']} left no unseen passages")
    return passages
