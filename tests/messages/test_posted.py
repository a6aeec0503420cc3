"""Messages that were posted to the Discord endpoint, for each service."""

from typing import Any

import pytest
from hypothesis import given

from bridge.posted import message_subject
from bridge.sinks import SERVICES
from bridge.value import replace
from tests.messages.hostile import harmless, texts
from tests.messages.speech import ENGLISH, event, look, said, with_texts

MESSAGE = {
    "content": "**Hello** <@1>",
    "username": "Panel",
    "embeds": [
        {
            "title": "Created",
            "url": "https://example.com/u/1",
            "description": "line *one*\nline two",
            "color": 65280,
            "author": {"name": "me", "url": "https://example.com"},
            "fields": [{"name": "Traffic", "value": "10 GB", "inline": True}, {"name": "Note", "value": "a\nb"}],
            "footer": {"text": "By: admin_1"},
            "image": {"url": "https://example.com/i.png"},
        },
        {"title": "Second", "description": "more"},
    ],
    "files": [{"name": "log.txt", "content_type": "text/plain"}],
    "components": [{"type": 1, "components": [{"type": 2, "label": "Open", "url": "https://example.com/open"}]}],
}
POSTED = event("message.posted", {"message": MESSAGE}, None, panel="discord")


@pytest.mark.parametrize("service", SERVICES)
def test_that_it_may_be_changed_is_not_to_be_seen(service: str) -> None:
    changeable = replace(POSTED, subject=message_subject("1400000000000000001"))
    assert said(service, changeable) == said(service, POSTED)


def test_a_posted_message_for_slack() -> None:
    assert said("slack", POSTED)["text"] == (
        "💬 *Panel*\n\n*Hello* @1\n\n"
        "<https://example.com|me>\n"
        "*<https://example.com/u/1|Created>*\n"
        "line _one_\nline two\n"
        "*Traffic*\n10 GB\n*Note*\na\nb\n"
        "By: admin_1\n"
        "🖼 <https://example.com/i.png|Picture>\n\n"
        "*Second*\nmore\n"
        "📎 log.txt\n"
        "🔗 <https://example.com/open|Open>"
    )


def test_a_posted_message_for_telegram() -> None:
    assert said("telegram", POSTED)["text"] == (
        "💬 <b>Panel</b>\n\n<b>Hello</b> @\u20601\n\n"
        '<a href="https://example.com">me</a>\n'
        '<b><a href="https://example.com/u/1">Created</a></b>\n'
        "line <i>one</i>\nline two\n"
        "<b>Traffic</b>\n10 GB\n<b>Note</b>\na\nb\n"
        "<i>By: admin_1</i>\n"
        '🖼 <a href="https://example.com/i.png">Picture</a>\n\n'
        "<b>Second</b>\nmore\n"
        "📎 log.txt\n"
        '🔗 <a href="https://example.com/open">Open</a>'
    )


def test_a_posted_message_for_discord() -> None:
    assert said("discord", POSTED) == {
        "content": "**Hello** <@\u200b1>",
        "title": "Created",
        "url": "https://example.com/u/1",
        "description": "line *one*\nline two\n\n**Second**\nmore\n📎 log.txt\n🔗 [Open](https://example.com/open)",
        "fields": "Traffic\x1f10 GB\x1finline\x1eNote\x1fa\nb\x1f\x1e",
        "color": "65280",
        "footer": "By: admin_1",
        "remarks": "",
    }


LAID_OUT = {
    "username": "Panel",
    "thread_name": "Outage",
    "flags": 32768,
    "components": [
        {"type": 10, "content": "# Node fra-1"},
        {
            "type": 17,
            "components": [
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "is away <@1>"}],
                    "accessory": {"type": 2, "style": 5, "label": "Open", "url": "https://example.com/open"},
                },
                {"type": 12, "items": [{"media": {"url": "https://example.com/i.png"}, "description": "Load"}]},
            ],
        },
    ],
}
POLL = {
    "content": "Lunch?",
    "poll": {
        "question": {"text": "Where to?"},
        "answers": [
            {"poll_media": {"text": "Home", "emoji": {"name": "🏠"}}},
            {"poll_media": {"text": "Office", "emoji": {"id": "5", "name": "desk"}}},
        ],
        "duration": 24,
    },
}


