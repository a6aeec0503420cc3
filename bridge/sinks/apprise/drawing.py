"""How a message of Apprise looks, whichever service shows it: a title and a text."""

from datetime import datetime

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure
from bridge.markup.html import element, moment, painted
from bridge.markup.spans import Span, with_addresses
from bridge.sinks.apprise.reading import reading
from bridge.sinks.apprise.schemes import SCHEMES
from bridge.sinks.text import utf16


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The message, below the service that it goes to."""
    text, scheme = str(body.get("body", "")), SCHEMES[str(body["scheme"])]
    spans: list[Span] = reading(text) if body.get("format") == "markdown" else list(with_addresses(text))
    title = str(body.get("title", ""))
    head = element("div", element("b", SPEAKER), moment(at, f"{at:%H:%M}"), scheme.service, class_="who")
    heading = element("div", title, class_="title", dir="auto") if title else Markup()
    said = element("div", painted(spans), class_="say")
    html = element("div", AVATAR, element("div", head, heading, said, class_="message"), class_="drawn apprise")
    return Drawn(html, (Measure("characters", utf16(text), scheme.text),))
