"""The page of the file's settings, and what somebody likes: language and colours."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bridge.admin import operations
from bridge.admin.pages.settings import masked_line
from bridge.admin.state import Rejected
from bridge.errors import Mistake
from bridge.store.ledger import Ledger
from tests.admin.running import ACT, Desk
from tests.admin.visiting import page, text
from tests.fakes import START


async def test_settings_say_which_file_holds_and_name_secrets_only(desk: Desk) -> None:
    found = await text(desk, "/settings")
    assert str(desk.state.file) in found
    assert "when the bridge started" in found
    assert "<secret of berlin>" in found
    assert "1 token" in found


async def test_a_broken_file_is_told_with_its_mistakes_and_none_of_its_values(desk: Desk) -> None:
    mistake = Mistake(8, 3, 'sink "ops": url should begin with https://')
    desk.admin.reject(Rejected(START + timedelta(minutes=1), [mistake]))
    found = await text(desk, "/settings")
    assert "broken, the one before is in force" in found
    assert f"config.yaml:8:3 {mistake.text}" in found
    assert "secret-of-ops" not in found


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  url: https://discord.com/api/webhooks/1/abc", "  url: ···"),
        ("  ops: {type: discord, url: https://x/secret}", "  ops: ···"),
        ("sinks:", "sinks:"),
        ("  - a-token-in-a-list", "  - ···"),
        ("  https://discord.com/api/webhooks/1/abc", "  ···"),
        ("secret:hunter2", "···"),
        ("  - name: x", "  - name: ···"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x", "···"),
        ("", ""),
    ],
)
def test_a_line_of_the_file_is_shown_by_its_key_alone(line: str, shown: str) -> None:
    assert masked_line(line) == shown


async def test_reload_is_asked_of_the_bridge(desk: Desk) -> None:
    async with desk.program(ACT) as program, program.post("/settings/reload", allow_redirects=False) as response:
        assert response.status == 303
    assert len(desk.reloads) == 1


# What was done

UNTIL = "2026-11-30T20:05:23.301390Z"
DONE: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    ("session at 127.0.0.1", "mute", {"what": "user:bob", "until": UNTIL}),
    ("token at 10.0.0.7", "test", {"sink": "ops", "outcome": "refused", "status": 400}),
    ("mina (command)", "resume", {"sink": "ops", "held": False}),
    ("open at ::1", "prefs", {"wants": {"news": True, "quiet": None}}),
    ("somebody", "a later action", {"of a later key": "x"}),
)


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (
            "en",
            [
                "a later action of a later key x somebody",
                "prefs wants news: yes open at ::1",
                "resume sink ops held no mina (command)",
                "test sink ops outcome Refused status 400 token at 10.0.0.7",
                "mute what user:bob until 2026-11-30 23:35 session at 127.0.0.1",
            ],
        ),
        (
            "ru",
            [
                "a later action of a later key x somebody",
                "пожелания хочет news: да без токена, с адреса ::1",
                "возобновить поток получатель ops был задержан нет mina (команда)",
                "проверка получатель ops исход Отказано код ответа 400 токен, с адреса 10.0.0.7",
                "заглушить что user:bob до 2026-11-30 23:35 сеанс, с адреса 127.0.0.1",
            ],
        ),
        ("fa", ["بی‌صدا کردن چه چیز user:bob تا 2026-11-30 23:35 نشست از 127.0.0.1"]),
    ],
)
async def test_what_was_done_is_told_in_the_words_and_in_the_zone_of_who_reads_it(
    desk: Desk, locale: str, lines: list[str]
) -> None:
    def act(ledger: Ledger) -> None:
        for who, action, detail in DONE:
            operations.remember(ledger, action, detail, who=who, now=START)

    await desk.outbox.operate(act)
    found = await text(desk, "/settings", **{"Accept-Language": locale})
    assert " 07:44:18 ".join(lines) in found
    assert "T20:05" not in found


# Languages and themes


@pytest.mark.parametrize(
    ("accepted", "code", "direction"),
    [
        ("fa", "fa", "rtl"),
        ("de-DE,ru;q=0.8,en;q=0.5", "ru", "ltr"),
        ("en;q=0.1,fa-IR;q=0.9", "fa", "rtl"),
        ("xx, *;q=0.5", "en", "ltr"),
        (";;;q=x,,=", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
async def test_a_page_speaks_the_language_that_the_browser_wants(
    desk: Desk, accepted: str, code: str, direction: str
) -> None:
    found = await page(desk, "/events", **{"Accept-Language": accepted})
    assert f'<html lang="{code}" dir="{direction}"' in found


async def test_a_language_and_a_theme_that_were_chosen_are_kept(desk: Desk) -> None:
    async with desk.browser(**{"Accept-Language": "ru"}) as browser:
        async with browser.post("/preferences", data={"language": "fa", "theme": "dark", "next": "/login"}) as response:
            assert '<html lang="fa" dir="rtl" data-theme="dark">' in await response.text()
        async with browser.post("/preferences", data={"language": "xx", "theme": "'><", "next": "/login"}) as response:
            assert '<html lang="fa" dir="rtl" data-theme="dark">' in await response.text()
