"""How ntfy's notification looks in its app: title, text, and tags."""

from datetime import datetime

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.drawing import AVATAR, Drawn, Measure, button, picture, silent_mark
from bridge.markup.html import element, moment, painted
from bridge.sinks.ntfy.message import TEXT, size
from bridge.sinks.ntfy.reading import reading

SILENT, LOUD = 2, 4  # priorities: up to the one it makes no sound, from the other on it is marked


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The notification, below the topic that it goes to."""
    message = str(body.get("message", ""))
    html = element("div", AVATAR, element("div", *_parts(body, message, at), class_="message"), class_="drawn ntfy")
    return Drawn(html, (Measure("bytes", size(message), TEXT),))


def _parts(body: JsonObject, message: str, at: datetime) -> list[Markup]:
    title, tags, icon = body.get("title"), body.get("tags", []), body.get("icon")
    priority = int(body.get("priority", 3))
    head = [element("span", str(body.get("topic", "")), class_="topic"), moment(at, f"{at:%H:%M}")]
    marks = [silent_mark(priority <= SILENT), element("span", f"priority {priority}") if priority >= LOUD else Markup()]
    parts = [element("div", *head, *marks, class_="who")]
    if title:
        parts.append(element("div", str(title), class_="title", dir="auto"))
    parts.append(element("div", painted(reading(message)), class_="say"))
    if tags:
        parts.append(element("div", "Tags: ", ", ".join(map(str, tags)), class_="tags"))
    parts += [picture(str(icon))] if icon else []
    buttons = [button(str(one["label"]), str(one["url"])) for one in body.get("actions", [])]
    return [*parts, element("div", *buttons, class_="buttons")] if buttons else parts
