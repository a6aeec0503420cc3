"""How Telegram's message looks in a chat: a bubble with the text, the time at its end, and links under it."""

from datetime import datetime

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, button, picture, silent_mark
from bridge.markup.html import element, moment, painted
from bridge.markup.spans import words
from bridge.sinks.telegram.html import CAPTION, TEXT
from bridge.sinks.telegram.message import BUTTONS
from bridge.sinks.telegram.reading import plain_reading, reading


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The bubble, and the rows of buttons under it."""
    below_picture = "photo" in body
    text = str(body.get("caption" if below_picture else "text", ""))
    spans = reading(text) if body.get("parse_mode") == "HTML" else plain_reading(text)
    rows = _rows(body)
    edited = "edited " if "message_id" in body else ""
    silent = silent_mark(body.get("disable_notification") is True)
    end = element("div", silent, moment(at, f"{edited}{at:%H:%M}"), class_="end")
    shown = [picture(str(body["photo"]))] if below_picture else []
    bubble = element("div", *_above(body), *shown, element("div", painted(spans), class_="say"), end, class_="bubble")
    html = element("div", AVATAR, element("div", bubble, *map(_row, rows), class_="message"), class_="drawn telegram")
    buttons = sum(map(len, rows))
    more = (Measure("buttons", buttons, BUTTONS),) if buttons else ()
    return Drawn(html, (Measure("characters", len(words(spans)), CAPTION if below_picture else TEXT), *more))


def _above(body: JsonObject) -> list[Markup]:
    """Who speaks, and in which topic or to what it answers."""
    topic, reply = body.get("message_thread_id"), object_at(body, "reply_parameters")
    where = [f"topic {topic}"] if topic is not None else []
    where += ["in reply to an earlier message"] if reply else []
    about = [element("span", f" · {one}", class_="where") for one in where]
    return [element("div", element("b", SPEAKER), *about, class_="who")]


def _rows(body: JsonObject) -> list[list[JsonObject]]:
    rows = object_at(body, "reply_markup").get("inline_keyboard", [])
    return [[dict(one) for one in row] for row in rows]


def _row(buttons: list[JsonObject]) -> Markup:
    return element("div", *(button(str(one["text"]), str(one["url"])) for one in buttons), class_="buttons")
