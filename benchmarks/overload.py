"""What happens to requests when more come than can be answered.

    python -m benchmarks.overload [--seconds 10] [--overload-seconds 60] [--json FILE]

Single texts come to `/embed` at fixed rates, each a tenth higher than the one before, until one in a
hundred is refused: the rate before is the capacity. Then three times as many come. Prints, and keeps in
benchmarks/overload.json, how long accepted requests took at capacity and beyond, how fast the others were
refused, and how long after the end of it a request waits again as it did at capacity. The service may let a
request wait for `WAIT_SECONDS`.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, library_versions
from benchmarks.service import open_service
from benchmarks.serving_load import Load, Payload, closed_loop, open_loop, quantiles
from benchmarks.serving_texts import MixedTexts

WAIT_SECONDS = 2
FIRST_SHARE = 0.6
"""Of what a closed loop of 8 clients reaches: the rate to begin with."""
STEP = 1.1
MAX_REFUSED = 0.01
OVERLOAD = 3


class Asker:
    """Sends texts that were never sent before to one service."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._texts = MixedTexts()

    def payloads(self, number: int) -> list[Payload]:
        """Requests of one text each."""
        return [
            Payload.of(self._port, "/embed", {"input": text, "backbone": "minilm"}, 1)
            for text in self._texts.take(number)
        ]

    def closed(self, clients: int, requests: int) -> Load:
        """Clients that wait for their answers."""
        return closed_loop(self._port, self.payloads(requests), clients)

    def open(self, rate: float, seconds: float) -> Load:
        """Requests that come at a rate whatever the answers."""
        return open_loop(self._port, self.payloads(max(1, round(rate * seconds))), rate)


def main() -> int:
    arguments = _parser().parse_args()
    environment = {"SIP_MAX_WAIT_SECONDS": str(WAIT_SECONDS)}
    with open_service(None, None, environment=environment) as client:
        asker = Asker(int(client.base_url.rpartition(":")[2]))
        asker.closed(8, 32)  # loads and warms up
        rate, at_capacity = find_capacity(asker, arguments.seconds)
        beyond = asker.open(OVERLOAD * rate, arguments.overload_seconds)
        recovery = seconds_to_recover(asker, at_capacity)
    results = {
        "machine": describe_machine(),
        "versions": library_versions(),
        "load_average": os.getloadavg()[0],
        "wait_seconds": WAIT_SECONDS,
        "capacity_requests_per_second": rate,
        "at_capacity": at_capacity.as_json(),
        "beyond": beyond.as_json() | {"refusals": quantiles(beyond.refusals)},
        "ratios": ratios(at_capacity, beyond),
        "recovery_seconds": recovery,
    }
    arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results["ratios"], indent=1), f"recovered after {recovery:.2f} s", sep="\n")
    return 0


def find_capacity(asker: Asker, seconds: float) -> tuple[float, Load]:
    """The highest rate at which hardly any request is refused, and what was measured there."""
    rate = FIRST_SHARE * asker.closed(8, 64).texts_per_second
    best: tuple[float, Load] | None = None
    while True:
        load = asker.open(rate, seconds)
        refused = len(load.refusals) / (len(load.refusals) + len(load.latencies))
        shown = "  ".join(f"{name} {value:.1f}" for name, value in load.as_json().items())
        print(f"{rate:6.1f} requests a second: {refused:.1%} refused  {shown}", flush=True)
        if refused < MAX_REFUSED:
            best, rate = (rate, load), rate * STEP
        elif best is not None:
            return best
        else:
            rate /= STEP**2


def ratios(at_capacity: Load, beyond: Load) -> dict[str, Any]:
    """Beyond capacity against at capacity."""
    accepted, before = quantiles(beyond.latencies), quantiles(at_capacity.latencies)
    return {
        "p99 of accepted requests, beyond / at capacity": accepted["p99_ms"] / before["p99_ms"],
        "refusal / accepted request, medians beyond capacity": float(
            np.median(beyond.refusals) * 1000 / accepted["p50_ms"]
        ),
        "failed": at_capacity.failures + beyond.failures,
    }


def seconds_to_recover(asker: Asker, at_capacity: Load) -> float:
    """From the end of the overload until a request is answered as fast as 95 of 100 were at capacity."""
    usual = quantiles(at_capacity.latencies)["p95_ms"] / 1000
    started = time.perf_counter()
    while True:
        load = asker.closed(1, 1)
        if load.latencies and load.latencies[0] <= usual:
            return time.perf_counter() - started


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Requests when more come than can be answered.")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each rate is tried")
    parser.add_argument("--overload-seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/overload.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
