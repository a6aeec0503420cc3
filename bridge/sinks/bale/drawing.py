"""How Bale's message looks in a chat: a bubble with the text, the time at its end, and links under it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, button
from bridge.markup.html import element, moment, painted
from bridge.sinks.bale.message import TEXT
from bridge.sinks.bale.reading import reading


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The bubble, and the rows of buttons under it."""
    text = str(body.get("text", ""))
    where = " · in reply to an earlier message" if "reply_to_message_id" in body else ""
    edited = "edited " if "message_id" in body else ""
    who = element("div", element("b", SPEAKER), element("span", where, class_="where"), class_="who")
    end = element("div", moment(at, f"{edited}{at:%H:%M}"), class_="end")
    bubble = element("div", who, element("div", painted(reading(text)), class_="say"), end, class_="bubble")
    rows = [
        element("div", *(button(str(one["text"]), str(one["url"])) for one in row), class_="buttons")
        for row in object_at(body, "reply_markup").get("inline_keyboard", [])
    ]
    html = element("div", AVATAR, element("div", bubble, *rows, class_="message"), class_="drawn bale")
    return Drawn(html, (Measure("characters", len(text), TEXT),))
