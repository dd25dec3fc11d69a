"""Experiment kinds that exist in tests only: real jobs in real processes, steered through files."""

import ctypes
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil

from db.tables import JSONObject
from sip_model.corpora.store import Corpus
from sip_model.errors import CorpusError
from worker.jobs.context import JobContext
from worker.jobs.registry import Job

HELD_BYTES = 256 * 1024**2
"""What the job ``hold-memory`` keeps in memory."""


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
    context.progress("gate", 0, 1, "gates")
    (context.scratch / "half-made").write_bytes(b"0" * 1000)
    _say_started(context)
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


def _run_out_of_gpu_memory(context: JobContext[GateConfig]) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def _run_out_of_address_space(context: JobContext[GateConfig]) -> None:
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + 512 * 1024**2, resource.RLIM_INFINITY))
    bytearray(2 * 1024**3)


def _allocate(context: JobContext[GateConfig]) -> None:
    bytearray(4 * 1024**3)


def _read_the_corpus(context: JobContext[GateConfig]) -> None:
    context.metric("corpus/documents", Corpus(context.corpus_path).num_documents)


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
    _say_started(context)
    while True:
        time.sleep(0.05)


def _kill_the_worker(context: JobContext[GateConfig]) -> None:
    template = psutil.Process(os.getppid())
    os.kill(template.ppid(), signal.SIGKILL)
    while True:
        time.sleep(0.05)  # its own end follows


def _hold_memory(context: JobContext[GateConfig]) -> None:
    held = b"1" * HELD_BYTES
    (context.scratch / "half-made").write_bytes(bytes(1000))
    context.metric("train/loss", 0.5, step=0)
    _say_started(context)
    while True:
        context.progress("hold", 0, len(held), "bytes")
        time.sleep(0.02)


def _stick_while_storing(context: JobContext[GateConfig]) -> None:
    # the second file is a pipe nobody writes to, so that storing the results never ends
    first, second = context.scratch / "first", context.scratch / "second"
    first.write_bytes(b"whole")
    os.mkfifo(second)
    context.artifact("first", first, "application/octet-stream")
    context.artifact("second", second, "application/octet-stream")
    _say_started(context)


def _step_through_gates(context: JobContext[GateConfig]) -> None:
    """Takes step n once the gate ``step-n`` is open; keeps a checkpoint only when one is asked for."""
    gates, path = Path(context.config.gates), context.checkpoint_path()
    first = int(path.read_text()) if path.exists() else 0
    if first:
        context.resumed(first)
    _say_started(context)
    with context.writing_checkpoints():
        for step in range(first, context.config.steps):
            while not is_open(gates, f"step-{step}"):
                if context.checkpoint_wanted():
                    path.write_text(str(step))
                    context.keep_checkpoint(path)
                context.progress("train", step, context.config.steps, "steps")
                time.sleep(0.02)
            context.metric("train/loss", 1.0 / (step + 1), step=step)
            open_gate(gates, f"done-{step}-in-{context.attempt}")


def _say_started(context: JobContext[GateConfig]) -> None:
    gates = Path(context.config.gates)
    (gates / f"pid-{context.attempt}").write_text(str(os.getpid()))
    open_gate(gates, f"started-{context.attempt}")


_RUNS: dict[str, Callable[[JobContext[GateConfig]], None]] = {
    "complete": _complete,
    "train": _complete,  # a kind that the HTTP API takes
    "wait": _wait_at_gate,
    "refuse": _refuse,
    "kill-itself": _kill_itself,
    "leave-quietly": _leave_quietly,
    "crash-natively": _crash_in_native_code,
    "out-of-memory": _run_out_of_memory,
    "out-of-gpu-memory": _run_out_of_gpu_memory,
    "out-of-address-space": _run_out_of_address_space,
    "allocate": _allocate,
    "read-corpus": _read_the_corpus,
    "disk-full": _fill_the_disk,
    "missing-file": _leave_a_missing_file,
    "ignore-sigterm": _ignore_sigterm,
    "kill-the-worker": _kill_the_worker,
    "hold-memory": _hold_memory,
    "stick-while-storing": _stick_while_storing,
    "step-through-gates": _step_through_gates,
}


def find_test_job(kind: str) -> Job[object]:
    """The test job of a kind."""
    return cast("Job[object]", Job(GateConfig, _RUNS[kind]))


def config(gates: Path | None = None, steps: int = 3) -> JSONObject:
    """A stored configuration of a test job."""
    return {"gates": str(gates) if gates else "", "steps": steps}
