"""Forward passes side by side: on a CPU one per core, each on that core alone."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import torch

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_passes(
    tasks: Sequence[Task],
    run: Callable[[Task], Result],
    on_result: Callable[[Task, Result], None],
    device: torch.device,
) -> None:
    """Run forward passes that don't depend on each other.

    On a CPU with enough passes to go round, cores that work on passes of their own beat cores that share
    every operator: nobody waits for the slowest core a hundred times per pass, which costs most where other
    programs use the cores too. Few passes, and those on a GPU, run one after the other.

    Args:
        tasks: what each pass works on.
        run: does one pass; several threads call it at once.
        on_result: takes each result as it comes, in any order, in the caller's thread.
        device: where the model is.

    Raises:
        Exception: what `run` or `on_result` raised first; passes not yet begun are given up.
    """
    num_threads = torch.get_num_threads()
    if device.type != "cpu" or num_threads == 1 or len(tasks) < 2 * num_threads:
        for task in tasks:
            on_result(task, run(task))
        return
    executor = ThreadPoolExecutor(num_threads, "forward", torch.set_num_threads, (1,))
    try:
        futures = {executor.submit(run, task): task for task in tasks}
        for future in as_completed(futures):
            # A result is let go once it is taken: all of them together may be large.
            on_result(futures.pop(future), future.result())
    finally:
        executor.shutdown(cancel_futures=True)
        # The number set by the threads above is also what threads started from now on would get.
        torch.set_num_threads(num_threads)
