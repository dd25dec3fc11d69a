"""Something of every kind for made-up requests to meet, as nearly all of them would name what isn't there."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from client import Client
from tests.end_to_end.small_corpus import write_small_corpus

Known = Mapping[str, Sequence[str]]
"""Kind of resource → ids and names; `name` for names of files."""

LEXICAL = {"identifier": {"features": "lexical"}, "training": {"epochs": 2}}
SHARE = 0.6
"""Of the requests that could name something known: that do."""
IN_PATHS = {"dataset": "dataset", "experiment": "experiment", "model": "model", "name": "name"}
IN_QUERIES = {"dataset": "dataset", "experiment": "experiment", "parent": "experiment"}
IN_BODIES = {"dataset": "dataset", "model": "model"}


def make_known(url: str, key: str, folder: Path) -> Known:
    """A corpus, a model trained on it and its answers to the same corpus, once all of it is there."""
    with Client(url, key) as client:
        # Read before a made-up request asks for it: nearly all of those then find its name taken.
        client.datasets.builtin("python-docs", "python-docs")
        client.datasets.upload(write_small_corpus(folder / "corpus.jsonl"), "small")
        trained = client.wait(client.experiments.create("train", "small", config=LEXICAL, name="small")["id"])
        assert trained["status"] == "succeeded", trained
        config = {"classify": {"model": "small"}}
        classified = client.wait(client.experiments.create("classify", "small", config=config)["id"])
        # A model is loaded by the first text it is given, which takes its time.
        client.classify("The sea was calm.", model="small")
        client.embed("The sea was calm.", backbone="minilm")
        assert classified["status"] == "succeeded", classified
        found = (trained, classified)
        return {
            "dataset": ["small", client.datasets.get("small")["id"]],
            "experiment": [experiment["id"] for experiment in found],
            "model": ["small", "default", client.models.get("small")["id"]],
            "name": [file["name"] for experiment in found for file in experiment["artifacts"]],
        }


def configuration(known: Known, *, may_wait: bool) -> str:
    """schemathesis.toml: what is asked for by name is often there; only DELETE has to find it itself.

    Args:
        known: what is there.
        may_wait: whether a request may ask to wait for what is to come: half a minute each is too long for
            thousands of requests, and an experiment that nobody runs has no last event.
    """
    named = {f"path.{field}": kind for field, kind in IN_PATHS.items()}
    named |= {f"query.{field}": kind for field, kind in IN_QUERIES.items()}
    named |= {f"body.{field}": kind for field, kind in IN_BODIES.items()}
    lines = [f"[dictionaries.{kind}]\nvalues = {json.dumps(values)}" for kind, values in known.items()]
    for method in ("GET", "POST"):
        lines.append(f'[[operations]]\ninclude-method = "{method}"\n[operations.parameters]')
        lines += [
            f'"{field}" = {{ dictionary = "{kind}", probability = {SHARE} }}' for field, kind in named.items()
        ]
        if not may_wait:
            lines += ['"query.wait" = 0', '"query.follow" = false']
    return "\n".join(lines) + "\n"
