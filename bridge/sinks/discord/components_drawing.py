"""How Discord's components and polls look: texts, sections, galleries, rows of links.

Source   discord.com/developers/docs/components/reference
"""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.drawing import button, picture
from bridge.markup.html import element, painted
from bridge.posted import (
    ACTION_ROW,
    BUTTON,
    CONTAINER,
    MEDIA_GALLERY,
    SECTION,
    SEPARATOR,
    TEXT_DISPLAY,
    THUMBNAIL,
)
from bridge.sinks.discord.reading import reading


def drawn_component(one: JsonObject) -> Markup:
    """A component, and those inside of it."""
    match one["type"]:
        case type_ if type_ == TEXT_DISPLAY:
            return element("div", painted(reading(one["content"])), class_="say")
        case type_ if type_ == ACTION_ROW:
            return element("div", *map(drawn_component, one["components"]), class_="buttons")
        case type_ if type_ == BUTTON:
            return button(_label(one), str(one["url"]))
        case type_ if type_ == SECTION:
            texts = element("div", *map(drawn_component, one["components"]))
            return element("div", texts, drawn_component(one["accessory"]), class_="section")
        case type_ if type_ == THUMBNAIL:
            return picture(str(one["media"]["url"]), class_="picture thumbnail")
        case type_ if type_ == MEDIA_GALLERY:
            pictures = (picture(str(item["media"]["url"])) for item in one["items"])
            return element("div", *pictures, class_="gallery")
        case type_ if type_ == SEPARATOR:
            return element("hr", class_=None if one.get("divider", True) else "blank")
        case type_ if type_ == CONTAINER:
            return element("div", _bar(one), *map(drawn_component, one["components"]), class_="container")
        case _:
            return Markup()


def drawn_poll(poll: JsonObject) -> Markup:
    """The question, and what may be answered."""
    answers = (element("li", _answer(one["poll_media"])) for one in poll["answers"])
    question = element("div", str(poll["question"]["text"]), class_="title")
    return element("div", question, element("ul", *answers), class_="poll")


def all_components(components: Iterable[JsonObject]) -> list[JsonObject]:
    """The components with those inside of them: all that the service counts."""
    return list(_all(components))


def _all(components: Iterable[JsonObject]) -> Iterator[JsonObject]:
    for one in components:
        yield one
        yield from _all([*one.get("components", []), *([one["accessory"]] if "accessory" in one else [])])


def _bar(container: JsonObject) -> Markup:
    if (color := container.get("accent_color")) is None:
        return Markup()
    line = element("rect", width="10", height="4", fill=f"#{int(color):06x}")
    return element("svg", line, class_="accent", view_box="0 0 10 4", preserve_aspect_ratio="none", aria_hidden="true")


def _label(one: JsonObject) -> str:
    return " ".join(filter(None, ((one.get("emoji") or {}).get("name"), one.get("label"))))


def _answer(media: JsonObject) -> str:
    return " ".join(filter(None, ((media.get("emoji") or {}).get("name"), media.get("text"))))
