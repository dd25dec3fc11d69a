"""What `GET /prometheus` answers: this process's numbers, and the whole service's from its database."""

import asyncio
from collections.abc import Iterator
from importlib.metadata import version

import structlog
from prometheus_client import generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from api.probe import Probe
from api.prometheus import RequestMetrics
from api.services import Services
from db import statistics
from db.counters import Name
from db.errors import DatabaseUnavailableError
from db.publisher import waiting_calls
from db.states import Queue
from db.statistics import Statistics

PATIENCE_SECONDS = 2.5
_COUNTED = {
    Name.LEASES_LOST: (
        "sip_leases_lost",
        "Experiments taken from workers that stopped renewing their lease.",
    ),
    Name.ATTEMPTS_CRASHED: (
        "sip_attempts_crashed",
        "Attempts that ended without a word, lost leases included.",
    ),
}


class Exposition:
    """Everything one application tells Prometheus."""

    def __init__(self, services: Services, requests: RequestMetrics) -> None:
        self._services = services
        self._requests = requests
        self._statistics = Probe(self._read)
        self._broker = Probe(lambda: waiting_calls(services.settings.require_broker_url()) is not None)

    async def render(self) -> bytes:
        """The answer in Prometheus' text format, within 3 s whatever the database and the broker do.

        Without the database, what only it knows is left out.
        """
        found, broker_up = await asyncio.gather(self._statistics_or_none(), self._broker_is_up())
        return generate_latest(_Families(self._requests, self._services, found, broker_up))

    def _read(self) -> Statistics:
        with self._services.database.session() as session:
            return statistics.read(session)

    async def _statistics_or_none(self) -> Statistics | None:
        try:
            return await self._statistics.ask(PATIENCE_SECONDS)
        except (DatabaseUnavailableError, TimeoutError) as error:
            structlog.get_logger().warning("scraped without the database", reason=str(error))
            return None

    async def _broker_is_up(self) -> bool:
        try:
            return await self._broker.ask(PATIENCE_SECONDS)
        except TimeoutError:
            return False


class _Families(Collector):
    def __init__(
        self, requests: RequestMetrics, services: Services, found: Statistics | None, broker_up: bool
    ) -> None:
        self._requests = requests
        self._services = services
        self._found = found
        self._broker_up = broker_up

    def collect(self) -> Iterator[Metric]:
        for registry in (self._requests.registry, self._services.inference_metrics.registry):
            yield from map(_without_creation_times, registry.collect())
        yield InfoMetricFamily(
            "sip_build", "What is running.", value={"version": version("source-identification")}
        )
        yield from self._own_parts()
        database_up = self._found is not None
        yield _gauge("sip_database_up", "Whether the database answered in time.", database_up)
        yield _gauge("sip_broker_up", "Whether the broker answered in time.", self._broker_up)
        if self._found is not None:
            yield from _experiments(self._found)
            yield from _queues(self._found)
            yield from _workers(self._found, self._services.settings.worker_seen_seconds)

    def _own_parts(self) -> Iterator[Metric]:
        engine, slots = self._services.engine, self._services.ingest_slots
        loaded, queue = engine.loading.state, engine.queue
        yield _gauge("sip_models_loaded", "Models kept in memory.", loaded.models)
        yield _gauge("sip_embedders_loaded", "Backbones kept in memory for embeddings.", loaded.embedders)
        yield _gauge("sip_loaded_bytes", "Memory of the weights of both.", loaded.num_bytes)
        yield _gauge("sip_inference_requests", "Requests that wait for the model or use it.", queue.calls)
        yield _gauge("sip_inference_waiting_tokens", "Tokens of theirs not yet read.", queue.tokens)
        yield _gauge(
            "sip_inference_tokens_per_second",
            "How fast tokens were read of late; 0 before any were.",
            queue.tokens_per_second or 0,
        )
        yield _gauge("sip_ingest_slots", "Corpora that may be read at once.", slots.total_tokens)
        yield _gauge("sip_ingest_slots_in_use", "Corpora being read.", slots.borrowed_tokens)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _experiments(found: Statistics) -> Iterator[Metric]:
    present = GaugeMetricFamily("sip_experiments", "Experiments there are.", labels=["kind", "status"])
    for (kind, status), number in sorted(found.experiments.items()):
        present.add_metric([kind, status], number)
    yield present
    ended = CounterMetricFamily("sip_experiments_finished", "Ends of experiments.", labels=["kind", "status"])
    for (kind, status), number in sorted(found.counters.finished.items()):
        ended.add_metric([kind, status], number)
    yield ended
    for name, (metric, about) in _COUNTED.items():
        yield CounterMetricFamily(metric, about, value=found.counters.events[name])


def _queues(found: Statistics) -> Iterator[Metric]:
    length = GaugeMetricFamily("sip_queue_length", "Experiments that wait.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "sip_queue_oldest_seconds", "How long the one that waits longest has waited.", labels=["queue"]
    )
    for queue, state in found.queues.items():
        length.add_metric([queue], state.length)
        oldest.add_metric([queue], state.oldest_seconds)
    yield from (length, oldest)


def _workers(found: Statistics, seen_seconds: float) -> Iterator[Metric]:
    present = GaugeMetricFamily("sip_workers", "Live workers that take a queue.", labels=["queue"])
    live = [worker for worker in found.workers if worker.seen_seconds <= seen_seconds]
    for queue in Queue:
        present.add_metric([queue], sum(queue in worker.queues for worker in live))
    seen = GaugeMetricFamily(
        "sip_worker_seen_seconds", "How long ago a worker last showed itself, for a day.", labels=["worker"]
    )
    for worker in found.workers:
        seen.add_metric([worker.name], worker.seen_seconds)
    yield from (present, seen)


def _without_creation_times(metric: Metric) -> Metric:
    # the text format knows no place for them: they would be families nobody asked for
    metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
    return metric
