"""Each worker gets a GPU of its own, as long as there are enough."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db import workers
from db.errors import DeviceError
from db.session import Database
from db.states import Queue
from worker.device import CPU, Device, choose_device

GPUS = ["GPU-a", "GPU-b", "GPU-c"]


def choose(database: Database, worker: str, wanted: str = "auto", gpus: list[str] = GPUS) -> Device:
    """What a worker computes on."""
    return choose_device(wanted, gpus, database, worker, 60.0)


def test_workers_that_start_at_once_take_different_gpus(database: Database) -> None:
    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(lambda name: choose(database, name), ["w1", "w2", "w3"]))
    assert sorted(device.label for device in taken) == ["cuda:0 GPU-a", "cuda:1 GPU-b", "cuda:2 GPU-c"]


def test_a_gpu_is_the_same_one_whatever_number_another_worker_knows_it_by(database: Database) -> None:
    with database.session() as session:
        workers.show(session, "other", "cuda:0 GPU-b", [Queue.GPU])
    assert choose(database, "w", gpus=["GPU-b", "GPU-c"]) == Device("cuda:1", "GPU-c")


def test_more_workers_than_gpus_share_them_evenly(database: Database) -> None:
    assert [choose(database, f"w{number}").name for number in range(5)] == [
        "cuda:0",
        "cuda:1",
        "cuda:2",
        "cuda:0",
        "cuda:1",
    ]


def test_a_worker_that_starts_again_may_keep_its_gpu(database: Database) -> None:
    assert choose(database, "w") == choose(database, "w") == Device("cuda:0", "GPU-a")


@pytest.mark.parametrize(
    ("wanted", "gpus", "expected"),
    [
        ("auto", [], CPU),
        ("cpu", GPUS, CPU),
        ("cuda", GPUS, Device("cuda:0", "GPU-a")),
        ("cuda:2", GPUS, Device("cuda:2", "GPU-c")),
    ],
)
def test_a_device_that_is_named_is_taken_as_it_is(
    database: Database, wanted: str, gpus: list[str], expected: Device
) -> None:
    assert choose(database, "w", wanted, gpus) == expected


def test_a_gpu_that_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(DeviceError, match="3 GPU"):
        choose(database, "w", "cuda:7")
