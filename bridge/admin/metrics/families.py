"""What was counted, as Prometheus reads it.

Imported with the first scrape: until then nobody pays for the library. Names and labels stand in `METRICS` alone;
docs/monitoring.md lists them. Labels are names of the file, closed words and types (`counters.py` says which
of these): nothing that a stranger chooses, and no secret. What the file does not name any more is left out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import accumulate, product
from typing import Any, Literal, get_args

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from bridge.admin.metrics.scrape import Scope, StoreLook
from bridge.counters import (
    ATTEMPT_SECONDS,
    DELAY_SECONDS,
    REQUEST_SECONDS,
    TAKEN,
    UNKNOWN,
    Counters,
    Histogram,
    Settled,
)
from bridge.outcome import Outcome
from bridge.store.base import Standing
from bridge.value import Value
from bridge.vocabulary import OWN_FAMILY, TYPES

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
STATUSES = (TAKEN, 401, 404, 413, 422, 503)
OUTCOMES = tuple(one.__name__.lower() for one in get_args(Outcome))
SIGN_INS = ("ok", "wrong", "limited")
ALERTS = tuple(name for name in TYPES if name.startswith(f"{OWN_FAMILY}."))

Labels = tuple[str, ...]
Measurement = float | Histogram
Measurements = Mapping[Labels, Measurement]


class Snapshot(Value):
    """All that a scrape tells."""

    counters: Counters
    scope: Scope
    look: StoreLook


class Metric(Value):
    """One family: its samples by the values of its labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Labels
    help: str
    samples: Callable[[Snapshot], Measurements]


def exposition(counters: Counters, scope: Scope, look: StoreLook) -> bytes:
    """All metrics in Prometheus' text format, those of this process and of Python's collector among them."""
    registry = CollectorRegistry()
    registry.register(_Families(Snapshot(counters, scope, look)))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)


