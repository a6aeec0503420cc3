"""A request as a page shows it, for what is no message to people: where it goes, its headers, its body."""

import json
from typing import Any

from markupsafe import Markup

from bridge.admin.trials.shapes import RequestShape
from bridge.event import Event
from bridge.markup.drawing import Drawn
from bridge.markup.html import element


def drawn_request(request: RequestShape | None, event: Event) -> Drawn:
    """The request; where none is sent, the event as a terminal shows it."""
    if request is None:
        return Drawn(element("div", _json(event.to_json()), class_="drawn request"))
    line = element("div", element("b", request.method), " ", request.url, class_="line", dir="ltr")
    headers = [part for name, value in request.headers.items() for part in (_term(name), _value(value))]
    return Drawn(element("div", line, element("dl", *headers, dir="ltr"), _json(request.body), class_="drawn request"))


def _term(name: str) -> Markup:
    return element("dt", name)


def _value(value: str) -> Markup:
    return element("dd", value)


def _json(value: Any) -> Markup:
    """Indented JSON; what is no JSON as it is."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return element("pre", text, dir="ltr")
