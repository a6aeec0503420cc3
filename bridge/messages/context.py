"""What templates can speak of: an event with its circumstances, or what a digest counts."""

from collections.abc import Callable, Mapping
from gettext import NullTranslations
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bridge.bidi import RLM
from bridge.clock import in_zone
from bridge.event import Event
from bridge.foreign import without_nulls
from bridge.markup.service import Extent
from bridge.message import PLAIN, Circumstances, DigestTally, Earlier, display_name
from bridge.messages.catalog import RIGHT_TO_LEFT, catalog
from bridge.messages.filters import Formats
from bridge.messages.values import label, zone_name
from bridge.posted import posted_message
from bridge.vocabulary import EventType, documented_name, ends_trouble, event_type, subject_title
from bridge.vocabulary.types import AMBER, BLUE, RED

TemplateVariables = dict[str, Any]


class TypeCount(NamedTuple):
    """One type in a digest: its emoji and its title in the reader's language, and how many there were."""

    emoji: str
    title: str
    number: int


class MessageReader(NamedTuple):
    """Who reads it: the language, one of LOCALES, the time zone, and what begins a line from right to left."""

    locale: str
    zone: ZoneInfo
    rlm: str = ""


def reader(locale: str, zone: ZoneInfo) -> MessageReader:
    return MessageReader(locale, zone, RLM if locale in RIGHT_TO_LEFT else "")


def no_link(user: Any) -> str:
    """Of a bridge that listens to no bot."""
    return ""


def event_variables(
    event: Event,
    to: MessageReader,
    given: Circumstances = PLAIN,
    style: Extent = "normal",
    link_for: Callable[[Any], str] = no_link,
) -> TemplateVariables:
    """What a template knows of an event."""
    gettext = catalog(to.locale).gettext
    shown = event_type(event.type)
    family = event.type.partition(".")[0]
    kind, colon, name = (event.subject or "").partition(":")
    kind = kind if colon else family
    title = gettext(shown.title)
    return {
        "event": event,
        "data": _data(event),
        "type": event.type,
        "family": family,
        "subject": event.subject,
        "name": name if colon else event.subject,
        "who": display_name(event),
        "kind": gettext(about) if (about := subject_title(kind)) else label(kind),
        "source": event.source,
        "panel": event.panel,
        "native": event.native,
        "native_type": event.native_type,
        "occurred_at": in_zone(event.occurred_at, to.zone),
        "received_at": in_zone(event.received_at, to.zone),
        "zone": zone_name(in_zone(event.occurred_at, to.zone)),
        "locale": to.locale,
        "style": style,
        "emoji": shown.emoji,
        "title": title,
        "color": shown.color,
        "heading": documented_name(event.type) if event.panel == "orbvpn" and to.locale == "en" else None,
        "rlm": to.rlm,
        "link_for": link_for,
        "test": given.test,
        "replay": given.replay,
        "instead": given.instead,
        "reminder": given.reminder,
        "repeats": given.repeats,
        "earlier": given.earlier,
        "downtime": downtime(event, given.earlier) if given.earlier else None,
    }


def _data(event: Event) -> Mapping[str, Any]:
    """What the event says; of a posted message without nulls, for templates go through its lists."""
    post = posted_message(event)
    return {**event.data, "message": without_nulls(post)} if post else event.data


def digest_variables(
    tally: DigestTally, to: MessageReader, formats: Formats, given: Circumstances = PLAIN
) -> TemplateVariables:
    """What the template of a digest knows; `formats` are those of the service it is for."""
    lasted = (tally.last_at - tally.first_at).total_seconds()
    counts = sorted(tally.kinds.items(), key=lambda kind: -kind[1])  # stable: those that came first, first
    types = {name: event_type(name) for name, _ in counts}
    return {
        "emoji": "🌊" if tally.storm else "📬",
        "title": formats.events(tally.total, lasted, storm=tally.storm),
        "total": tally.total,
        "kinds": [_type_count(types[name], count, catalog(to.locale)) for name, count in counts],
        "shown": tally.shown,
        "first_at": in_zone(tally.first_at, to.zone),
        "last_at": in_zone(tally.last_at, to.zone),
        "zone": zone_name(in_zone(tally.last_at, to.zone)),
        "lasted": lasted,
        "storm": tally.storm,
        "color": _worst_color([shown.color for shown in types.values()]),
        "locale": to.locale,
        "rlm": to.rlm,
        "test": given.test,
        "replay": given.replay,
        "instead": given.instead,
        "reminder": given.reminder,
        "repeats": given.repeats,
    }


def downtime(event: Event, earlier: Earlier) -> float | None:
    """Seconds for which the trouble lasted that this event ends; None where it ends none."""
    if not ends_trouble(event.type, earlier.type):
        return None
    seconds = (event.occurred_at - earlier.occurred_at).total_seconds()
    return seconds if seconds > 0 else None


def _type_count(shown: EventType, count: int, texts: NullTranslations) -> TypeCount:
    return TypeCount(shown.emoji, texts.gettext(shown.title), count)


def _worst_color(colors: list[int]) -> int:
    """The colour of what is worst; where nothing is bad, of what there is most of."""
    return next((color for color in (RED, AMBER) if color in colors), colors[0] if colors else BLUE)
