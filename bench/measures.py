"""All that is measured, by name."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.backlog import backlog
from bench.counts import Counts
from bench.delivery import delivery
from bench.figures import Figure
from bench.ingest import ingest
from bench.replicas import replicas
from bench.sizes import sizes
from bench.starting import starting
from bench.strangers import strangers


@dataclass(frozen=True, slots=True)
class Measure:
    """Its heading, and what gives its figures."""

    title: str
    run: Callable[[Counts], Awaitable[list[Figure]]]


MEASURES = {
    "ingest": Measure("Ingest", ingest),
    "delivery": Measure("Delivery", delivery),
    "starting": Measure("Start and memory", starting),
    "sizes": Measure("Sizes", sizes),
    "backlog": Measure("Backlog", backlog),
    "strangers": Measure("Strangers", strangers),
    "replicas": Measure("Replicas", replicas),
}
