"""Where the training of a language model can go on after its process died."""

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

FORMAT = 1


@dataclass(slots=True)
class Position:
    """How far a training is. Learning rate, order of the text and dropout follow from `step`."""

    step: int = 0
    """Steps done."""
    loss_sum: float = 0.0
    """Of the steps since the loss was last reported."""
    loss_steps: int = 0


@dataclass(slots=True)
class TrainingCheckpoint:
    """Weights, optimiser and position of a training, in one safetensors file.

    Args:
        path: of the file; it may not exist yet.
        run: identifies text, configuration and seed; a file of another run is refused.
        every_seconds: how often at most the file is written.
        on_saved: called with `path` whenever it was written.
        wanted: whether to write it now, due or not.
        on_resumed: called with the number of steps that a restored training has behind it.
        clock: seconds, monotonic.
    """

    path: Path
    run: str
    every_seconds: float
    on_saved: Callable[[Path], None]
    wanted: Callable[[], bool] = lambda: False
    on_resumed: Callable[[int], None] = lambda _step: None
    clock: Callable[[], float] = time.monotonic
    _saved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._saved_at = self.clock()

    def restore(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Position:
        """Put the weights and the optimiser's state back; a new position where nothing was kept.

        Raises:
            ArtifactError: the file is damaged, or of another run; model and optimiser are as they were.
        """
        if not self.path.exists():
            return Position()
        position, tensors = self._read()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(tensors[f"model/{name}"])
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            kind, _, rest = key.partition("/")
            if kind == "optimizer":
                number, _, name = rest.partition("/")
                state.setdefault(int(number), {})[name] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        self.on_resumed(position.step)
        return position

    def unusable(self) -> ArtifactError | None:
        """Why the file that is there can't be used; None when it can, or there is none."""
        if self.path.exists():
            try:
                self._read()
            except ArtifactError as error:
                return error
        return None

    def _read(self) -> tuple[Position, dict[str, torch.Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != str(FORMAT) or metadata.get("run") != self.run:
                    raise ArtifactError(("checkpoint",), "a checkpoint of this very run", "another one")
                position = Position(**json.loads(metadata["position"]))
                return position, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except SafetensorError as error:
            raise ArtifactError(("checkpoint",), "a complete safetensors file", str(error)[:200]) from error

    def save_if_due(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, position: Position
    ) -> None:
        """Write the file when `every_seconds` have passed since it was last written, or it is wanted now."""
        if self.clock() - self._saved_at < self.every_seconds and not self.wanted():
            return
        self._write(model, optimizer, position)
        self._saved_at = self.clock()
        self.on_saved(self.path)

    def _write(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, position: Position) -> None:
        tensors = {f"model/{name}": value for name, value in model.named_parameters()}
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{name}": value for name, value in state.items()}
        metadata = {
            "format": str(FORMAT),
            "run": self.run,
            "position": json.dumps(
                {
                    "step": position.step,
                    "loss_sum": position.loss_sum,
                    "loss_steps": position.loss_steps,
                }
            ),
        }
        kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        temporary = self.path.with_suffix(".part")
        save_file(kept, temporary, metadata)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(self.path)
