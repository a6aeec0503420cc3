"""A table shows all of it at any width: what does not fit beside the rest stands below it."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bridge.cli import deliveries, events, lanes
from bridge.cli.console import local_time
from bridge.cli.tables import COLOURS, STATES, TextTable
from bridge.store.base import Standing, State

WHEN = datetime(2026, 11, 21, 4, 14, 18, tzinfo=UTC)
TEHRAN = ZoneInfo("Asia/Tehran")
DELIVERY = (
    *(812, WHEN, "marzban-berlin", "user.traffic_reset", "user:alice.longname@example.com", "reseller-group"),
    *("waiting", 3, "HTTP 502; the service did not answer, and something in between spoke for it"),
)
LANE = ("reseller-group", "away", WHEN, 1204, WHEN, 3, "HTTP 502; a page", WHEN, "bridge-1.example.com-3f9a")
EVENT = ("019af3d2-8e41-7c06-9d6a-0123456789ab", WHEN, "marzban", "user.expired", "user:alice", "ops dead, team dead")
SHOWN = {
    "deliveries": (deliveries.COLUMNS, deliveries.BELOW, DELIVERY),
    "lanes": (lanes.COLUMNS, lanes.BELOW, LANE),
    "events": (events.COLUMNS, events.BELOW, EVENT),
}


def drawn(name: str, width: int, *, rows: int = 3, row: Sequence[object] | None = None) -> list[str]:
    columns, below, usual = SHOWN[name]
    one = dict(zip(columns, row or usual, strict=True))
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(TextTable(columns, [one] * rows, below, TEHRAN).fitted(width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_delivery_at_80_columns_is_a_line_and_what_else_is_to_be_said_below_it() -> None:
    assert drawn("deliveries", 80, rows=1) == [
        "ID   WHEN            SUBJECT                          SINK            STATE",
        "812  11-21 07:44:18  user:alice.longname@example.com  reseller-group  waiting",
        "    from marzban-berlin · user.traffic_reset · tried 3× · HTTP 502; the service",
        "    did not answer, and something in between spoke for it",
        "times in Asia/Tehran",
    ]


def test_a_lane_at_80_columns_is_a_line_and_what_else_is_to_be_said_below_it() -> None:
    assert drawn("lanes", 80, rows=1) == [
        "SINK            STANDING  SINCE           WAITING  OLDEST          DEAD",
        "reseller-group  away      11-21 07:44:18  1204     11-21 07:44:18  3",
        "    HTTP 502; a page · until 11-21 07:44:18 · carried by",
        "    bridge-1.example.com-3f9a",
        "times in Asia/Tehran",
    ]


def test_a_lane_that_flows_has_one_line_alone() -> None:
    row = ("ops", "open", None, 0, None, None, None, None, None)
    assert drawn("lanes", 80, rows=2, row=row)[1:] == ["ops   open             0"] * 2


def test_where_there_is_room_each_is_one_line_with_whole_times() -> None:
    head, *lines = drawn("deliveries", 240)
    assert head.split() == list(deliveries.COLUMNS)
    assert len(lines) == 3
    assert "2026-11-21 07:44:18+03:30" in lines[0]


@pytest.mark.parametrize(("width", "shown"), [(80, "12-31 23:59:59"), (240, "9999-12-31 23:59:59Z")])
def test_a_time_on_the_last_day_of_the_calendar_is_shown_too(width: int, shown: str) -> None:
    row = (EVENT[0], datetime.max.replace(tzinfo=UTC), *EVENT[2:])
    assert any(shown in line for line in drawn("events", width, rows=1, row=row))


@given(width=st.integers(20, 300), name=st.sampled_from(sorted(SHOWN)))
def test_nothing_is_cut_off_and_no_line_is_wider_than_the_terminal(width: int, name: str) -> None:
    lines = drawn(name, width)
    assert max(map(len, lines)) <= width
    said = "".join("".join(lines).split())
    for value in SHOWN[name][2]:
        if not isinstance(value, datetime):
            assert said.count("".join(str(value).split())) >= 3


@pytest.mark.parametrize("state", [*State, *Standing, "disabled", "not in the file"])
def test_every_state_has_a_colour(state: str) -> None:
    assert COLOURS[state.partition(" ")[0]]


@pytest.mark.parametrize("name", ["deliveries", "lanes"])
def test_a_state_is_shown_in_its_colour_where_there_are_colours(name: str) -> None:
    columns, below, row = SHOWN[name]
    named = dict(zip(columns, row, strict=True))
    [state] = [str(named[one]) for one in STATES if one in named]
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard", highlight=False)
    console.print(TextTable(columns, [named], below, TEHRAN).fitted(80))
    assert f"\x1b[33m{state}\x1b[0m" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2026-11-21 04:14:18Z"),
        ("Europe/London", "2026-11-21 04:14:18Z"),
        ("Asia/Tehran", "2026-11-21 07:44:18+03:30"),
        ("America/St_Johns", "2026-11-21 00:44:18-03:30"),
    ],
)
def test_a_time_says_what_it_is_ahead_of_utc(zone: str, shown: str) -> None:
    assert local_time(WHEN, ZoneInfo(zone)) == shown
