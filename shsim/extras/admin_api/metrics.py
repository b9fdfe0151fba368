"""What `/metrics` tells Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

#: Methods that stand in a label; a client can invent others without end.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Seconds, from a health check to a long calibration.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The server's own figures, in a registry of its own.

    Attributes
    ----------
    runs
        Runs that have ended, by `command` and `outcome`.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "shsim_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "shsim_http_request_seconds",
            "From a request's first byte to its answer's last.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.runs = Counter(
            "shsim_runs", "Runs that have ended.", ("command", "outcome"), registry=self._registry
        )
        self._jobs = Gauge(
            "shsim_jobs", "Runs in this server, by state.", ("state",), registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def watch_jobs(self, state: str, count: Callable[[], int]) -> None:
        """Ask for the runs in a state (`running`, `queued`) whenever the metrics are read."""
        self._jobs.labels(state).set_function(count)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self._registry)
