"""How Discord's message looks in a channel: content, embeds behind a bar of their colour, components, a poll."""

from collections.abc import Iterator
from datetime import UTC, datetime

from markupsafe import Markup

from bridge.clock import in_zone
from bridge.event import JsonObject
from bridge.markup.drawing import AVATAR, SPEAKER, Drawn, Measure, picture, silent_mark
from bridge.markup.html import day_and_time, element, moment, painted
from bridge.markup.spans import Link, Span
from bridge.posted import SUPPRESS_NOTIFICATIONS
from bridge.sinks.discord.components import COMPONENTS
from bridge.sinks.discord.components_drawing import all_components, drawn_component, drawn_poll
from bridge.sinks.discord.embed import FIELDS, TITLE, TOTAL, weight
from bridge.sinks.discord.posted import CONTENT
from bridge.sinks.discord.reading import line_reading, reading
from bridge.sinks.text import utf16

GREY = 0x4F545C


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The message below the name that it speaks under."""
    parts = [_who(body, at), *_parts(body, at)]
    html = element("div", AVATAR, element("div", *parts, class_="message"), class_="drawn discord")
    return Drawn(html, tuple(_measures(body)))


def _who(body: JsonObject, at: datetime) -> Markup:
    silent = silent_mark(bool(body.get("flags", 0) & SUPPRESS_NOTIFICATIONS))
    name = element("b", str(body.get("username") or SPEAKER))
    thread = (
        [element("span", f"begins the thread {body['thread_name']}", class_="where")] if "thread_name" in body else []
    )
    app = element("span", "APP", class_="app")
    return element("div", name, app, moment(at, day_and_time(at, at)), silent, *thread, class_="who")


def _parts(body: JsonObject, at: datetime) -> Iterator[Markup]:
    if content := body.get("content"):
        yield element("div", painted(reading(str(content))), class_="say")
    yield from (_embed(one, at) for one in body.get("embeds", []))
    yield from map(drawn_component, body.get("components", []))
    if poll := body.get("poll"):
        yield drawn_poll(poll)


def _embed(embed: JsonObject, at: datetime) -> Markup:
    color = f"#{int(embed.get('color', GREY)):06x}"
    bar = element(
        "svg",
        element("rect", width="4", height="10", fill=color),
        class_="bar-of-color",
        view_box="0 0 4 10",
        preserve_aspect_ratio="none",
        aria_hidden="true",
    )
    return element("div", bar, element("div", *_embed_parts(embed, at), class_="within"), class_="embed")


def _embed_parts(embed: JsonObject, at: datetime) -> Iterator[Markup]:
    if author := embed.get("author"):
        yield element("div", _linked([Span(author["name"])], author.get("url")), class_="author")
    if title := embed.get("title"):
        yield element("div", _linked(line_reading(title), embed.get("url")), class_="title")
    if description := embed.get("description"):
        yield element("div", painted(reading(description)), class_="description")
    if fields := embed.get("fields"):
        yield element("div", *map(_field, fields), class_="fields")
    for name in ("thumbnail", "image"):
        if shown := embed.get(name):
            yield picture(str(shown["url"]), class_=f"picture {name}")
    yield from _foot(embed, at)


def _linked(spans: list[Span], url: str | None) -> Markup:
    return painted([Span(one.text, (Link(url), *one.marks)) for one in spans] if url else spans)


def _field(field: JsonObject) -> Markup:
    name = element("b", painted(line_reading(field["name"])))
    value = element("div", painted(reading(field["value"])))
    return element("div", name, value, class_="field inline" if field.get("inline") else "field")


def _foot(embed: JsonObject, at: datetime) -> Iterator[Markup]:
    said, stamp = (embed.get("footer") or {}).get("text"), embed.get("timestamp")
    time = in_zone(datetime.fromisoformat(stamp), at.tzinfo or UTC) if stamp else None
    if said or time:
        parts = [element("span", said)] if said else []
        parts += [element("span", " • ", class_="when")] if said and time else []
        parts += [moment(time, day_and_time(time, at))] if time else []
        yield element("div", *parts, class_="footer")


def _measures(body: JsonObject) -> Iterator[Measure]:
    embeds, components = body.get("embeds", []), all_components(body.get("components", []))
    if embeds:
        yield Measure("title", max(utf16(str(one.get("title", ""))) for one in embeds), TITLE)
        yield Measure("fields", max(len(one.get("fields", [])) for one in embeds), FIELDS)
        yield Measure("characters", sum(map(weight, embeds)), TOTAL)
    elif content := body.get("content"):
        yield Measure("characters", utf16(str(content)), CONTENT)
    if components:
        yield Measure("components", len(components), COMPONENTS)