@pytest.mark.parametrize(
    ("service", "block", "expected"),
    [
        (
            "slack",
            "text",
            "💬 *Panel*\n🧵 Outage\n\n*Node fra-1*\n\nis away @1\n"
            "🖼 <https://example.com/i.png|Load>\n🔗 <https://example.com/open|Open>",
        ),
        (
            "telegram",
            "text",
            "💬 <b>Panel</b>\n🧵 Outage\n\n<b>Node fra-1</b>\n\nis away @\u20601\n"
            '🖼 <a href="https://example.com/i.png">Load</a>\n🔗 <a href="https://example.com/open">Open</a>',
        ),
        (
            "discord",
            "description",
            "🧵 Outage\n# Node fra-1\nis away <@\u200b1>\n"
            "🖼 [Load](https://example.com/i.png)\n🔗 [Open](https://example.com/open)",
        ),
    ],
)
def test_components_and_the_name_of_a_thread_are_told_everywhere(service: str, block: str, expected: str) -> None:
    assert said(service, event("message.posted", {"message": LAID_OUT}, None))[block] == expected


@pytest.mark.parametrize(
    ("service", "block", "expected"),
    [
        ("slack", "text", "💬 *main*\n\nLunch?\n\n📊 *Where to?*\n• 🏠 Home\n• Office"),
        ("telegram", "text", "💬 <b>main</b>\n\nLunch?\n\n📊 <b>Where to?</b>\n• 🏠 Home\n• Office"),
        ("discord", "description", "📊 **Where to?**\n• 🏠 Home\n• Office"),
    ],
)
def test_a_poll_is_told_everywhere(service: str, block: str, expected: str) -> None:
    assert said(service, event("message.posted", {"message": POLL}, None))[block] == expected


@given(texts)
def test_hostile_components_and_polls_are_harmless_too(text: str) -> None:
    for service in SERVICES:
        for message in (LAID_OUT, POLL):
            one = event("message.posted", {"message": with_texts(message, text)}, None, source=text)
            harmless(service, said(service, one))


@given(texts)
def test_a_hostile_posted_message_is_harmless_too(text: str) -> None:
    for service in SERVICES:
        one = event("message.posted", {"message": with_texts(MESSAGE, text)}, None, source=text)
        harmless(service, said(service, one))


def _with_nulls_for_lists(message: dict[str, Any]) -> dict[str, Any]:
    """As Go writes nil slices, and .NET lists that are null."""
    embeds = [{"fields": None, "author": None, **one} for one in message["embeds"]]
    lists = dict.fromkeys(("components", "files", "poll"))
    return {**lists, **message, "embeds": [*embeds, {"title": "Third", "fields": None}]}


@pytest.mark.parametrize("service", SERVICES)
def test_a_null_in_a_posted_message_is_what_it_does_not_say(service: str) -> None:
    without = {**MESSAGE, "embeds": [*MESSAGE["embeds"], {"title": "Third"}]}
    nulls = event("message.posted", {"message": _with_nulls_for_lists(MESSAGE)}, None, panel="discord")
    assert said(service, nulls) == said(service, replace(POSTED, data={"message": without}))


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_whose_embeds_are_null_says_its_content(service: str) -> None:
    null = event("message.posted", {"message": {"content": "IMPORTANT", "embeds": None}}, None, panel="cloudevents")
    assert "IMPORTANT" in "".join(said(service, null).values())


@pytest.mark.parametrize("service", SERVICES)
def test_of_a_posted_message_that_no_template_can_tell_the_words_are_said(service: str) -> None:
    embeds = [{"title": "T*1", "description": "D1\nD2", "fields": 5}, {"title": "T2"}, 7]
    odd = event("message.posted", {"message": {"content": "@everyone IMPORTANT", "embeds": embeds}}, None)
    rendered = ENGLISH.render(odd, replace(look(service), service=replace(SERVICES[service], name="pager")))
    told = "".join(rendered.blocks.values())
    assert rendered.fault is not None
    assert [word for word in ("IMPORTANT", "D1\nD2", "T2") if word not in told] == []
    harmless(service, rendered.blocks)
