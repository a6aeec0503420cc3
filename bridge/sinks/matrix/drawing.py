"""How Matrix's message looks in a room: who speaks, and the text; a notice is paler, and wakes nobody."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, silent_mark
from bridge.markup.html import element, moment, painted
from bridge.sinks.matrix.message import HTML, json_size
from bridge.sinks.matrix.reading import reading


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The message; of an edit what it makes of the earlier one."""
    said = object_at(body, "m.new_content") or body
    notice = said.get("msgtype") == "m.notice"
    relation = object_at(body, "m.relates_to")
    where = [element("span", _where(relation), class_="where")] if relation else []
    head = element("div", element("b", SPEAKER), moment(at, f"{at:%H:%M}"), *where, silent_mark(notice), class_="who")
    html = str(said.get("formatted_body", ""))
    text = element("div", painted(reading(html)), class_="say pale" if notice else "say", dir="auto")
    return Drawn(
        element("div", AVATAR, element("div", head, text, class_="message"), class_="drawn matrix"),
        (Measure("bytes", json_size(html), HTML),),
    )


def _where(relation: JsonObject) -> str:
    return {"m.replace": "(edited)", "m.thread": "in a thread"}.get(str(relation.get("rel_type")), "in reply")
