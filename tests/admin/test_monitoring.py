"""Rules and the dashboard ask for what there is, and each rule is shown to fire and not to fire."""

import re
from itertools import pairwise

import pytest
from jsonschema import Draft202012Validator

from bridge.admin.metrics.families import METRICS
from tests.monitoring import FOLDER, Query, dashboard, dashboard_queries, panels, queries, read_yaml, rules
from tests.pages import named, table

KINDS = {metric.name: metric for metric in METRICS}
ENDS = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
SERIES = {metric.name + end: metric for metric in METRICS for end in ENDS[metric.kind]}
LIBRARY = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
ADDED = {"job", "instance"}  # by Prometheus
SELECTOR = re.compile(r"\b((?:panelbridge|process|python|up)(?:_\w+)?)\b(?:\{([^}]*)\})?")

#: What Grafana 10 and newer reads of a dashboard of its schema 39, as far as this one uses it.
GRID = {"type": "object", "required": ["x", "y", "w", "h"], "additionalProperties": {"type": "integer", "minimum": 0}}
SOURCE = {"type": "object", "properties": {"type": {"const": "prometheus"}, "uid": {"const": "${datasource}"}}}
TARGET = {
    "type": "object",
    "required": ["refId", "datasource", "expr", "legendFormat", "range", "instant"],
    "properties": {
        "refId": {"type": "string", "pattern": "^[A-Z]$"},
        "datasource": SOURCE,
        "expr": {"type": "string", "minLength": 1},
        "legendFormat": {"type": "string"},
        "range": {"type": "boolean"},
        "instant": {"type": "boolean"},
        "editorMode": {"const": "code"},
    },
    "additionalProperties": False,
}
PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "gridPos"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["row", "stat", "timeseries", "state-timeline"]},
        "title": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "gridPos": GRID,
        "datasource": SOURCE,
        "targets": {"type": "array", "minItems": 1, "items": TARGET},
        "options": {"type": "object"},
        "fieldConfig": {"type": "object", "required": ["defaults", "overrides"]},
        "collapsed": {"type": "boolean"},
        "panels": {"type": "array"},
    },
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "row"}}},
    "then": {"required": ["collapsed"]},
    "else": {"required": ["datasource", "targets", "options", "fieldConfig"]},
}
DASHBOARD = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "panels", "templating", "annotations", "time"],
    "properties": {
        "id": {"type": "null"},
        "uid": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "schemaVersion": {"const": 39},
        "panels": {"type": "array", "items": PANEL},
        "time": {"type": "object", "required": ["from", "to"]},
        "templating": {
            "type": "object",
            "properties": {"list": {"items": {"required": ["name", "type", "query"]}}},
        },
    },
}


def test_the_dashboard_is_one_of_the_schema_that_it_names() -> None:
    assert [error.message for error in Draft202012Validator(DASHBOARD).iter_errors(dashboard())] == []


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other_within_24_columns() -> None:
    all_panels = dashboard()["panels"]
    assert len({panel["id"] for panel in all_panels}) == len(all_panels)
    taken: set[tuple[int, int]] = set()
    for panel in all_panels:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        cells = {(column, line) for column in range(x, x + w) for line in range(y, y + h)}
        assert x + w <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    rows = [panel["gridPos"]["y"] for panel in all_panels if panel["type"] == "row"]
    assert all(before < after for before, after in pairwise(rows))


def test_each_target_of_a_panel_is_named_apart() -> None:
    for panel in panels():
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names), panel["title"]


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_asks_for_series_and_labels_that_there_are(query: Query) -> None:
    found = SELECTOR.findall(query.expr)
    assert found
    for name, selected in found:
        if name == "up" or name in LIBRARY:
            continue
        labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected)
        assert set(labels) <= {*SERIES[name].labels, *ADDED}, name
    by = {one.strip() for group in re.findall(r"(?:by|on|without) \(([^)]*)\)", query.expr) for one in group.split(",")}
    known = {label for name, _ in found if name in SERIES for label in SERIES[name].labels}
    assert by <= {*known, "le", *ADDED}


@pytest.mark.parametrize("query", list(dashboard_queries()), ids=str)
def test_a_rate_is_asked_of_what_only_grows(query: Query) -> None:
    for name in re.findall(r"(?:rate|increase)\((\w+)", query.expr):
        assert name in LIBRARY or SERIES[name].kind in ("counter", "histogram"), name
    for name, metric in SERIES.items():
        if metric.kind == "counter" and name in query.expr:
            assert re.search(rf"(?:rate|increase)\({name}\b", query.expr), name


def test_every_metric_is_shown_or_alerts() -> None:
    text = " ".join(one.expr for one in queries())
    unused = [name for name in KINDS if name not in text and not name.endswith("_info")]
    assert unused == []


def test_every_alert_is_shown_to_fire_and_not_to_fire() -> None:
    cases = [case for group in read_yaml("alerts_test.yaml")["tests"] for case in group["alert_rule_test"]]
    names = [rule["alert"] for rule in rules()]
    assert sorted({case["alertname"] for case in cases if case["exp_alerts"]}) == sorted(names)
    assert sorted({case["alertname"] for case in cases if not case["exp_alerts"]}) == sorted(names)


def test_every_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description"}
        used = re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))
        assert set(used) <= {label for metric in METRICS for label in metric.labels} | ADDED


def test_the_page_has_a_row_for_each_alert_and_names_each_file() -> None:
    assert [named(row[0])[0] for row in table("docs/monitoring.md", "Alerts")] == [rule["alert"] for rule in rules()]
    linked = {row[0] for row in table("docs/monitoring.md", "Monitoring")}
    assert linked == {f"[{path.name}](monitoring/{path.name})" for path in FOLDER.iterdir()}


def test_the_job_that_is_scraped_is_the_one_that_the_alerts_know() -> None:
    jobs = {one["job_name"] for one in read_yaml("prometheus.yaml")["scrape_configs"]}
    assert jobs == {job for rule in rules() for job in re.findall(r'job="(\w+)"', rule["expr"])}
    assert read_yaml("prometheus.yaml")["rule_files"] == ["alerts.yaml"]
