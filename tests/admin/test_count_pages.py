"""The pages that show what was counted. Over real HTTP."""

import re

from tests.admin.running import ALICE, Desk
from tests.admin.visiting import page, text


async def test_the_table_in_force_tells_how_often_each_row_took_something(desk: Desk) -> None:
    shown = await page(desk, "/routes")
    rows = re.findall(r"<tr>\s*<td.*?</tr>", shown, re.DOTALL)
    assert len(rows) == len(desk.state.table)
    figures = [re.findall(r'class="r num"[^>]*>([\d,]+)<', row) for row in rows]
    assert figures == [["0", "0"], ["3", "3"], ["0", "0"]]
    assert [("never" in row) for row in rows] == [True, False, True]
    assert "if data.owner" not in shown
    assert "when: data.owner" in rows[2]
    assert "disabled" in rows[2]


async def test_a_row_leads_to_what_it_took_and_nothing_else(desk: Desk) -> None:
    assert 'href="/events?row=route%202&amp;since=7d"' in await page(desk, "/routes")
    taken = await page(desk, "/events?row=route%202")
    assert f"/events/{ALICE.id}" in taken
    assert taken.count('href="/events/') == 3
    assert "Nothing like that" in await text(desk, "/events?row=route%201")


async def test_what_went_nowhere_is_counted_below_the_table(desk: Desk) -> None:
    assert "One event of 7 days went nowhere." in await text(desk, "/routes")


async def test_what_came_in_is_drawn_on_the_overview_and_told_in_words(desk: Desk) -> None:
    shown = await page(desk, "/")
    assert "Events within 24 hours: 4, messages given up: 2" in shown
    assert "Messages within 24 hours: 2, given up: 2" in shown  # team
    assert "Messages within 24 hours: 1, given up: 0" in shown  # ops


async def test_a_sink_draws_a_day_and_a_month(desk: Desk) -> None:
    shown = await page(desk, "/sinks/ops")
    assert "Messages within 24 hours: 1, given up: 0" in shown
    assert "Messages within 30 days: 1, given up: 0" in shown
    assert "style=" not in shown


async def test_what_is_open_does_not_stand_in_what_is_drawn_anew_by_itself(desk: Desk) -> None:
    async with desk.program("act-0123456789abcdef") as program:
        for path in ("/", "/sinks/ops", "/routes"):
            async with program.get(path, headers={"HX-Request": "true"}) as response:
                assert response.status == 200
                assert "<details" not in await response.text()
