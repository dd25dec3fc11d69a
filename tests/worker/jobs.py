"""Experiment kinds that exist in tests only: real jobs in real processes, steered through files."""

import ctypes
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from db.tables import JSONObject
from sip_model.errors import CorpusError
from worker.jobs.context import JobContext
from worker.jobs.registry import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """Configuration of every test job."""

    gates: str = ""
    """Folder of the files it is steered through."""
    steps: int = 3


def open_gate(folder: Path, name: str) -> None:
    """Let whoever waits at this gate pass."""
    (folder / name).touch()


def is_open(folder: Path, name: str) -> bool:
    """Whether the gate was opened, which a job also does to say where it is."""
    return (folder / name).exists()


def _complete(context: JobContext[GateConfig]) -> None:
    for step in range(context.config.steps):
        context.progress("train", step + 1, context.config.steps, "steps")
        context.metric("train/loss", 1.0 / (step + 1), step=step)
    context.metric("eval/accuracy", 0.75, split="test")
    context.metric("eval/nan", float("nan"))
    report = context.scratch / "report.json"
    report.write_text(json.dumps({"lines": len(context.corpus_path.read_text().splitlines())}))
    context.artifact("report.json", report, "application/json")
    folder = context.scratch / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(range(256)))
    context.model(folder, None, {"made_by": "test"}, sources=["a", "b"])


def _wait_at_gate(context: JobContext[GateConfig]) -> None:
    gates = Path(context.config.gates)
    context.metric("train/loss", float(context.attempt), step=context.attempt)
    (gates / f"pid-{context.attempt}").write_text(str(os.getpid()))
    context.progress("gate", 0, 1, "gates")
    (context.scratch / "half-made").write_bytes(b"0" * 1000)
    open_gate(gates, f"started-{context.attempt}")
    while not is_open(gates, "go"):
        time.sleep(0.02)
        context.progress("gate", 0, 1, "gates")
    _complete(context)


def _refuse(context: JobContext[GateConfig]) -> None:
    context.metric("train/loss", 0.5, step=0)
    raise CorpusError(("line 3", "source"), "a name", "nothing", "Name the source")


def _kill_itself(context: JobContext[GateConfig]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _leave_quietly(context: JobContext[GateConfig]) -> None:
    os._exit(0)


def _crash_in_native_code(context: JobContext[GateConfig]) -> None:
    ctypes.string_at(0)


def _run_out_of_memory(context: JobContext[GateConfig]) -> None:
    raise MemoryError


def _fill_the_disk(context: JobContext[GateConfig]) -> None:
    with Path("/dev/full").open("wb", buffering=0) as stream:
        stream.write(b"0")


def _leave_a_missing_file(context: JobContext[GateConfig]) -> None:
    folder = context.scratch / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"half")
    context.model(folder, None, {}, sources=["a", "b"])
    context.artifact("first", folder / "weights.bin", "application/octet-stream")
    context.artifact("missing", context.scratch / "missing", "application/octet-stream")


def _ignore_sigterm(context: JobContext[GateConfig]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open_gate(Path(context.config.gates), f"started-{context.attempt}")
    while True:
        time.sleep(0.05)


_RUNS: dict[str, Callable[[JobContext[GateConfig]], None]] = {
    "complete": _complete,
    "wait": _wait_at_gate,
    "refuse": _refuse,
    "kill-itself": _kill_itself,
    "leave-quietly": _leave_quietly,
    "crash-natively": _crash_in_native_code,
    "out-of-memory": _run_out_of_memory,
    "disk-full": _fill_the_disk,
    "missing-file": _leave_a_missing_file,
    "ignore-sigterm": _ignore_sigterm,
}


def find_test_job(kind: str) -> Job[object]:
    """The test job of a kind."""
    return cast("Job[object]", Job(GateConfig, _RUNS[kind]))


def config(gates: Path | None = None, steps: int = 3) -> JSONObject:
    """A stored configuration of a test job."""
    return {"gates": str(gates) if gates else "", "steps": steps}
