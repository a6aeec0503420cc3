"""How Mattermost's post looks in a channel: who speaks, with the mark of a bot, and the text."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, silent_mark
from bridge.markup.html import element, moment, painted
from bridge.sinks.mattermost.message import TEXT
from bridge.sinks.mattermost.reading import reading


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The post, and where it goes."""
    text = str(body.get("text", ""))
    name = element("b", str(body.get("username") or SPEAKER))
    where = [f"in {body['channel']}"] if "channel" in body else []
    priority = object_at(body, "priority").get("priority")
    where += [str(priority)] if priority else []
    about = (element("span", one, class_="where") for one in where)
    icon = [element("span", str(body["icon_emoji"]), class_="where")] if "icon_emoji" in body else []
    silent = silent_mark(body.get("silent") is True)
    bot = element("span", "BOT", class_="app")
    head = element("div", name, *icon, bot, moment(at, f"{at:%H:%M}"), *about, silent, class_="who")
    said = element("div", painted(reading(text)), class_="say")
    html = element("div", AVATAR, element("div", head, said, class_="message"), class_="drawn mattermost")
    return Drawn(html, (Measure("characters", len(text), TEXT),))
