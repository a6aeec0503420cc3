"""Rows that have taken nothing for long: since when, and what might be wrong. Where each row stands in the file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.admin.idle_rows import IdleCause, IdleRow, Traffic, cause_of
from bridge.admin.language import language
from bridge.admin.shapes import RowCounts
from bridge.config.load import load
from bridge.config.state import row_places
from bridge.messages.catalog import LOCALES
from bridge.routing import Route
from tests.admin.running import ACT, Desk, running_admin
from tests.admin.visiting import page, text
from tests.fakes import START, FakeClock

CAME = Traffic(sources=["berlin"], types=["user.created", "bridge.lane_away"])
NOTHING = RowCounts(name="route 1", day=0, week=0, failed=0, last_at=None)
FAILED = NOTHING.model_copy(update={"failed": 2})


@pytest.mark.parametrize(
    ("route", "counts", "doubts", "cause"),
    [
        (
            {"match": "user.*", "source": "other", "when": "data.owner"},
            FAILED,
            ["no source tells that"],
            IdleCause.FILE,
        ),
        ({"match": "node.*", "source": "other", "when": "data.owner"}, FAILED, [], IdleCause.FAILS),
        ({"match": "node.*", "source": "other"}, NOTHING, [], IdleCause.NO_SOURCE),
        ({"match": "node.*", "source": ["other", "berlin"]}, NOTHING, [], IdleCause.NO_TYPE),
        ({"match": ["user.*", "!user.created"]}, NOTHING, [], IdleCause.NO_TYPE),
        (
            {"match": ["!user.*"]},
            NOTHING,
            [],
            IdleCause.NO_TYPE,
        ),  # the bridge's own are meant only where they are named
        ({"match": "user.*", "when": "data.owner"}, NOTHING, [], IdleCause.NEVER_TRUE),
        ({"match": "user.created", "source": "berlin"}, NOTHING, [], IdleCause.ELSEWHERE),
        ({"match": "*"}, NOTHING, [], IdleCause.ABOVE),
        ({"match": "bridge.*"}, NOTHING, [], IdleCause.ABOVE),
    ],
)
def test_what_might_be_wrong_is_the_first_that_holds(
    route: dict[str, Any], counts: RowCounts, doubts: list[str], cause: IdleCause
) -> None:
    assert cause_of(Route.model_validate({"to": "ops", **route}), counts, CAME, doubts) is cause


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("cause", IdleCause)
def test_each_cause_has_words_in_every_language(locale: str, cause: IdleCause) -> None:
    said, english = (IdleRow(START, cause).say(language(one)) for one in (locale, "en"))
    assert (said == english) == (locale == "en")


def test_a_row_stands_where_the_file_has_it_with_what_check_says_of_it(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "sources:\n  berlin: {panel: marzban, secret: the-secret}\n"
        "sinks:\n  ops: {type: console}\n"
        "routes:\n  - match: user.*\n    to: ops\n    stop: true\n    update: subject\n\n"
        "  - {match: user.created, to: ops}\n"
        "webhooks:\n  - {name: Sales, endpoint: 'https://hooks.slack.com/services/T1/B1/x', providerType: SLACK, "
        "subscribedEvents: [PAYMENT_RECEIVED]}\n"
    )
    first, second, webhook = row_places(load(file, {}))
    anew = 'update: "ops" tells every event anew: it has no messages that could be changed'
    assert (first.line, first.doubts) == (6, (anew,))
    assert (second.line, second.doubts) == (11, ("no event gets here: route 1 takes all of them, and stops",))
    untold = 'no source of this row tells of "PAYMENT_RECEIVED": there are user.*'
    assert (webhook.line, webhook.doubts) == (13, (untold,))


async def test_the_page_says_where_each_row_stands(desk: Desk) -> None:
    lines = desk.state.file.read_text().splitlines()
    for name, row in (("route 1", "match: node.*"), ("route 3", "match: user.expired")):
        line = next(number for number, one in enumerate(lines, 1) if row in one)
        assert f"{name} config.yaml:{line} " in await text(desk, "/routes")


async def test_a_row_that_has_taken_nothing_for_long_has_a_hint_and_not_before_a_day_was_counted(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async with running_admin(tmp_path, store_url, clock) as desk:
        assert "Nothing since" not in await text(desk, "/routes")
        clock.step(timedelta(days=2).total_seconds())
        first, second, third = (await page(desk, "/routes")).split("/events?row=")[1:]
        assert "Nothing since" in first
        assert "The file says why: " in first
        assert "no source of this row tells of" in first
        assert "Nothing since" not in second
        assert "its condition was never true" in third
        async with desk.program(ACT) as program, program.get("/api/v1/routes") as response:
            one, two, _ = (await response.json())["items"]
        assert one["hint"].startswith("The file says why: ")
        assert (two["hint"], two["idle_since"], two["line"] > one["line"]) == (None, None, True)
