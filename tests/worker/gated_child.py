"""The process of an attempt at a real kind, which waits at a gate.

Training stops after `GATE_EPOCH` epochs, bulk classification behind as many documents, until the file
``go`` is there or the process is asked to end.
"""

import time
from dataclasses import replace
from pathlib import Path

from db.settings import Settings
from worker import child
from worker.jobs import registry
from worker.jobs.context import JobContext
from worker.jobs.registry import Job

GATE_EPOCH = 5


def gates(settings: Settings) -> Path:
    """Folder of the gate's files: ``reached`` is made by the job, ``go`` by the test."""
    folder = settings.data_dir / "gates"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_at_gate(phase: str, done: int) -> bool:
    """Whether a job that says this of itself waits now."""
    return (phase.startswith("training") and done == GATE_EPOCH) or (
        phase == "classification" and done >= GATE_EPOCH
    )


def find_job(kind: str) -> Job[object]:
    """The real job of a kind, with the gate in its way."""
    job = registry.find_job(kind)

    def run(context: JobContext[object]) -> None:
        report, folder = context.progress, gates(context.settings)

        def progress(phase: str, done: int, total: int, unit: str) -> None:
            report(phase, done, total, unit)
            if is_at_gate(phase, done):
                (folder / "reached").touch()
                while not (folder / "go").exists() and not context.checkpoint_wanted():
                    time.sleep(0.02)

        context.progress = progress  # type: ignore[method-assign]  # the gate's place
        job.run(context)

    return replace(job, run=run)


def main() -> int:
    """Carry out an assignment; returns the exit status."""
    return child.main(find_job)
