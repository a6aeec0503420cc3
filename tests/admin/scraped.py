"""What a scrape says, read by the library's own parser."""

from collections.abc import Collection, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bridge.admin.metrics.scrape import Scope

Labels = tuple[tuple[str, str], ...]


def parsed(text: bytes) -> dict[str, Metric]:
    """Family → what it says. A counter is called as it is there, without `_total`."""
    return {one.name: one for one in text_string_to_metric_families(text.decode())}


def series(text: bytes) -> dict[tuple[str, Labels], float]:
    """Every series with its value; none is there twice."""
    found = [((s.name, labels(s.labels)), s.value) for one in parsed(text).values() for s in one.samples]
    assert len({key for key, _ in found}) == len(found)
    return dict(found)


def labels(by_name: Mapping[str, str]) -> Labels:
    return tuple(sorted(by_name.items()))


def value(text: bytes, name: str, **by_name: str) -> float | None:
    """What a series says, None where it is not there."""
    return series(text).get((name, labels(by_name)))


def a_scope(
    sources: Mapping[str, Collection[str]] | None = None,
    sinks: Collection[str] = ("ops", "team"),
    rows: Collection[str] = ("route 1", "route 2"),
) -> Scope:
    """A bridge with one panel, two sinks and two rows."""
    if sources is None:
        sources = {"marzban": ("user.created", "user.deleted")}
    return Scope(version="1.2.3", python="3.11.7", store="sqlite", sources=sources, sinks=sinks, rows=rows)
