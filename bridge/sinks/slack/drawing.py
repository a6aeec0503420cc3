"""How Slack's message looks in a channel: its blocks under each other, beside a square picture."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure
from bridge.markup.html import element, moment, painted
from bridge.sinks.slack.message import BLOCKS, SECTION
from bridge.sinks.slack.reading import reading


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The blocks; `text` beside them is what a notification shows, and is not seen here."""
    blocks: list[Mapping[str, Any]] = body.get("blocks", [])
    shown = [part for block in blocks for part in _block(block)]
    html = element("div", AVATAR, element("div", _who(body, at), *shown, class_="message"), class_="drawn slack")
    longest = max((len(text) for block in blocks for text in _texts(block)), default=0)
    return Drawn(html, (Measure("characters", longest, SECTION), Measure("blocks", len(blocks), BLOCKS)))


def _who(body: JsonObject, at: datetime) -> Markup:
    name = str(body.get("username") or SPEAKER)
    where = [f"in {body['channel']}"] if "channel" in body else []
    where += ["in a thread"] if "thread_ts" in body else []
    where += ["(edited)"] if "ts" in body else []
    icon = [element("span", str(body["icon_emoji"]), class_="where")] if "icon_emoji" in body else []
    app = element("span", "APP", class_="app")
    about = (element("span", one, class_="where") for one in where)
    return element("div", element("b", name), *icon, app, moment(at, _clock(at)), *about, class_="who")


def _clock(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M %p}"


def _block(block: Mapping[str, Any]) -> Iterator[Markup]:
    if block["type"] == "divider":
        yield element("hr")
        return
    name = "context" if block["type"] == "context" else "say"
    for text in _texts(block):
        yield element("div", painted(reading(text)), class_=name, dir="auto")


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a block, in the order in which they are seen."""
    for one in (block.get("text"), *block.get("elements", [])):
        if one:
            yield str(one["text"])
