"""Clients that ask a server of this machine and keep count, small enough to leave the cores to the server."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

HOST = "127.0.0.1"


@dataclass(slots=True)
class Load:
    """What requests came to."""

    seconds: float = 0.0
    """From the first request to the last answer."""
    texts: int = 0
    """Of the requests that were answered with 200."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of those requests."""
    refusals: list[float] = field(default_factory=list)
    """Seconds until a 429."""
    failures: int = 0
    """Any other answer, or none."""

    @property
    def texts_per_second(self) -> float:
        """Of answered requests."""
        return self.texts / self.seconds

    def as_json(self) -> dict[str, float]:
        """Rates per second and quantiles in milliseconds."""
        found: dict[str, float] = {
            "texts_per_second": self.texts_per_second,
            "requests_per_second": len(self.latencies) / self.seconds,
            "refused": len(self.refusals),
            "failed": self.failures,
        }
        return found | quantiles(self.latencies)


def quantiles(latencies: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds; none of no latencies."""
    if not latencies:
        return {}
    found = np.quantile(latencies, [0.5, 0.95, 0.99]) * 1000
    return dict(zip(("p50_ms", "p95_ms", "p99_ms"), found.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Payload:
    """A request, ready to be sent."""

    head_and_body: bytes
    texts: int

    @classmethod
    def of(cls, port: int, path: str, body: dict[str, Any], texts: int) -> "Payload":
        """A POST of this JSON."""
        encoded = orjson.dumps(body)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(encoded)}\r\n\r\n"
        )
        return cls(head.encode() + encoded, texts)


def closed_loop(port: int, payloads: Sequence[Payload], num_clients: int) -> Load:
    """Clients that each send their next request as soon as the last one is answered."""

    async def run() -> Load:
        load, left = Load(), iter(payloads)
        started = time.perf_counter()
        await asyncio.gather(*(_ask_all(port, left, load) for _ in range(num_clients)))
        load.seconds = time.perf_counter() - started
        return load

    return asyncio.run(run())


def open_loop(port: int, payloads: Sequence[Payload], requests_per_second: float) -> Load:
    """Requests at a fixed rate, each on a connection of its own, however long the answers take."""

    async def run() -> Load:
        load, started = Load(), time.perf_counter()

        async def ask(number: int, payload: Payload) -> None:
            await asyncio.sleep(max(0.0, started + number / requests_per_second - time.perf_counter()))
            await _ask_all(port, iter([payload]), load)

        await asyncio.gather(*(ask(number, payload) for number, payload in enumerate(payloads)))
        load.seconds = time.perf_counter() - started
        return load

    return asyncio.run(run())


def answer_to(port: int, payload: Payload) -> Any:
    """The parsed JSON of one answer."""

    async def run() -> bytes:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            status, body = await _ask(reader, writer, payload)
        finally:
            writer.close()
        if status != 200:
            raise RuntimeError(f"answered with {status}: {body[:300]!r}")
        return body

    return orjson.loads(asyncio.run(run()))


async def _ask_all(port: int, payloads: Iterator[Payload], load: Load) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        for payload in payloads:
            began = time.perf_counter()
            status, _ = await _ask(reader, writer, payload)
            seconds = time.perf_counter() - began
            if status == 200:
                load.latencies.append(seconds)
                load.texts += payload.texts
            elif status == 429:
                load.refusals.append(seconds)
            else:
                load.failures += 1
    finally:
        writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, payload: Payload
) -> tuple[int, bytes]:
    """Status and body of one answer, which must say how long it is."""
    writer.write(payload.head_and_body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    length = next(line.partition(":")[2] for line in head if line.startswith("content-length:"))
    return int(head[0].split()[1]), await reader.readexactly(int(length))
