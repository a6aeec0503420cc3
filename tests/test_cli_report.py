"""`report` shows what happened, and sends it only where that is asked for."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.store import open_ledger, open_outbox
from bridge.store.queries.events import event_records
from bridge.store.records import DeliveryQuery
from tests.fakes import an_event, an_intake

FILE = """
store: {url}
sources: {{marzban: {{panel: marzban, secret: none}}}}
sinks: {{ops: {{type: console}}}}
routes: [{{to: ops}}]
reports: {{morning: {{at: "00:00", to: ops}}}}
"""


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    url = f"sqlite:///{tmp_path / 'panelbridge.db'}"
    now = datetime.now(UTC)
    async with open_outbox(url) as outbox:  # one each day: whether or not midnight comes, the last day had one
        await outbox.put(an_intake(*(an_event(at=at) for at in (now - timedelta(days=1), now))))
    (tmp_path / "config.yaml").write_text(FILE.format(url=url))
    return tmp_path / "config.yaml"


def reports(file: Path) -> int:
    """How many there are in the store."""
    with open_ledger(f"sqlite:///{file.parent / 'panelbridge.db'}") as ledger:
        return len(ledger.read(event_records, DeliveryQuery(source="panelbridge", limit=None)))


def test_a_report_is_shown_and_not_sent(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["report", "--config", str(file)])
    assert "1 event" in capsys.readouterr().out
    assert reports(file) == 0


def test_a_month_is_shown_as_soon_as_one_is_over(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace("{at:", "{every: month, at:"))
    began = datetime.now(UTC).date()
    with pytest.raises(SystemExit, match="0"):
        main(["report", "--json", "--config", str(file)])
    [report] = json.loads(capsys.readouterr().out)
    assert report["data"]["report"]["every"] == "month"
    assert report["data"]["report"]["ends_at"] in [
        f"{day.replace(day=1) - timedelta(days=1)}T23:59:59.999999Z" for day in (began, datetime.now(UTC).date())
    ]


def test_a_report_is_sent_as_often_as_it_is_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit, match="0"):
            main(["report", "morning", "--send", "--config", str(file)])
    assert "report:morning: sent to ops" in capsys.readouterr().out
    assert reports(file) == 2


def test_a_report_that_there_is_not_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["report", "evening", "--config", str(file)])
    assert 'no report named "evening": there are morning' in capsys.readouterr().err
