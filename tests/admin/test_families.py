"""What was counted, as Prometheus reads it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bridge.admin.metrics.families import METRICS, exposition
from bridge.admin.metrics.scrape import StoreLook
from bridge.counters import NAMED_TYPES, OTHER, Counters
from bridge.errors import HookRejected
from bridge.ingress.source import Source
from bridge.intake import Intake, Routed
from bridge.outcome import Delivered, Done, Refused
from bridge.store.base import Standing
from bridge.store.queries.gauges import LaneGauge
from bridge.vocabulary import TYPES
from tests.admin.scraped import a_scope, labels, parsed, series, value
from tests.fakes import DECISION, START, an_event, an_intake
from tests.pages import ROOT, named, table
from tests.panels.hearing import opened
from tests.panels.recorded import PAYLOADS, recorded

LOOK = StoreLook(up=True, size=4096, lanes={"ops": LaneGauge(Standing.AWAY, 3, 2, 1, START), "team": LaneGauge()})
PAGE = "docs/monitoring.md"
FOLDERS = sorted(folder.name for folder in PAYLOADS.iterdir())


def a_busy_bridge() -> Counters:
    """One that has counted something of everything."""
    counters = Counters()
    counters.request_taken("marzban", 0.004)
    counters.request_refused("marzban", 401)
    counters.request_refused(None, 404)
    counters.events_taken("marzban", an_intake(an_event(), an_event()), ())
    counters.row_failures["route 2"] = 1
    counters.attempted("ops", Delivered(), 0.2, fault=True)
    counters.attempted("ops", Refused("HTTP 400"), 40.0, fault=False)
    counters.settled("ops", Done(), made_at=START, at=START + timedelta(seconds=3))
    counters.fallbacks["ops", "team"] = 4
    counters.alerts["bridge.lane_parked"] = 1
    counters.committed(12, 0.003, durable=True)
    counters.admin_answered("/events/{id}", 200)
    counters.admin_answered(None, 400)
    counters.sign_ins["wrong"] = 2
    counters.config_applies(1000.0)
    return counters


# what is there


def test_every_metric_has_its_help_its_kind_and_at_least_one_series() -> None:
    found = parsed(exposition(a_busy_bridge(), a_scope(), LOOK))
    for metric in METRICS:
        family = found[metric.name.removesuffix("_total")]
        assert (family.documentation, family.type) == (metric.help, metric.kind)
        assert family.samples
        more = ("le",) if metric.kind == "histogram" else ()
        assert {name for one in family.samples for name in one.labels} == {*metric.labels, *more}
    assert found.keys() > {"process_resident_memory_bytes", "process_cpu_seconds", "python_gc_collections"}


def test_nothing_is_there_that_has_no_name_of_ours_or_of_the_library() -> None:
    families = parsed(exposition(Counters(), a_scope(), StoreLook()))
    ours = {metric.name.removesuffix("_total") for metric in METRICS}
    strangers = families.keys() - ours
    assert {name.split("_")[0] for name in strangers} == {"process", "python"}


def test_what_was_counted_is_told() -> None:
    text = exposition(a_busy_bridge(), a_scope(), LOOK)
    expected = [
        ("build_info", {"version": "1.2.3", "python": "3.11.7", "store": "sqlite"}, 1),
        ("config_last_reload_successful", {}, 1),
        ("config_last_reload_success_timestamp_seconds", {}, 1000),
        ("config_loads_total", {"result": "applied"}, 1),
        ("ingress_requests_total", {"source": "marzban", "code": "200"}, 1),
        ("ingress_requests_total", {"source": "marzban", "code": "401"}, 1),
        ("ingress_requests_total", {"source": "unknown", "code": "404"}, 1),
        ("ingress_request_duration_seconds_count", {"source": "marzban"}, 1),
        ("ingress_request_duration_seconds_bucket", {"source": "marzban", "le": "0.0025"}, 0),
        ("ingress_request_duration_seconds_bucket", {"source": "marzban", "le": "0.005"}, 1),
        ("ingress_request_duration_seconds_sum", {"source": "marzban"}, 0.004),
        ("events_total", {"source": "marzban", "type": "user.created"}, 2),
        ("row_matches_total", {"row": "route 1"}, 2),
        ("row_condition_failures_total", {"row": "route 2"}, 1),
        ("deliveries_total", {"sink": "ops", "fate": "delivered"}, 1),
        ("delivery_delay_seconds_sum", {"sink": "ops"}, 3),
        ("attempts_total", {"sink": "ops", "outcome": "delivered"}, 1),
        ("attempts_total", {"sink": "ops", "outcome": "refused"}, 1),
        ("attempt_duration_seconds_bucket", {"sink": "ops", "le": "30.0"}, 1),
        ("attempt_duration_seconds_bucket", {"sink": "ops", "le": "+Inf"}, 2),
        ("fallbacks_total", {"sink": "ops", "to": "team"}, 4),
        ("template_faults_total", {"sink": "ops"}, 1),
        ("alerts_total", {"type": "bridge.lane_parked"}, 1),
        ("lane_standing", {"sink": "ops", "standing": "away"}, 1),
        ("lane_standing", {"sink": "ops", "standing": "open"}, 0),
        ("lane_standing", {"sink": "team", "standing": "open"}, 1),
        ("lane_deliveries", {"sink": "ops", "state": "pending"}, 3),
        ("lane_deliveries", {"sink": "ops", "state": "waiting"}, 2),
        ("dead_letters", {"sink": "ops"}, 1),
        ("lane_oldest_timestamp_seconds", {"sink": "ops"}, START.timestamp()),
        ("lane_oldest_timestamp_seconds", {"sink": "team"}, None),
        ("store_up", {}, 1),
        ("store_size_bytes", {}, 4096),
        ("store_commit_duration_seconds_count", {"durable": "true"}, 1),
        ("store_commit_duration_seconds_count", {"durable": "false"}, 0),
        ("store_commit_jobs_sum", {}, 12),
        ("admin_requests_total", {"route": "/events/{id}", "code": "200"}, 1),
        ("admin_requests_total", {"route": "unknown", "code": "400"}, 1),
        ("admin_signins_total", {"result": "wrong"}, 2),
        ("admin_signins_total", {"result": "ok"}, 0),
    ]
    told = series(text)
    found = [(name, by, told.get((f"panelbridge_{name}", labels(by)))) for name, by, _ in expected]
    assert found == expected


def test_what_the_file_names_is_there_from_the_start_with_0() -> None:
    text = exposition(Counters(), a_scope(), LOOK)
    for name, by in (
        ("ingress_requests_total", {"source": "marzban", "code": "503"}),
        ("ingress_requests_total", {"source": "unknown", "code": "404"}),
        ("ingress_request_duration_seconds_count", {"source": "marzban"}),
        ("events_total", {"source": "marzban", "type": "user.deleted"}),
        ("events_set_aside_total", {"source": "marzban"}),
        ("row_matches_total", {"row": "route 2"}),
        ("deliveries_total", {"sink": "team", "fate": "dead"}),
        ("attempts_total", {"sink": "team", "outcome": "gone"}),
        ("delivery_delay_seconds_count", {"sink": "team"}),
    ):
        assert value(text, f"panelbridge_{name}", **by) == 0, name


def test_what_the_store_does_not_say_is_not_there() -> None:
    text = exposition(a_busy_bridge(), a_scope(), StoreLook())
    assert value(text, "panelbridge_store_up") == 0
    silent = ("lane_standing", "lane_deliveries", "dead_letters", "store_size_bytes", "lane_oldest_timestamp_seconds")
    assert [name for name in silent if parsed(text)[f"panelbridge_{name}"].samples] == []


def test_what_the_file_does_not_name_any_more_is_left_out_and_goes_on_when_it_is_back() -> None:
    counters = a_busy_bridge()
    gone = exposition(counters, a_scope(sources={}, sinks=("team",), rows=()), StoreLook())
    assert {by.get("source", "unknown") for by in every_label(gone)} == {"unknown"}
    assert {by.get("sink", "team") for by in every_label(gone)} == {"team"}
    assert not any("row" in by for by in every_label(gone))
    back = exposition(counters, a_scope(), StoreLook())
    assert value(back, "panelbridge_events_total", source="marzban", type="user.created") == 2


def every_label(text: bytes) -> list[dict[str, str]]:
    return [dict(one) for _, one in series(text)]


# names


def test_names_end_in_their_unit_and_counters_in_total() -> None:
    for metric in METRICS:
        assert re.fullmatch("panelbridge(_[a-z]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help[0].isupper()
        assert metric.help.endswith(".")
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_page_has_a_row_for_each_metric_with_its_kind_and_labels() -> None:
    told = [(named(name)[0], kind, tuple(named(names)), text) for name, kind, names, text in table(PAGE, "Metrics")]
    assert told == [(one.name, one.kind, one.labels, one.help) for one in METRICS]


# what labels hold


def test_series_are_bounded_however_strange_types_are() -> None:
    counters = Counters()
    for source in ("one", "two"):
        intake = Intake([Routed(an_event(type_=f"strange.{number}"), (), DECISION) for number in range(5000)])
        counters.events_taken(source, intake, ())
    scope = a_scope(sources={"one": TYPES, "two": TYPES})
    types = {
        dict(by)["type"] for name, by in series(exposition(counters, scope, LOOK)) if name.endswith("events_total")
    }
    assert OTHER in types
    assert len(types) == NAMED_TYPES + 1


@pytest.mark.parametrize("name", ['webhook "ops"\n\\', "webhook half\ud83d", "webhook پنل", "webhook {a=1}"])
def test_a_rows_name_may_hold_anything(name: str) -> None:
    counters = Counters()
    counters.row_matches[name] = 3
    found = series(exposition(counters, a_scope(rows=(name,)), LOOK))
    [(_, told)] = [(by, told) for (metric, by), told in found.items() if metric == "panelbridge_row_matches_total"]
    assert told == 3


@pytest.mark.process
def test_the_library_is_not_imported_before_the_first_scrape() -> None:
    code = "import sys, bridge.app, bridge.admin.metrics.scrape; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in it."""
    match value:
        case dict():
            yield from (leaf for one in value.values() for leaf in leaves(one))
        case list():
            yield from (leaf for one in value for leaf in leaves(one))
        case str() | int() | float():
            yield str(value)


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_that_a_recorded_request_holds_is_in_a_label(folder: str) -> None:
    counters, sent = Counters(), set[str]()
    source = Source(folder, folder, opened(folder))
    for request in recorded(folder):
        with suppress(HookRejected):
            events, set_aside = source.parse(request.hook)
            counters.events_taken(folder, Intake([Routed(event, (), DECISION) for event, _ in events], set_aside), ())
            sent |= {leaf for event, _ in events for leaf in leaves([event.data, event.native, event.subject])}
    types = {type_ for _, type_ in counters.events}
    idle, told = (
        label_values(exposition(one, a_scope({folder: ()}, sinks=()), StoreLook())) for one in (Counters(), counters)
    )
    assert types <= told
    assert sent & (told - idle) <= types


def label_values(text: bytes) -> set[str]:
    return {value for one in every_label(text) for value in one.values()}
