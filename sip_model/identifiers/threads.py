"""How many cores a piece of work uses."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch operators on the calling core alone.

    A step of an identifier is many small operators: cores that share each of them wait for one another most
    of the time, up to ten times as long where other programs use the cores too. The numbers then don't
    depend on how many cores there are either.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
