"""The shipped messages: the documented layout, every type in every service and language, hostile data."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume
from hypothesis import given as generated

from bridge.event import Event
from bridge.message import RECORD, UNIT
from bridge.messages.catalog import LOCALES, catalog
from bridge.messages.renderer import Renderer
from bridge.messages.states import STRATEGIES
from bridge.messages.values import figure, given, moment, word
from bridge.samples import sample, samples
from bridge.sinks import SERVICES
from bridge.value import replace
from bridge.vocabulary import KEYS, THINGS, TYPES, documented_name
from tests.messages.hostile import harmless, texts
from tests.messages.speech import (
    ENGLISH,
    EVERYTHING,
    NOW,
    event,
    inline,
    said,
    with_texts,
)
from tests.services.every import CHATS

ROOT = Path(__file__).parents[2]

#: OrbVPN's documented USER_CREATED, as its panel understands it.
ORBVPN = event(
    "user.created",
    {
        "user": {
            "username": "user@example.com",
            "email": "user@example.com",
            "id": 63396,
            "active": True,
            "first_name": "John",
            "last_name": "Doe",
            "country": "US",
            "phone": "+1234567890",
        },
        "subscription": {
            "plan": "3 Month",
            "plan_id": 3,
            "multi_login_count": 5,
            "trial": False,
            "expires_at": "2025-02-01T15:27:22.887568Z",
            "auto_renew": False,
        },
    },
    "user:user@example.com",
    panel="orbvpn",
    occurred_at=moment("2024-11-03T15:27:47.002948Z"),
    received_at=moment("2024-11-03T15:27:48.1Z"),
)
DOCUMENTED = """\
🔔 *USER_CREATED*
Time: Nov 03, 2024 15:27:47

👤 *User Information*
-------------------
• Email: user@example.com
• Username: user@example.com
• User ID: 63396

📋 *Profile Details*
-------------------
• Name: John Doe
• Country: US
• Phone: +1234567890

