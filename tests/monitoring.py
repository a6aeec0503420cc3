"""What stands in docs/monitoring: rules, their tests, a dashboard and how Prometheus scrapes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.pages import ROOT, blocks

FOLDER = ROOT / "docs" / "monitoring"
#: What Grafana puts in place of its own variables.
VARIABLES = {"$job": "panelbridge", "$__rate_interval": "1m"}


@dataclass(frozen=True)
class Query:
    """An expression, and where it stands."""

    where: str
    expr: str

    def __str__(self) -> str:
        return self.where


def read_yaml(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def dashboard() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    return value


def panels() -> list[dict[str, Any]]:
    """Those that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in read_yaml("alerts.yaml")["groups"] for rule in group["rules"]]


def dashboard_queries() -> Iterator[Query]:
    """As Prometheus is asked them."""
    for panel in panels():
        for target in panel["targets"]:
            yield Query(f"{panel['title']} {target['refId']}", _filled(target["expr"]))
    for one in dashboard()["annotations"]["list"]:
        yield Query(one["name"], _filled(one["expr"]))


def queries() -> list[Query]:
    """Every expression: of the rules, of the dashboard, of the page."""
    shown = [Query(str(block), line) for block in blocks("promql") for line in block.text.splitlines() if line]
    return [*(Query(rule["alert"], rule["expr"]) for rule in rules()), *dashboard_queries(), *shown]


def _filled(expr: str) -> str:
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr
