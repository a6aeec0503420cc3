"""How MAX's message looks in a chat: a bubble with the text, the time at its end, and links under it."""

from collections.abc import Iterator
from datetime import datetime

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, button, silent_mark
from bridge.markup.html import element, moment, painted
from bridge.sinks.max.html import TEXT
from bridge.sinks.max.reading import reading
from bridge.sinks.text import utf16


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The bubble, and the rows of buttons under it."""
    text = str(body.get("text", ""))
    where = " · in reply to an earlier message" if "link" in body else ""
    who = element("div", element("b", SPEAKER), element("span", where, class_="where"), class_="who")
    silent = silent_mark(body.get("notify") is False)
    end = element("div", silent, moment(at, f"{at:%H:%M}"), class_="end")
    bubble = element("div", who, element("div", painted(reading(text)), class_="say"), end, class_="bubble")
    rows = [
        element("div", *(button(str(one["text"]), str(one["url"])) for one in row), class_="buttons")
        for row in _rows(body)
    ]
    html = element("div", AVATAR, element("div", bubble, *rows, class_="message"), class_="drawn max")
    return Drawn(html, (Measure("characters", utf16(text), TEXT),))


def _rows(body: JsonObject) -> Iterator[list[JsonObject]]:
    for one in body.get("attachments") or []:
        yield from object_at(one, "payload").get("buttons", [])
