"""The process of an attempt at a real kind, which writes down every text that goes through a backbone, and
whose trainings under `GATED_SEED` wait at a gate.
"""

import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path

from db.settings import Settings
from sip_model.backbones.extraction import Extraction
from tests.worker.gated_child import gates
from worker import child
from worker.jobs import registry
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader
from worker.jobs.registry import Job

GATED_SEED = 1


def reading_log(settings: Settings) -> Path:
    """A line for each text read: the backbone's id and the text's SHA-256."""
    return gates(settings) / "read.jsonl"


def sha256_of(text: str) -> str:
    """What stands in the log for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_job(kind: str) -> Job[object]:
    """The real job of a kind, watched."""
    job = registry.find_job(kind)

    def run(context: JobContext[object]) -> None:
        report, folder = context.progress, gates(context.settings)

        def progress(phase: str, done: int, total: int, unit: str) -> None:
            report(phase, done, total, unit)
            if context.seed == GATED_SEED and phase.startswith("training"):
                (folder / f"reached-{context.experiment_id}").touch()
                while not (folder / "go").exists():
                    time.sleep(0.02)

        context.progress = progress  # type: ignore[method-assign]  # the gate's place
        job.run(context)

    return replace(job, run=run)


def _log_what_is_read() -> None:
    compute = BackboneReader._compute

    def log_and_compute(reader: BackboneReader, texts: list[str]) -> Extraction:
        lines = "".join(json.dumps([reader.reading.id, sha256_of(text)]) + "\n" for text in texts)
        log = os.open(reading_log(reader.context.settings), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, lines.encode())
        os.close(log)
        return compute(reader, texts)

    BackboneReader._compute = log_and_compute  # type: ignore[method-assign, assignment]  # the log's place


def main() -> int:
    """Carry out an assignment; returns the exit status."""
    _log_what_is_read()
    return child.main(find_job)
