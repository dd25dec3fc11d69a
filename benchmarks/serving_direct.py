"""The engine without a server around it, in a process of its own."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple


class Timed(NamedTuple):
    """Texts that were embedded with one call."""

    seconds: float
    cpu_seconds: float
    """Of all cores."""
    vectors: list[list[float]]


class Direct:
    """A process that embeds what it is sent."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def embed(self, texts: list[str]) -> Timed:
        """All texts with one call."""
        self._pipe.send(texts)
        found: Timed = self._pipe.recv()
        return found


@contextmanager
def direct_engine() -> Iterator[Direct]:
    """The bundled backbone, loaded and warm, until the end of the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        direct = Direct(ours)
        direct.embed(["to load and warm up"] * 8)
        yield direct
    finally:
        ours.send(None)
        process.join(10)
        process.kill()


def _serve(pipe: Connection) -> None:
    from sip_model.backbones.catalog import BackboneCatalog
    from sip_model.experiments.config import BackboneConfig
    from sip_model.inference.embed import Embedder

    embedder = Embedder.load(BackboneConfig(id="minilm"), BackboneCatalog({}), "cpu")
    while (texts := pipe.recv()) is not None:
        started, cpu_started = time.perf_counter(), time.process_time()
        vectors = embedder.embed(texts).vectors
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        pipe.send(Timed(seconds, cpu_seconds, vectors.tolist()))
