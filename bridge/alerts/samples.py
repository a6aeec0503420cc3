"""A likely event of every type that the bridge tells of itself."""

from datetime import datetime, timedelta

from bridge.alerts.alert import (
    config_rejected,
    dead_letters,
    lane_open,
    lane_trouble,
    source_heard,
    source_silent,
    store_failing,
)
from bridge.event import Event
from bridge.incident import ConfigRejected, LaneStanding


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
    )
    return [alert.event(at) for alert in alerts]
