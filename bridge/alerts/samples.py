"""A likely event of every type that the bridge tells of itself."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.alerts.alert import (
    Alert,
    config_rejected,
    dead_letters,
    lane_open,
    lane_trouble,
    source_heard,
    source_silent,
    store_failing,
)
from bridge.alerts.periods import DuePeriod, period_before
from bridge.alerts.report import DueReport
from bridge.alerts.report_settings import ReportSettings
from bridge.event import Event
from bridge.figures import Collected, Figures, GivenUp, SinkFigures
from bridge.incident import ConfigRejected, LaneStanding
from bridge.value import replace

UTC_ZONE = ZoneInfo("UTC")


def own_samples(*, at: datetime) -> list[Event]:
    """One event of each, as it arrives at `at`."""
    since, last = at - timedelta(minutes=6), at - timedelta(hours=7)
    mistakes = ConfigRejected("config.yaml", ('config.yaml:7:11: sinks.ops.type: no such "discrod"',))
    alerts = (
        lane_trouble(LaneStanding("ops", "parked", since, "HTTP 404: Unknown Webhook"), at),
        lane_trouble(LaneStanding("ops", "away", since, "HTTP 502"), at),
        lane_open(LaneStanding("ops", "open", since), at),
        dead_letters("ops", "HTTP 400", 12, at),
        config_rejected(mistakes, at),
        store_failing("store: database or disk is full", at),
        source_silent("marzban", last, at),
        source_heard("marzban", last, at),
        _report(at),
    )
    return [alert.event(at) for alert in alerts]


def _report(at: datetime) -> Alert:
    """Of the day before, with a bit of everything."""
    settings = ReportSettings(at=time(9), to=("ops",))
    due = DuePeriod(period_before(at.date(), settings.rhythm(), UTC_ZONE), at)
    types = {
        "user.created": 41,
        "user.limited": 88,
        "subscription.renewed": 63,
        "user.expired": 57,
        "node.connection_lost": 2,
    }
    day = Figures(
        whole=True,
        sources={"marzban": 1200, "remnawave": 84},
        nowhere=3,
        sinks={"ops": SinkFigures(2561, 1), "crm": SinkFigures(249, 2)},
        types=types,
        owners={"reseller-7": 214, "reseller-9": 120},
        nodes={"fra-1": 5, "hel-1": 1},
        downs={"fra-1": 2},
    )
    before = replace(day, sources={"marzban": 1146}, types={**types, "user.created": 44})
    found = Collected(
        figures=[day, before, replace(day, sources={"marzban": 1324})],
        users={"alice": 14, "bob": 9, "kaveh_m": 8},
        cut=False,
        heard={"marzban": due.period.ends, "remnawave": due.period.ends - timedelta(hours=7)},
        dead=[GivenUp("crm", "HTTP 422: contact not found", 3)],
    )
    silent = {"marzban": 3600.0, "remnawave": 6 * 3600.0}
    return DueReport("morning", settings, UTC_ZONE, due, silent).alert(found, at)
