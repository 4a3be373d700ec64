"""The metrics of what is shared. They exist only with `[shared]`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.shared.messages import MessageKind


class SharedMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"connection_gateway_shared_{name}", what, labels, registry=registry)

        what = "1 while the store of [shared] can be used."
        self.up = Gauge("connection_gateway_shared_up", what, registry=registry)
        what = "1 while messages of other replicas are read."
        self.following = Gauge("connection_gateway_shared_following", what, registry=registry)
        self.timeouts = counter("timeouts", "Times that the store did not answer within shared.timeout.")
        self.failures = counter("failures", "Times that the store refused a command, or its connection broke.")
        received = counter("received", "Messages from other replicas, by what they tell.", "kind")
        self.received = {kind: received.labels(kind.name.lower()) for kind in MessageKind}
        self.gaps = counter("gaps", "Times that messages may have been missed, so that all caches were emptied.")
        self.hits = counter("login_hits", "Tokens that were taken from the store in place of a login.")
        self.misses = counter("login_misses", "Tokens that the store did not have.")
        self.cache_hits = counter("cache_hits", "Connections that the store had, fresh or stale.")
        self.cache_misses = counter("cache_misses", "Connections that the store was asked for and did not have.")
        self.lease_waits = counter("lease_waits", "Waits for the login of another replica.")