class _Families(Collector):
    """`METRICS` with what they are now, as the library wants them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Any]:
        return ()

    def collect(self) -> Iterator[Any]:
        for metric in METRICS:
            yield _family(metric, metric.samples(self._snapshot))


_KINDS = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}


def _family(metric: Metric, samples: Measurements) -> Any:
    family = _KINDS[metric.kind](metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        values = [label.encode("utf-8", "backslashreplace").decode() for label in labels]  # half a surrogate pair
        if isinstance(value, Histogram):
            bounds = [*map(floatToGoString, value.bounds), "+Inf"]
            family.add_metric(values, list(zip(bounds, accumulate(value.counts), strict=True)), value.sum)
        else:
            family.add_metric(values, value)
    return family


def _counted(
    counted: Mapping[Any, Measurement], names: Collection[str], *words: Iterable[Any], more: Labels = ()
) -> Measurements:
    """What was counted of these `names`, and 0 of each with each of the `words` where nothing was; `more` names that
    the file does not have."""
    zeros = {_labels(key): 0 for key in product(names, *words)}
    keys = ((_labels(key if isinstance(key, tuple) else (key,)), value) for key, value in counted.items())
    return zeros | {labels: value for labels, value in keys if labels[0] in names or labels[0] in more}


def _labels(key: Iterable[Any]) -> Labels:
    return tuple(map(str, key))


def _histograms(counted: Mapping[str, Histogram], names: Collection[str], bounds: tuple[float, ...]) -> Measurements:
    return {(name,): counted.get(name) or Histogram(bounds) for name in names}


def _events(snapshot: Snapshot) -> Measurements:
    known = {(source, type_): 0 for source, types in snapshot.scope.sources.items() for type_ in types}
    return known | dict(_counted(snapshot.counters.events, snapshot.scope.sources, ()))


def _requests(snapshot: Snapshot) -> Measurements:
    counted = _counted(snapshot.counters.requests, snapshot.scope.sources, STATUSES, more=(UNKNOWN,))
    return {(UNKNOWN, "404"): 0} | dict(counted)


def _standings(snapshot: Snapshot) -> Measurements:
    lanes = snapshot.look.lanes.items()
    return {(sink, one.value): float(lane.standing is one) for sink, lane in lanes for one in Standing}


def _lane_deliveries(snapshot: Snapshot) -> Measurements:
    lanes = snapshot.look.lanes.items()
    return {(sink, state): getattr(lane, state) for sink, lane in lanes for state in ("pending", "waiting")}


def _oldest(snapshot: Snapshot) -> Measurements:
    lanes = snapshot.look.lanes.items()
    return {(sink,): lane.oldest.timestamp() for sink, lane in lanes if lane.oldest is not None}


METRICS: tuple[Metric, ...] = (
    Metric(
        "panelbridge_build_info", "gauge", ("version", "python", "store"),
        "Which bridge this is, on which Python and which kind of store; always 1.",
        lambda s: {(s.scope.version, s.scope.python, s.scope.store): 1},
    ),
    Metric(
        "panelbridge_config_last_reload_successful", "gauge", (),
        "Whether the file on disk is in force; 0 where it is wrong, and the one before it is.",
        lambda s: {(): float(s.counters.config_in_force)},
    ),
    Metric(
        "panelbridge_config_last_reload_success_timestamp_seconds", "gauge", (),
        "When the file that is in force was put in place, at the start or by a reload.",
        lambda s: {(): s.counters.config_applied_at},
    ),
    Metric(
        "panelbridge_config_loads_total", "counter", ("result",),
        "Files that were put in place, the one of the start among them, and those that were rejected.",
        lambda s: {("applied",): s.counters.config_applied, ("rejected",): s.counters.config_rejected},
    ),
    Metric(
        "panelbridge_ingress_requests_total", "counter", ("source", "code"),
        "Requests of panels, by what came of them: 200 where they were taken, else the status that they were refused"
        " with.",
        _requests,
    ),
    Metric(
        "panelbridge_ingress_request_duration_seconds", "histogram", ("source",),
        "From a request's head to its answer, of those that were taken.",
        lambda s: _histograms(s.counters.request_seconds, s.scope.sources, REQUEST_SECONDS),
    ),
    Metric(
        "panelbridge_events_total", "counter", ("source", "type"),
        "Events that were kept.",
        _events,
    ),
    Metric(
        "panelbridge_events_redelivered_total", "counter", ("source",),
        "Events that were told before, and are not told again.",
        lambda s: _counted(s.counters.redelivered, s.scope.sources),
    ),
    Metric(
        "panelbridge_events_set_aside_total", "counter", ("source",),
        "Elements of requests that nobody could understand, and that were put aside.",
        lambda s: _counted(s.counters.set_aside, s.scope.sources),
    ),
    Metric(
        "panelbridge_events_unrouted_total", "counter", ("source",),
        "Events that were kept, and go to no sink.",
        lambda s: _counted(s.counters.unrouted, s.scope.sources),
    ),
    Metric(
        "panelbridge_row_matches_total", "counter", ("row",),
        "Events that a row of the table took.",
        lambda s: _counted(s.counters.row_matches, s.scope.rows),
    ),
    Metric(
        "panelbridge_row_condition_failures_total", "counter", ("row",),
        "Events of which a row could not say whether it takes them, for its when failed.",
        lambda s: _counted(s.counters.row_failures, s.scope.rows),
    ),
    Metric(
        "panelbridge_deliveries_total", "counter", ("sink", "fate"),
        "Deliveries that are settled for good.",
        lambda s: _counted(s.counters.deliveries, s.scope.sinks, Settled),
    ),
    Metric(
        "panelbridge_delivery_delay_seconds", "histogram", ("sink",),
        "From an event's arrival, or its replay, to its delivery.",
        lambda s: _histograms(s.counters.delay_seconds, s.scope.sinks, DELAY_SECONDS),
    ),
    Metric(
        "panelbridge_attempts_total", "counter", ("sink", "outcome"),
        "Messages that were sent, or could not be; a digest is one.",
        lambda s: _counted(s.counters.attempts, s.scope.sinks, OUTCOMES),
    ),
    Metric(
        "panelbridge_attempt_duration_seconds", "histogram", ("sink",),
        "How long a message took to make, to send and to be answered.",
        lambda s: _histograms(s.counters.attempt_seconds, s.scope.sinks, ATTEMPT_SECONDS),
    ),
    Metric(
        "panelbridge_fallbacks_total", "counter", ("sink", "to"),
        "Deliveries that were given up at a sink, and go to another.",
        lambda s: _counted(s.counters.fallbacks, s.scope.sinks, ()),
    ),
    Metric(
        "panelbridge_template_faults_total", "counter", ("sink",),
        "Messages whose template failed, and that were told in plain words.",
        lambda s: _counted(s.counters.template_faults, s.scope.sinks),
    ),
    Metric(
        "panelbridge_alerts_total", "counter", ("type",),
        "What the bridge told of itself.",
        lambda s: _counted(s.counters.alerts, ALERTS),
    ),
    Metric(
        "panelbridge_lane_standing", "gauge", ("sink", "standing"),
        "How a lane that this process carries stands: one of its standings is 1.",
        _standings,
    ),
    Metric(
        "panelbridge_lane_deliveries", "gauge", ("sink", "state"),
        "Deliveries that are pending, and that wait for a later time: a retry, a digest, quiet hours.",
        _lane_deliveries,
    ),
    Metric(
        "panelbridge_lane_oldest_timestamp_seconds", "gauge", ("sink",),
        "Since when the oldest delivery is there that could be sent; absent where there is none.",
        _oldest,
    ),
    Metric(
        "panelbridge_dead_letters", "gauge", ("sink",),
        "Deliveries that were given up, and neither replayed nor dismissed.",
        lambda s: {(sink,): lane.dead for sink, lane in s.look.lanes.items()},
    ),
    Metric(
        "panelbridge_store_up", "gauge", (),
        "Whether the store takes events: it was tried just now, and answered in time.",
        lambda s: {(): float(s.look.up)},
    ),
    Metric(
        "panelbridge_store_size_bytes", "gauge", (),
        "Bytes that the store takes.",
        lambda s: {} if s.look.size is None else {(): s.look.size},
    ),
    Metric(
        "panelbridge_store_commit_duration_seconds", "histogram", ("durable",),
        "How long a commit took; durable where it waited for the disk.",
        lambda s: {(str(durable).lower(),): one for durable, one in s.counters.commit_seconds.items()},
    ),
    Metric(
        "panelbridge_store_commit_jobs", "histogram", (),
        "Writes that a commit carried.",
        lambda s: {(): s.counters.commit_writes},
    ),
    Metric(
        "panelbridge_admin_requests_total", "counter", ("route", "code"),
        "Requests of the admin side, by the pattern of their path.",
        lambda s: {_labels(key): count for key, count in s.counters.admin_requests.items()},
    ),
    Metric(
        "panelbridge_admin_signins_total", "counter", ("result",),
        "Tries to sign in; limited where there were too many.",
        lambda s: _counted(s.counters.sign_ins, SIGN_INS),
    ),
)  # fmt: skip
