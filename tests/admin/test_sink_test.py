"""A test is sent from a page, and the page says what came of it."""

import logging
from pathlib import Path

import pytest

from bridge.admin import operations
from bridge.admin.trials.shapes import SentTest
from bridge.delivery.probe import ProbeResult
from bridge.errors import BridgeError, TooSoon, UnknownName
from bridge.event import Event
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from tests.admin.running import ACT, LOOK, Desk, form_token, running_admin, sign_in
from tests.admin.visiting import page, text
from tests.fakes import FakeClock


class Prober:
    """Answers every probe with the same."""

    def __init__(self, attempt: Attempt | Exception, fault: str | None = None) -> None:
        self.attempt, self.fault = attempt, fault
        self.sent: list[tuple[str, Event, str | None]] = []

    async def __call__(self, sink: str, event: Event, locale: str | None) -> ProbeResult:
        self.sent.append((sink, event, locale))
        if isinstance(self.attempt, Exception):
            raise self.attempt
        return ProbeResult(self.attempt, self.fault, 87.44)


async def sent(desk: Desk, prober: Prober, sink: str = "ops", **asked: str) -> SentTest:
    sinks, sources = desk.state.sinks, desk.state.dry_run.sources
    return await operations.send_test(prober, sinks, sources, sink, at=desk.clock.now(), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "delivered", "word", "reason"),
    [
        (Delivered(ref="7", note="sent anew"), True, "delivered", None),
        (Limited(3.0), False, "limited", None),
        (Away("HTTP 502"), False, "away", "HTTP 502"),
        (Refused("HTTP 400"), False, "refused", "HTTP 400"),
        (Gone("HTTP 404"), False, "gone", "HTTP 404"),
    ],
)
async def test_a_test_says_what_the_service_made_of_it(
    desk: Desk, outcome: Outcome, delivered: bool, word: str, reason: str | None
) -> None:
    found = await sent(desk, Prober(Attempt(outcome, 200, "hm"), "line 3: no such filter"))
    assert (found.sink, found.type, found.delivered, found.outcome) == ("ops", "user.created", delivered, word)
    assert (found.status, found.answer, found.reason, found.ms) == (200, "hm", reason, 87.4)
    assert (found.ref, found.note) == (("7", "sent anew") if delivered else (None, None))
    assert found.fault == "line 3: no such filter"


async def test_a_sample_is_worded_as_the_first_source_words_it_that_sends_such(desk: Desk) -> None:
    prober = Prober(Attempt(Delivered()))
    await sent(desk, prober, type_="user_expired", locale="fa")
    await sent(desk, prober, type_="payment.received")
    [(_, own, locale), (_, foreign, _)] = prober.sent
    assert (own.type, own.source, own.panel, locale) == ("user.expired", "berlin", "marzban", "fa")
    assert (foreign.type, foreign.panel) != ("payment.received", "marzban")


@pytest.mark.parametrize(
    ("sink", "type_", "error", "said"),
    [
        ("opps", "user.created", UnknownName, 'no sink named "opps": did you mean "ops"?'),
        ("ops", "user.creatd", UnknownName, 'no event has the type "user.creatd": did you mean "user.created"?'),
        ("off", "user.created", BridgeError, 'sink "off" is disabled: nothing is sent to it'),
    ],
)
async def test_what_cannot_be_tested_is_said_and_nothing_is_sent(
    desk: Desk, sink: str, type_: str, error: type[Exception], said: str
) -> None:
    prober = Prober(Attempt(Delivered()))
    with pytest.raises(error) as raised:
        await sent(desk, prober, sink, type_=type_)
    assert (str(raised.value), prober.sent) == (said, [])


async def press(desk: Desk, sink: str) -> tuple[int, str]:
    """What a press of the button leads to: the status, and the page that follows."""
    async with desk.browser() as browser:
        await sign_in(browser)
        form = {"form_token": await form_token(browser)}
        async with browser.post(f"/sinks/{sink}/test", data=form) as response:
            return response.status, await response.text()


async def test_the_page_of_a_sink_shows_the_last_test_with_answer_and_advice(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    gone = Prober(Attempt(Gone("HTTP 404 Unknown Webhook"), 404, '{"code": 10015, "x": "<b>"}'))
    async with running_admin(tmp_path, store_url, clock, probe=gone) as desk:
        assert "Last test" not in await text(desk, "/sinks/ops")
        status, shown = await press(desk, "ops")
        assert status == 200
        for part in (
            "The test was not delivered.",
            "Last test",
            "The address is gone, 404",
            "HTTP 404 Unknown Webhook",
        ):
            assert part in shown
        assert "&lt;b&gt;" in shown
        assert "<b>&#34;" not in shown
        assert "Last test" not in await text(desk, "/sinks/team")
        gone.attempt = Attempt(Delivered(ref="77"), 200)
        _, shown = await press(desk, "ops")
        assert "The test was delivered. Look for it there." in shown
        assert "The address is gone" not in shown


@pytest.mark.parametrize(
    ("sink", "attempt", "status", "said"),
    [
        ("nobody", Attempt(Delivered()), 404, "no sink named"),
        ("off", Attempt(Delivered()), 409, "is disabled"),
        ("ops", TooSoon("ops was sent a test just now: try again in 4 s", after=3.2), 429, "try again in 4 s"),
    ],
)
async def test_a_button_that_cannot_do_it_says_why(
    tmp_path: Path, store_url: str, clock: FakeClock, sink: str, attempt: Attempt | Exception, status: int, said: str
) -> None:
    async with running_admin(tmp_path, store_url, clock, probe=Prober(attempt)) as desk:
        found, shown = await press(desk, sink)
        assert (found, said in shown) == (status, True)


async def test_only_who_may_act_sees_the_button_and_only_where_something_is_sent(desk: Desk) -> None:
    assert 'action="/sinks/ops/test"' in await page(desk, "/sinks/ops")
    assert 'action="/sinks/off/test"' not in await page(desk, "/sinks/off")
    overview = await page(desk, "/sinks")
    assert ('action="/sinks/ops/test"' in overview, 'action="/sinks/off/test"' in overview) == (True, False)
    async with desk.browser() as browser:
        await sign_in(browser, LOOK)
        for path in ("/sinks", "/sinks/ops"):
            async with browser.get(path) as response:
                assert "/test" not in await response.text()
    async with desk.program(LOOK) as program, program.post("/sinks/ops/test", allow_redirects=False) as response:
        assert response.status == 403


async def test_a_test_is_a_line_of_the_log_with_what_came_of_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge")
    async with desk.program(ACT) as program, program.post("/sinks/ops/test", allow_redirects=False) as response:
        assert response.status == 303
    [line] = [vars(one)["fields"] for one in caplog.records if one.msg == "admin.acted"]
    assert line | {"address": ""} == {
        "action": "test",
        "by": "token",
        "address": "",
        "sink": "ops",
        "outcome": "delivered",
        "status": 200,
    }
