"""Which device a worker's experiments compute on: one process per GPU, without anyone saying which."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from db import workers
from db.errors import DeviceError
from db.locks import Lock, hold
from db.session import Database

_LISTING_SECONDS = 60.0
_LIST_GPUS = (
    "import torch\n"
    "for number in range(torch.cuda.device_count()):\n"
    "    print(torch.cuda.get_device_properties(number).uuid)\n"
)
_DRIVER_FILES = ("nvidiactl", "dxg")
"""In /dev, one of which is there with a GPU's driver (the second in WSL)."""


class Device(NamedTuple):
    """What a worker computes on."""

    name: str
    """``cpu`` or ``cuda:<n>``, counted among the GPUs this process may use."""
    gpu: str
    """The GPU's own id, the same in every container; empty for ``cpu``."""

    @property
    def label(self) -> str:
        """How other workers and people see it."""
        return f"{self.name} {self.gpu}".strip()


CPU = Device("cpu", "")


def list_gpus() -> list[str]:
    """Ids of the GPUs a process started from here may use, in its order; empty without a driver.

    Another process asks the tensor library, so that this one neither imports it nor holds a GPU.
    """
    if not any((Path("/dev") / name).exists() for name in _DRIVER_FILES):
        return []
    listing = subprocess.run(
        [sys.executable, "-P", "-c", _LIST_GPUS],
        capture_output=True,
        text=True,
        timeout=_LISTING_SECONDS,
        check=False,
    )
    return listing.stdout.split() if listing.returncode == 0 else []


def choose_device(
    wanted: str, gpus: Sequence[str], database: Database, worker: str, seen_within_seconds: float
) -> Device:
    """The device for the setting `device`, noted at once as taken by this worker.

    ``auto`` takes the GPU that the fewest live workers have taken, and ``cpu`` where there is none.

    Args:
        gpus: what `list_gpus` found.
        worker: this worker's name.
        seen_within_seconds: how recently a worker must have shown itself to count as live.

    Raises `DeviceError` when the GPU that is named isn't there.
    """
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        return CPU
    if wanted != "auto":
        number = int(wanted.partition(":")[2] or 0)
        if number >= len(gpus):
            raise DeviceError(wanted, len(gpus))
        return Device(f"cuda:{number}", gpus[number])
    with database.session() as session:
        hold(session, Lock.DEVICES)
        taken = [row.device for row in workers.seen(session, seen_within_seconds) if row.name != worker]
        counts = [sum(gpu in device for device in taken) for gpu in gpus]
        number = counts.index(min(counts))
        device = Device(f"cuda:{number}", gpus[number])
        workers.show(session, worker, device.label, ())
    return device
