"""A message drawn as its service draws it, and what the frames of all services share."""

from collections.abc import Callable
from datetime import datetime

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.html import element
from bridge.value import Value

#: Who speaks where the sink has no name of its own.
SPEAKER = "Panelbridge"

_LOGO = "M9 26c0-7 5-12 11-12s11 5 11 12M9 26h22M14.5 26v-7.5M20 26V14M25.5 26v-7.5"
#: The picture of who speaks: our own, for no picture is loaded.
AVATAR = element(
    "svg",
    element("rect", width="40", height="40", fill="#3451b2"),
    element("path", d=_LOGO, fill="none", stroke="#fff", stroke_width="2.4", stroke_linecap="round"),
    class_="avatar",
    view_box="0 0 40 40",
    aria_hidden="true",
)


class Measure(Value):
    """How much of what the service allows a message takes: `title` 12 of 256."""

    name: str
    used: int
    limit: int


class Drawn(Value):
    """A message as a piece of a page, safe as it is; and how full it is."""

    html: Markup
    measures: tuple[Measure, ...] = ()


#: Draws the body of a request, as it would be sent at a time; aware, in the zone that it is read in.
Draw = Callable[[JsonObject, datetime], Drawn]


def silent_mark(silent: bool) -> Markup:
    """That nobody is woken by it."""
    return element("span", "🔕", class_="silent", title="without a sound") if silent else Markup()


def picture(address: str, *, class_: str = "picture") -> Markup:
    """Where a picture would be: it is not loaded."""
    return element("span", "🖼 ", element("span", address), class_=class_, title=address)


def button(label: str, address: str) -> Markup:
    """A button that shows where it leads, and leads nowhere."""
    return element("span", label, class_="button", title=address)
