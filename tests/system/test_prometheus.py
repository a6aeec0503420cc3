"""What docs/monitoring gives to Prometheus, judged by its own promtool; and a bridge that it really scrapes."""

import subprocess
from pathlib import Path

import pytest
import yaml

from bridge.admin.metrics import exposition
from bridge.counters import Counters
from tests.admin.scraped import a_scope
from tests.admin.test_metrics import LOOK, a_busy_bridge
from tests.monitoring import FOLDER, Query, queries
from tests.processes import PATIENCE
from tests.tools import needed

pytestmark = pytest.mark.process


def promtool(*words: str, given: bytes = b"") -> str:
    """What it says; it has nothing to complain of."""
    done = subprocess.run(
        [needed("promtool"), *words], input=given, capture_output=True, timeout=PATIENCE, cwd=FOLDER, check=False
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_the_rules_are_rules() -> None:
    assert "SUCCESS: 9 rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")


def test_each_alert_fires_when_it_should_and_not_when_it_should_not() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")


def test_the_way_to_scrape_is_a_configuration(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-of-this-test")
    text = (FOLDER / "prometheus.yaml").read_text("utf-8")
    for name in ("alerts.yaml", "/etc/prometheus/panelbridge.token"):
        assert name in text
    text = text.replace("alerts.yaml", str(FOLDER / "alerts.yaml"))
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/panelbridge.token", str(token)))
    said = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert "is valid prometheus config file syntax" in said


@pytest.mark.parametrize("counters", [Counters(), a_busy_bridge()], ids=["idle", "busy"])
def test_names_and_help_are_as_prometheus_wants_them(counters: Counters) -> None:
    assert promtool("check", "metrics", given=exposition(counters, a_scope(), LOOK)).strip() == ""


@pytest.mark.parametrize("query", queries(), ids=str)
def test_every_query_is_promql(query: Query, tmp_path: Path) -> None:
    rule = {"record": "panelbridge:asked", "expr": query.expr}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": [rule]}]}))
    promtool("check", "rules", str(tmp_path / "rules.yaml"))
