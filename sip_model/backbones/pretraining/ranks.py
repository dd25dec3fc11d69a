"""The processes that train one model together, by PyTorch's own distributed engine."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of how many processes this one is."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process reports and saves."""
        return self.rank == 0

    def share(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model with gradients that are averaged over the processes, on the device it is on."""
        return model if self.size == 1 else DistributedDataParallel(model)

    def without_exchange(self, model: torch.nn.Module, skip: bool) -> AbstractContextManager[None]:
        """Within it, where `skip`, gradients stay this process's own: more passes follow in this step."""
        if skip and isinstance(model, DistributedDataParallel):
            return model.no_sync()
        return nullcontext()

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum of `value` over all processes."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value


ALONE = Ranks()


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the processes that ``torchrun`` started; alone where it did not.

    Args:
        device: `cpu` (processes talk by gloo) or `cuda` (by NCCL; each takes the GPU of its local rank).

    Yields:
        Which process this one is, and its device.
    """
    if "WORLD_SIZE" not in os.environ:
        yield ALONE, device
        return
    on_gpu = torch.device(device).type == "cuda"
    own = f"cuda:{os.environ['LOCAL_RANK']}" if on_gpu else device
    if on_gpu:
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size()), own
    finally:
        distributed.destroy_process_group()
