"""Console: the message as the service would show it, in one piece, and never a failure."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.service import ServiceLook
from bridge.message import RECORD, UNIT
from bridge.outcome import Attempt, Delivered, Limit, Rate
from bridge.sinks import SERVICES
from bridge.sinks.console import ConsoleConfig, ConsoleSink
from bridge.sinks.terminal import view
from tests.sinks.values import a_digest, a_message, config, hostile_texts, tools

EMBED = {
    "title": "🆕 User created",
    "description": "**alice** by `admin`, see [panel](https://x.example)\n\\*plain\\*",
    "fields": RECORD.join((f"Traffic{UNIT}0 B{UNIT}inline", f"Expires{UNIT}never{UNIT}inline", f"Note{UNIT}hello")),
    "color": "#2ecc71",
    "footer": "Marzban",
}


ORDERING = [
    *map(chr, (*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)))
]
ORDERS = re.compile(f"[{''.join(one for one in ORDERING if one != chr(10))}]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def a_console(out: io.StringIO, **settings: Any) -> ConsoleSink:
    return ConsoleSink(config(type="console", **settings), out)


async def test_discords_embed_is_shown_with_a_bar_title_fields_and_footer() -> None:
    out = io.StringIO()
    assert await a_console(out).send(a_message(EMBED)) == Attempt(Delivered())
    assert out.getvalue() == (
        "discord · user.created · marzban\n"
        "▌ 🆕 User created\n"
        "▌ alice by admin, see panel\n"
        "▌ *plain*\n"
        "▌\n"
        "▌ Traffic   Expires\n"
        "▌ 0 B       never\n"
        "▌ Note\n"
        "▌ hello\n"
        "▌\n"
        "▌ Marzban · 2026-11-21 04:14 UTC\n"
        "\n"
    )


async def test_on_a_terminal_the_bar_has_the_embeds_colour_and_bold_is_bold() -> None:
    out = Terminal()
    await a_console(out).send(a_message(EMBED))
    assert "\x1b[38;2;46;204;113m▌" in out.getvalue()
    assert "\x1b[1malice\x1b[0m" in out.getvalue()


async def test_without_colour_a_terminal_gets_plain_lines() -> None:
    out = Terminal()
    await a_console(out, color=False).send(a_message(EMBED))
    assert "\x1b" not in out.getvalue()


async def test_slacks_text_is_shown_without_its_marks() -> None:
    out = io.StringIO()
    text = "🔔 *USER_CREATED*\n• Email: a_b_c@x.y\n_by_ `admin` &lt;ok&gt; <https://x.example|panel>"
    await a_console(out, format="slack").send(a_message({"text": text}))
    assert out.getvalue().splitlines()[1:4] == ["▌ 🔔 USER_CREATED", "▌ • Email: a_b_c@x.y", "▌ by admin <ok> panel"]


async def test_telegrams_html_is_shown_without_its_tags() -> None:
    out = io.StringIO()
    await a_console(out, format="telegram").send(a_message({"text": "<b>New</b> <code>x &lt; y</code>\nline"}))
    assert out.getvalue().splitlines()[1:3] == ["▌ New x < y", "▌ line"]


async def test_the_event_is_shown_as_json() -> None:
    out = io.StringIO()
    message = a_message()
    await a_console(out, format="event").send(message)
    assert json.loads(out.getvalue().partition("\n")[2]) == message.event.to_json()


async def test_standard_output_is_where_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    sink = config(type="console").open(tools())
    await sink.send(a_message(EMBED))
    assert "🆕 User created" in capsys.readouterr().out


async def test_a_terminal_that_is_gone_is_no_failure() -> None:
    closed = io.StringIO()
    closed.close()
    for out in (closed, Broken()):
        assert await a_console(out).send(a_message(EMBED)) == Attempt(Delivered())


async def test_a_digest_is_shown_with_its_summary_its_parts_and_whom_else_it_is_about() -> None:
    out = io.StringIO()
    parts = [a_message({"text": "<b>alice</b>"}), a_message({"text": "bob", "remarks": "<i>sent again</i>"})]
    digest = a_digest({"text": "3 events", "more": "… and {more} more"}, *parts, untold=1)
    assert await a_console(out, format="telegram").send_digest(digest) == Attempt(Delivered())
    assert out.getvalue().splitlines() == [
        "telegram · digest · 3",
        "▌ 3 events",
        "────────",
        "▌ alice",
        "────────",
        "sent again",
        "▌ bob",
        "────────",
        "🆕 0",
        "",
    ]


async def test_a_digest_of_bare_events_is_shown_event_by_event() -> None:
    out = io.StringIO()
    await a_console(out, format="event").send_digest(a_digest({}, untold=2))
    assert out.getvalue().count('"type": "user.created"') == 2


async def test_remarks_stand_above_the_message() -> None:
    out = io.StringIO()
    await a_console(out).send(a_message(EMBED | {"remarks": "**sent again**"}))
    assert out.getvalue().splitlines()[1:3] == ["sent again", "▌ 🆕 User created"]


def test_it_asks_for_the_blocks_of_the_service_whose_message_it_shows() -> None:
    assert a_console(io.StringIO(), format="telegram", locale="fa").look == ServiceLook(
        SERVICES["telegram"], locale="fa", parts=10
    )
    assert a_console(io.StringIO(), format="event").look == ServiceLook()
    assert a_console(io.StringIO()).limits == ()
    assert a_console(io.StringIO(), rate="1/s").limits == (Limit("", Rate(1, 1.0)),)


@given(text=hostile_texts)
def test_no_text_gives_the_terminal_orders(text: str) -> None:
    for service in (*SERVICES.values(), None):
        fields = f"{text}{UNIT}{text}"
        message = a_message({"text": text, "title": text, "description": text, "fields": fields}, data={"x": text})
        shown = view(message, service, terminal=False, color=True)
        assert not ORDERS.search(shown)


@given(
    text=st.lists(st.sampled_from([*ORDERING, "a", "&#27;", "&#x202e;", "&#10;", "&lrm;", "\n", "▌", " "])).map("".join)
)
def test_no_text_turns_the_writing_round_or_gives_orders_by_its_escapes(text: str) -> None:
    for service in (*SERVICES.values(), None):
        message = a_message({"text": text, "title": text, "content": text, "remarks": text}, data={"x": text})
        assert not ORDERS.search(view(message, service, terminal=False, color=True))


FORGED = "hi\ndiscord · user.created · main\u2028telegram · x · y\x85slack · x · y\x1cx · y · z\r▌ alice\n────────"


@pytest.mark.parametrize("format_", [*SERVICES, "event"])
@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_message_says_cannot_be_taken_for_the_line_above_a_message(format_: str, terminal: bool) -> None:
    texts = dict.fromkeys(("text", "title", "description", "content", "footer"), FORGED)
    message = a_message({**texts, "fields": f"{FORGED}{UNIT}{FORGED}"}, type_="message.posted", data={"x": FORGED})
    shown = view(message, SERVICES.get(format_), terminal=terminal, color=False, width=40)
    head, *lines = [line for line in shown.splitlines() if line]
    assert head == f"{format_} · message.posted · marzban"
    if format_ == "event":
        assert json.loads("\n".join(lines))["data"]["x"] == FORGED
    else:
        assert [line for line in lines if not line.startswith(("▌", "  "))] == []


def test_a_remark_is_one_line() -> None:
    message = a_message({"text": "hi", "remarks": f"instead of ops: {FORGED}"})
    for name, service in SERVICES.items():
        lines = view(message, service, terminal=False, color=False).splitlines()
        assert [line.partition(" ")[0] for line in lines if line and not line.startswith("▌")] == [name, "instead"]


def test_it_can_show_what_every_chat_would_get_and_the_event() -> None:
    assert ConsoleConfig.model_json_schema()["properties"]["format"]["enum"] == [*SERVICES, "event"]
    for name, service in SERVICES.items():
        assert a_console(io.StringIO(), format=name).look.service is service
