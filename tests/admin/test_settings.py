"""The page of the file's settings, and what somebody likes: language and colours."""

from datetime import timedelta

import pytest

from bridge.admin.pages.settings import masked_line
from bridge.admin.state import Rejected
from bridge.errors import Mistake
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
