"""An event is sent again on its page, as an operator reads and presses it. Over real HTTP."""

import re

import pytest

from bridge.event import Event
from bridge.intake import Intake
from bridge.store.base import State
from bridge.store.ledger import Ledger
from bridge.store.queries.events import deliveries_of
from bridge.store.records import DeliveryRecord
from bridge.value import replace
from tests.admin.reading import Tags
from tests.admin.running import ACT, ALICE, BOB, CHANGED, LOOK, Desk, form_token, sign_in
from tests.admin.visiting import page, text
from tests.fakes import START, an_event

ASKING = f"/events/{ALICE.id}?ask=again"
PATH = f"/events/{ALICE.id}/replay"
TO_OPS, TO_TEAM = "delivery-1", "delivery-2"


async def press(desk: Desk, path: str = PATH, **form: str) -> str:
    """Press the button that goes there; the address that one is led to."""
    async with desk.browser() as browser:
        await sign_in(browser)
        data = {**form, "form_token": await form_token(browser)}
        async with browser.post(path, data=data, allow_redirects=False) as response:
            assert response.status == 303, await response.text()
            return response.headers["Location"]


async def sent(desk: Desk, event: Event = ALICE) -> list[tuple[str, State, int | None]]:
    """Each delivery of it: where, how it stands, and which one it repeats."""

    def look(ledger: Ledger) -> list[DeliveryRecord]:
        return list(ledger.read(deliveries_of, [event.id]).get(event.id, ()))

    return [(one.sink, one.state, one.replay_of) for one in await desk.outbox.operate(look)]


def ticked(shown: str) -> dict[str, bool]:
    """Each box, and whether it is ticked."""
    boxes = [about for tag, about in Tags.of(shown) if tag == "input" and about.get("type") == "checkbox"]
    return {str(one["name"]): "checked" in one for one in boxes}


async def test_which_deliveries_are_sent_again_is_asked_and_the_dead_ones_are_ticked(desk: Desk) -> None:
    assert "Send again …" in await text(desk, f"/events/{ALICE.id}")
    assert ticked(await page(desk, ASKING)) == {TO_OPS: False, TO_TEAM: True}
    assert await press(desk, **{TO_TEAM: "on"}) == f"/events/{ALICE.id}?n=1&done=sent"
    assert (await sent(desk))[2:] == [("team", State.PENDING, 2)]
    assert "Sent one again." in await text(desk, f"/events/{ALICE.id}?n=1&done=sent")


async def test_what_has_arrived_is_asked_for_once_more(desk: Desk) -> None:
    asked = await press(desk, **{TO_OPS: "on", TO_TEAM: "on"})
    assert len(await sent(desk)) == 2, "nothing was sent yet"
    shown = await page(desk, asked)
    assert "It has arrived at ops already, and arrives there once more." in Tags.text(shown)
    form = dict(re.findall(r'<input type="hidden" name="(delivery-\d|once_more)" value="(on)">', shown))
    assert form == {TO_OPS: "on", TO_TEAM: "on", "once_more": "on"}
    await press(desk, **form)
    assert (await sent(desk))[2:] == [("ops", State.PENDING, 1), ("team", State.PENDING, 2)]


async def test_a_button_that_is_pressed_twice_sends_once(desk: Desk) -> None:
    form = {TO_OPS: "on", TO_TEAM: "on", "once_more": "on"}
    await press(desk, **form)
    assert "Nothing of it was left" in await text(desk, await press(desk, **form))
    assert len(await sent(desk)) == 4


async def test_what_went_nowhere_goes_where_the_table_says_now(desk: Desk) -> None:
    event = an_event("user:carol", at=START)
    await desk.outbox.put(Intake([replace(desk.state.router.route(event), destinations=())]))
    shown = await text(desk, f"/events/{event.id}?ask=again")
    assert "It went nowhere. Today’s table sends it to ops, team." in shown
    for number in (2, 0):
        led = await press(desk, f"/events/{event.id}/replay", by="table")
        assert f"n={number}" in led
    assert [sink for sink, _, _ in await sent(desk, event)] == ["ops", "team"]


@pytest.mark.parametrize(
    ("event", "offered"),
    [(CHANGED, False), (BOB, True)],
    ids=["went nowhere, and would again", "held back at one and waiting at another"],
)
async def test_there_is_a_button_where_there_is_something_to_send(desk: Desk, event: Event, offered: bool) -> None:
    assert ("?ask=again" in await page(desk, f"/events/{event.id}")) is offered


@pytest.mark.parametrize("form", [{}, {"delivery-": "on"}, {"delivery-9999": "on"}, {"delivery-x": "on"}])
async def test_a_form_that_names_none_of_them_sends_none(desk: Desk, form: dict[str, str]) -> None:
    await text(desk, await press(desk, **form))
    assert len(await sent(desk)) == 2


async def test_what_is_on_its_way_is_not_sent_again(desk: Desk) -> None:
    await press(desk, f"/events/{BOB.id}/replay", **{"delivery-3": "on", "once_more": "on"})
    assert len(await sent(desk, BOB)) == 2


async def test_whoever_may_only_look_sees_no_button_and_presses_none(desk: Desk) -> None:
    async with desk.program(LOOK) as program:
        for path in (f"/events/{ALICE.id}", ASKING):
            async with program.get(path) as response:
                shown = await response.text()
                assert f'action="{PATH}"' not in shown
                assert f'<a class="b s" href="{ASKING}"' not in shown
        async with program.post(PATH, data={TO_TEAM: "on"}) as response:
            assert response.status == 403
    assert len(await sent(desk)) == 2


async def test_a_form_without_its_token_sends_nothing(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser, ACT)
        async with browser.post(PATH, data={TO_TEAM: "on"}) as response:
            assert response.status == 403
    assert len(await sent(desk)) == 2


@pytest.mark.parametrize(
    ("locale", "said"), [("en", "Send again …"), ("fa", "فرستادن دوباره …"), ("ru", "Отправить снова …")]
)
async def test_it_is_asked_in_the_language_of_the_page(desk: Desk, locale: str, said: str) -> None:
    assert said in await text(desk, f"/events/{ALICE.id}", **{"Accept-Language": locale})
