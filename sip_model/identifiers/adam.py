"""Adam's memory as tensors by name, for checkpoints."""

import torch

PREFIX = "adam."


def adam_state(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Moments and step count of every parameter."""
    return {
        f"{PREFIX}{number}.{name}": value
        for number, entry in optimizer.state_dict()["state"].items()
        for name, value in entry.items()
    }


def load_adam_state(optimizer: torch.optim.Optimizer, state: dict[str, torch.Tensor]) -> None:
    """Take over what :func:`adam_state` gave; start afresh where `state` holds none of it."""
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in state.items():
        if key.startswith(PREFIX):
            number, name = key.removeprefix(PREFIX).split(".")
            entries.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": entries})
