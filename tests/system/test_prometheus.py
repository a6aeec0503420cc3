"""What docs/monitoring gives to Prometheus, judged by its own promtool; and a bridge that it really scrapes."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bridge.admin.metrics.families import exposition
from bridge.counters import Counters
from tests.admin.scraped import a_scope
from tests.admin.test_families import LOOK, a_busy_bridge
from tests.admin.test_scraped import ALICE, FILE, READ, SECRET
from tests.monitoring import FOLDER, Query, dashboard_queries, queries, read_yaml, rules
from tests.processes import PATIENCE, a_bridge, a_receiver, free_port
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


class Prometheus:
    """A real one, asked over its API."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self.http = url, http

    async def get(self, path: str, **params: str) -> Any:
        async with self.http.get(f"{self.url}/api/v1/{path}", params=params) as response:
            answer = await response.json()
            assert answer["status"] == "success", answer
            return answer["data"]

    async def ask(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """What an expression gives now."""
        found = (await self.get("query", query=expr))["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    async def until(self, expr: str, so: Callable[[list[float]], object]) -> None:
        """Returns once it gives that."""
        async with asyncio.timeout(PATIENCE):
            while not so([value for _, value in await self.ask(expr)]):
                await asyncio.sleep(0.2)

    async def judged_rules(self) -> list[dict[str, Any]]:
        """All rules, once each was asked."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [rule for group in (await self.get("rules"))["groups"] for rule in group["rules"]]
                if all(rule["health"] != "unknown" for rule in found):
                    return found
                await asyncio.sleep(0.2)


@asynccontextmanager
async def a_prometheus(folder: Path, target: str) -> AsyncIterator[Prometheus]:
    """One that scrapes that address every second, as docs/monitoring says."""
    (folder / "panelbridge.token").write_text(READ)
    settings = read_yaml("prometheus.yaml")
    settings["rule_files"] = [str(FOLDER / name) for name in settings["rule_files"]]
    settings["global"] = {"evaluation_interval": "1s"}
    [job] = settings["scrape_configs"]
    job["scrape_interval"] = job["scrape_timeout"] = "1s"
    job["authorization"]["credentials_file"] = str(folder / "panelbridge.token")
    job["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    command = [needed("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as http:
            async with asyncio.timeout(PATIENCE):
                while not await _is_ready(http, address):
                    assert process.poll() is None, (folder / "prometheus.log").read_text()
                    await asyncio.sleep(0.1)
            yield Prometheus(f"http://{address}", http)
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def _is_ready(http: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with http.get(f"http://{address}/-/ready") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


#: Panels that show nothing while nothing is wrong.
QUIET = ("> 0", "panelbridge_lane_oldest", "panelbridge_fallbacks")


async def test_a_running_bridge_is_scraped_and_every_panel_shows_it_and_every_rule_is_asked(tmp_path: Path) -> None:
    port = free_port()
    async with a_receiver() as receiver:
        file = FILE.format(port=port, url=receiver.url, metrics="token")
        async with a_bridge(tmp_path, file) as bridge, a_prometheus(tmp_path, f"127.0.0.1:{port}") as prometheus:
            await bridge.start()
            await prometheus.until('up{job="panelbridge"}', lambda values: values == [1])
            async with aiohttp.ClientSession() as http:
                for _ in range(3):
                    headers = {"x-webhook-secret": SECRET}
                    async with http.post(f"{bridge.url}/in/marzban", json=ALICE, headers=headers) as response:
                        assert response.status == 200
            delivered = 'panelbridge_deliveries_total{job="panelbridge", sink="ops", fate="delivered"}'
            await prometheus.until(delivered, lambda values: values == [3])
            await prometheus.until(f"increase({delivered}[5m])", lambda values: values and values[0] > 0)
            for query in dashboard_queries():
                if any(word in query.expr for word in QUIET):
                    await prometheus.ask(query.expr)
                else:
                    await prometheus.until(query.expr, bool)
            found = await prometheus.judged_rules()
            assert {rule["name"] for rule in found} == {rule["alert"] for rule in rules()}
            assert {rule["health"] for rule in found} == {"ok"}
            bridge.config.write_text(bridge.config.read_text() + "nonsense: 1\n")
            pending = 'ALERTS{alertname="PanelbridgeConfigRejected"}'
            await prometheus.until(pending, lambda values: values == [1])