📅 *Subscription Details*
-------------------
• Plan: 3 Month
• Multi-Login Count: 5
• Expires At: Feb 01, 2025 15:27:22
• Auto Renew: false"""


def test_slack_says_user_created_exactly_as_documented() -> None:
    assert said("slack", ORBVPN)["text"] == DOCUMENTED


def test_slack_says_the_reseller_in_a_further_section() -> None:
    reseller = {"id": 1, "level": "OWNER", "level_id": 6, "discount_percent": 100.0, "credit": 600.0}
    one = replace(ORBVPN, data={**ORBVPN.data, "reseller": reseller})
    assert said("slack", one)["text"] == DOCUMENTED + (
        "\n\n💼 *Reseller Information*\n-------------------\n• ID: 1\n• Level: OWNER\n• Discount: 100%\n• Credit: 600"
    )


@pytest.mark.parametrize(
    ("locale", "head"),
    [
        ("en", "⏳ *User expires soon* · alice · 3 days left"),
        ("fa", "\u200f⏳ *زمان کاربر رو به پایان است* · \u2068alice\u2069 · \u20683 روز مانده\u2069"),
        ("ru", "⏳ *Срок пользователя скоро истечёт* · alice · осталось 3 дня"),
    ],
)
def test_slack_says_at_the_head_what_happened_to_whom_where_nothing_is_documented(locale: str, head: str) -> None:
    data = {"user": {"username": "alice"}, "expiry": {"days_left": 3}}
    assert said("slack", event("user.expiring", data, "user:alice"), RENDERERS[locale])["text"].splitlines()[0] == head


def test_the_documented_times_follow_the_configured_zone() -> None:
    tehran = Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale="en")
    assert "Time: Nov 03, 2024 18:57:47" in said("slack", ORBVPN, tehran)["text"]


def test_discord_says_a_user_in_an_embed() -> None:
    one = event(
        "user.expiring",
        {
            "user": {"username": "alice_b", "status": "active", "used_bytes": 2**30, "limit_bytes": 50 * 2**30},
            "expiry": {"at": "2026-11-24T04:04:00Z", "days_left": 3},
            "owner": "shop",
        },
        "user:alice_b",
    )
    blocks = dict(said("discord", one))
    fields = [record.split(UNIT) for record in blocks.pop("fields").split(RECORD) if record]
    assert blocks == {
        "content": "",
        "title": "⏳ User expires soon",
        "url": "",
        "description": "`alice_b` · **3 days left**",
        "color": str(0xE67E22),
        "footer": "main · marzban · times in UTC",
        "remarks": "",
    }
    assert fields == [
        ["Status", "active", "inline"],
        ["Expires At", "2026-11-24 04:04 (3 days left)", "inline"],
        ["Traffic", "1 GB of 50 GB (2%)", "inline"],
        ["Owner", "shop", "inline"],
    ]


def test_telegram_says_a_node_in_lines() -> None:
    data = {"node": {"name": "fra-1", "address": "10.0.0.1", "port": 22}, "reason": "no <route>"}
    assert said("telegram", event("node.connection_lost", data, "node:fra-1"))["text"] == (
        "🔴 <b>Node connection lost</b>\n"
        "\n"
        "<b>Node:</b> <code>fra-1</code>\n"
        "<b>Address:</b> <code>10.0.0.1:22</code>\n"
        "<b>Reason:</b> <code>no &lt;route&gt;</code>\n"
        "\n"
        "#node #node_connection_lost · main · 2026-11-21 04:04 UTC"
    )


def test_persian_is_dated_by_its_own_calendar_and_keeps_its_direction() -> None:
    persian = Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale="fa")
    one = event("user.expiring", {"user": {"username": "alice", "expires_at": "2026-12-21T07:34:00Z"}})
    text = said("telegram", one, persian)["text"]
    assert text.startswith("\u200f⏳ <b>")
    assert "\u2068<code>alice</code>\u2069" in text
    assert "1405/09/30 11:04 (30 روز مانده)" in text
    assert "\n\u200f\u2068#user\u2069 \u2068#user_expiring\u2069 · main · 1405/08/30 07:34 UTC+03:30" in text


def test_russian_counts_in_russian() -> None:
    russian = Renderer(folders=[], timezone=ZoneInfo("Europe/Moscow"), locale="ru")
    for days, words in ((1, "остался 1 день"), (3, "осталось 3 дня"), (5, "осталось 5 дней"), (21, "остался 21 день")):
        one = event("user.expiring", {"expiry": {"days_left": days}})
        assert words in said("discord", one, russian)["description"]


@pytest.mark.parametrize(
    ("expiry", "gist"),
    [
        ({"days_left": 3}, "3 days left"),
        ({"days_left": 0, "at": "2026-11-21T16:04:00Z"}, "12 hours left"),
        ({"days_left": 0}, ""),
        ({"hours": -24}, "1 day ago"),
        ({"at": "2026-11-22T04:04:00Z"}, "1 day left"),
        ({}, ""),
    ],
)
def test_the_gist_of_an_expiry_is_the_time_that_is_left(expiry: Mapping[str, Any], gist: str) -> None:
    title = said("telegram", event("user.expiring", {"expiry": expiry}))["text"].partition("\n")[0]
    assert title == "⏳ <b>User expires soon</b>" + (f" · {gist}" if gist else "")


@pytest.mark.process
def test_english_pays_for_no_other_language() -> None:
    code = (
        "import sys; from tests.messages.speech import *; said('slack', event('user.created', EVERYTHING)); "
        "print({'babel', 'jdatetime', 'markdown_it'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "set()"


def test_everything_is_among_everything() -> None:
    fields = {name: set(value) if isinstance(value, dict) else set() for name, value in EVERYTHING.items()}
    fields.pop("extra")
    assert fields == {name: set(key.keys) for name, key in KEYS.items() if name not in ("message", "report")}


RENDERERS = {locale: Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale) for locale in LOCALES}
SAMPLES = samples(at=NOW)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_every_type_is_said_in_every_service_and_language(service: str, locale: str) -> None:
    for known in SAMPLES:
        for one in (known, event(known.type, {}, None)):
            blocks = said(service, one, RENDERERS[locale])
            documented = SERVICES[service].long_values and locale == "en" and one.panel == "orbvpn"
            title = documented_name(one.type) if documented else TYPES[one.type].title
            assert one.type == "message.posted" or catalog(locale).gettext(title) in "".join(blocks.values())
            assert any(block for name, block in blocks.items() if name not in ("color", "footer"))
            for block in blocks.values():
                assert not re.search(r"None|Undefined|%\(|\n\s*\n\s*\n|: *$", block, re.MULTILINE), block


@pytest.mark.parametrize("locale", ["fa", "ru"])
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_left_in_english(service: str, locale: str) -> None:
    """Every value is a digit here, so that every letter is ours."""
    everything = with_texts(EVERYTHING, "7") | {"extra": 0}
    everything |= {thing: {**everything[thing], "details": {"7": "7"}} for thing in THINGS}
    everything["alert"] |= {"labels": {"7": "7"}}
    for type_ in TYPES:
        one = event(type_, everything, "user:7", source="7", panel="7")
        blocks = said(service, one, RENDERERS[locale])
        words = re.sub(r"<[^>]*>|#\S+|UTC\S+|IP|API|ID|Telegram", "", "".join(blocks.values()).replace("inline", ""))
        assert not re.search("[A-Za-z]{2,}", words.replace("Extra", "")), words


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_type_is_said_with_all_that_is_known(service: str) -> None:
    one = event("marzban.foo_bar", {"plan": {"max_devices": 3, "colours": ["red", "blue"]}, "limit": None}, "plan:gold")
    words = CHATS[service].words(" ".join(said(service, one).values()))
    assert "Marzban: foo bar" in words or "MARZBAN_FOO_BAR" in words
    for part in ("Plan max devices", "3", "Plan colours", "red, blue", "gold"):
        assert part in words
    assert "None" not in words


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("odd", ["text", 7, True, [1, {"a": 2}], {"items": {"keys": "x"}}, {"name": {"a": 1}}])
def test_data_of_an_odd_shape_is_said_somehow(service: str, odd: Any) -> None:
    for type_ in ("user.created", "node.usage_threshold", "payment.failed", "message.posted", "my.own"):
        data = dict.fromkeys(EVERYTHING, odd) | {"message": odd, "items": odd}
        assert any(said(service, event(type_, data)).values())


@generated(texts)
def test_hostile_data_pings_nobody_breaks_nothing_and_forges_no_line(text: str) -> None:
    assume(given(text) and len(text) < 100 and figure(text) is None and moment(text) is None)
    assume(word(text) not in STRATEGIES)  # `never` reset is nothing to say
    hostile = _everything(text)
    benign = _everything("x")
    for service in SERVICES:
        blocks, expected = said(service, hostile), said(service, benign)
        for name, block in blocks.items():
            assert block.count("\n") == expected[name].count("\n")
            assert block.count(RECORD) == expected[name].count(RECORD)
            assert block.count(UNIT) == expected[name].count(UNIT)
        harmless(service, blocks)


@generated(text=texts)
def test_a_report_of_things_with_hostile_names_pings_nobody_and_breaks_nothing(text: str) -> None:
    report = sample("bridge.report", at=NOW)
    for service in SERVICES:
        harmless(service, said(service, replace(report, data=with_texts(dict(report.data), text))))


def _everything(text: str) -> Event:
    """Nothing in it but one is called as the user is, or it would not be told: whatever a value turns into."""
    data = with_texts(EVERYTHING, text) | {"billing": {"provider": f"H {text}", "login_url": text, "due_at": text}}
    data["user"]["username"] = f"N {text}"
    return event("user.expiring", data, f"user:{text}", source=text, panel=text)


def test_a_key_of_the_data_comes_before_a_method_of_its_name() -> None:
    assert inline("{{ data.items }} {{ data.user.keys }}", event("x", {"items": 3, "user": {"keys": 2}})).blocks == {
        "body": "3 2"
    }


def test_english_is_the_default() -> None:
    assert said("slack", ORBVPN, ENGLISH) == said("slack", ORBVPN, ENGLISH, locale="en")
