"""What Prometheus is told of inference: the passes that were made, and the requests that got nothing."""

from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from sip_model.inference.batching import PassReport

Reason = Literal["full", "late", "gone"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class InferenceMetrics:
    """Counts in a registry of each application's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "sip_inference_pass_seconds",
            "Time of a forward pass.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._tokens = Histogram(
            "sip_inference_pass_tokens",
            "Tokens of a forward pass, padding not counted.",
            buckets=_TOKENS,
            registry=self.registry,
        )
        self._texts = Histogram(
            "sip_inference_pass_texts",
            "Texts of a forward pass.",
            buckets=_TEXTS,
            registry=self.registry,
        )
        self._dropped = Counter(
            "sip_inference_dropped",
            "Requests that were not answered: refused because the queue was full, or they waited too long "
            "(late), or their client had gone.",
            ("reason",),
            registry=self.registry,
        )
        for reason in ("full", "late", "gone"):
            self._dropped.labels(reason)

    def count_pass(self, report: "PassReport") -> None:
        """Count a forward pass."""
        self._seconds.observe(report.seconds)
        self._tokens.observe(report.num_tokens)
        self._texts.observe(report.num_texts)

    def count_dropped(self, reason: Reason) -> None:
        """Count a request that gets no answer."""
        self._dropped.labels(reason).inc()
