"""A kind of experiment that exists in the storm only: every value it leaves follows from its seed."""

import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from db.tables import JSONObject
from worker.jobs.context import JobContext
from worker.jobs.registry import Job, find_job

KIND = "storm"
METRIC = "train/loss"
_STEPS_PER_CHECKPOINT = 3
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StormConfig:
    """Configuration of the kind."""

    steps: int
    """Steps, one metric row each."""
    seconds: float
    """How long all steps take together."""


def dump(config: StormConfig) -> JSONObject:
    """As it is stored."""
    return {"steps": config.steps, "seconds": config.seconds}


def loss(seed: int, step: int) -> float:
    """The metric's value at a step."""
    return math.sin(seed * 1000 + step)


def digest_after(seed: int, num_steps: int) -> str:
    """What the chain of all steps up to here comes to; no step can be left out or taken twice."""
    digest = hashlib.sha256(str(seed).encode()).hexdigest()
    for step in range(num_steps):
        digest = _next(digest, step)
    return digest


def artifacts(seed: int, steps: int) -> dict[str, bytes]:
    """Name → content of the files it leaves."""
    digest = digest_after(seed, steps)
    report = json.dumps({"steps": steps, "digest": digest})
    return {"report.json": report.encode(), "table.bin": digest.encode() * 1000}


def model_files(seed: int, steps: int) -> dict[str, bytes]:
    """Name → content of its model's files."""
    digest = digest_after(seed, steps)
    return {"weights.bin": bytes.fromhex(digest) * 4000, "nested/notes.txt": digest.encode()}


def find_storm_job(kind: str) -> Job[object]:
    """The kind of the storm, and every real one."""
    return cast("Job[object]", Job(StormConfig, run)) if kind == KIND else find_job(kind)


def run(context: JobContext[StormConfig]) -> None:
    """Take the steps that no earlier attempt has kept, then leave artifacts and a model."""
    steps, path = context.config.steps, context.checkpoint_path()
    first, digest = 0, digest_after(context.seed, 0)
    if path.exists():
        kept = json.loads(path.read_text())
        first, digest = kept["first"], kept["digest"]
        context.resumed(first)
    with context.writing_checkpoints():
        for step in range(first, steps):
            _work(context, step)
            digest = _next(digest, step)
            context.metric(METRIC, loss(context.seed, step), step=step)
            if (step + 1) % _STEPS_PER_CHECKPOINT == 0 or context.checkpoint_wanted():
                path.write_text(json.dumps({"first": step + 1, "digest": digest}))
                context.keep_checkpoint(path)
    if digest != digest_after(context.seed, steps):
        raise ValueError(f"steps: expected each of {steps} once, found another chain")
    for name, content in artifacts(context.seed, steps).items():
        context.artifact(name, _write(context.scratch / name, content), "application/octet-stream")
    folder = context.scratch / "model"
    for name, content in model_files(context.seed, steps).items():
        _write(folder / name, content)
    context.model(folder, None, {"made_by": "storm"}, sources=["a", "b"])


def _work(context: JobContext[StormConfig], step: int) -> None:
    end = time.monotonic() + context.config.seconds / context.config.steps
    while time.monotonic() < end:
        context.progress("train", step, context.config.steps, "steps")
        time.sleep(_PAUSE_SECONDS)


def _next(digest: str, step: int) -> str:
    return hashlib.sha256(f"{digest} {step}".encode()).hexdigest()


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
