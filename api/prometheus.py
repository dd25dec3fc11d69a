"""What Prometheus is told of HTTP requests: counted in a registry of each application's own."""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
NO_ROUTE: Final = "none"
_BUCKET_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LABELS = ("method", "route", "status")


class RequestMetrics:
    """Numbers of requests, their durations, and this process's resources."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("sip_http_requests", "Requests answered.", _LABELS, registry=self.registry)
        self._seconds = Histogram(
            "sip_http_request_duration_seconds",
            "Time from a request's head to the end of its answer, long polls included.",
            _LABELS,
            buckets=_BUCKET_SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "sip_http_requests_in_flight",
            "Requests being answered now, this one too.",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def begin(self) -> None:
        """Count a request in."""
        self._in_flight.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request out.

        Args:
            method: as it was sent; one that HTTP doesn't know becomes ``other``.
            route: template of its path, such as ``/datasets/{dataset}``.
            status: of the answer.
            seconds: how long the answer took.
        """
        self._in_flight.dec()
        labels = (method if method in METHODS else "other", route, f"{status // 100}xx")
        self._requests.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)


class RequestMetricsMiddleware:
    """Counts requests by the template of their route: paths are the clients' and have no end."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.begin()
        try:
            await self.app(scope, receive, send_and_look)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._metrics.end(scope["method"], route, status, time.perf_counter() - started)
