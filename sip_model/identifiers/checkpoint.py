"""Where a training run can go on after its process died."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sip_model.errors import ArtifactError
from sip_model.identifiers.fitting import FitState

CHECKPOINT_FORMAT = 3


@dataclass(slots=True)
class Checkpoint:
    """The state of every branch begun so far, kept in one file.

    Args:
        path: of the file; it may not exist yet.
        run: identifies corpus split, configuration and seed; a file of another run is refused.
        every_seconds: how often at most the file is written.
        on_saved: called with `path` whenever it was written.
        wanted: whether to write it now, due or not.
        clock: seconds, monotonic.
    """

    path: Path
    run: str
    every_seconds: float
    on_saved: Callable[[Path], None]
    wanted: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    states: dict[str, FitState] = field(default_factory=dict)
    _saved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._saved_at = self.clock()
        if self.path.exists():
            self.states = _read(self.path, self.run)

    def state(self, branch: str) -> FitState:
        """The state of a branch, a new one if it wasn't begun."""
        return self.states.setdefault(branch, FitState())

    def epochs_done(self) -> int:
        """Over all branches."""
        return sum(state.epoch for state in self.states.values())

    def is_due(self) -> bool:
        """Whether `every_seconds` have passed since the file was last written, or it is wanted now."""
        return self.clock() - self._saved_at >= self.every_seconds or self.wanted()

    def save_if_due(self) -> None:
        """Write the file when it is due."""
        if not self.is_due():
            return
        _write(self.path, self.run, self.states)
        self._saved_at = self.clock()
        self.on_saved(self.path)


def _write(path: Path, run: str, states: dict[str, FitState]) -> None:
    tensors: dict[str, torch.Tensor] = {}
    positions: dict[str, dict[str, float | bool]] = {}
    for branch, state in states.items():
        positions[branch] = {
            "epoch": state.epoch,
            "batch": state.batch,
            "loss_sum": state.loss_sum,
            "best_loss": state.best_loss,
            "stale_epochs": state.stale_epochs,
            "best_epoch": state.best_epoch,
            "done": state.done,
        }
        for kind, values in (("best", state.best), ("latest", state.latest)):
            tensors |= {f"{branch}/{kind}/{name}": value.cpu().clone() for name, value in values.items()}
    metadata = {"format": str(CHECKPOINT_FORMAT), "run": run, "positions": json.dumps(positions)}
    temporary = path.with_suffix(".part")
    save_file(tensors, temporary, metadata)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(path: Path, run: str) -> dict[str, FitState]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != str(CHECKPOINT_FORMAT) or metadata.get("run") != run:
                raise ArtifactError(("checkpoint",), "a checkpoint of this very run", "another one")
            states = {
                branch: FitState(
                    epoch=int(entry["epoch"]),
                    batch=int(entry["batch"]),
                    loss_sum=entry["loss_sum"],
                    best_loss=entry["best_loss"],
                    stale_epochs=int(entry["stale_epochs"]),
                    best_epoch=int(entry["best_epoch"]),
                    done=bool(entry["done"]),
                )
                for branch, entry in json.loads(metadata["positions"]).items()
            }
            for key in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                branch, kind, name = key.split("/")
                values = states[branch].best if kind == "best" else states[branch].latest
                values[name] = file.get_tensor(key)
    except SafetensorError as error:
        raise ArtifactError(("checkpoint",), "a complete safetensors file", str(error)[:200]) from error
    return states
