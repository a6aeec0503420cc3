"""What is worth showing of an event: facts with a label, all in a row or in sections, and the one that matters most."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from bridge.event import Event
from bridge.foreign import object_at
from bridge.messages.fields import Data, ValueStyle, left, time_left
from bridge.messages.layout import HEADINGS, LAYOUT, FactRow, layout_of
from bridge.messages.values import HOUR, given, label, leaves
from bridge.vocabulary import KEYS, THINGS, ValueKind, subject_title
from bridge.vocabulary.types import N_

#: What is shown elsewhere, or in a template of its own.
BESIDE = frozenset({*KEYS, *LAYOUT})

#: Where there may be few facts, these are the rank of why something happened, and what is added to the rank of whatever
#: is told of the thing itself: it leads, then why, then the rest of it, then what leads elsewhere. Of users the end of
#: the plan and the traffic, which are told elsewhere, come before the rest.
WHY, OWN, OWN_USER = -0.3, -1.25, -0.75
#: What a user holds that is told with the subscription.
TERM = ("on_hold_seconds", "on_hold_until", "auto_delete_days")


class Fact(NamedTuple):
    label: str
    value: Any
    wide: bool = False


class Section(NamedTuple):
    emoji: str
    heading: str
    facts: list[Fact]


def sections(event: Event, style: ValueStyle, name: Any = None) -> list[Section]:
    """What is known, under headings, but for the `name` of what it is about where that is told already."""
    told = None if name is None else style.formats.brief(name)
    translated = style.formats.translated
    kind, _, subject = (event.subject or "").partition(":")
    found = []
    if subject and not (kind in event.data and kind in (*LAYOUT, *THINGS)):
        about = translated(title) if (title := subject_title(kind)) else label(kind)
        found.append(Section("📌", translated(N_("Subject")), [Fact(about, style.formats.brief(subject))]))
    rows = layout_of(event.type, whole=style.whole)
    for about, part in _parts(event.data):
        emoji, heading = HEADINGS[about]
        ranked = _ranked(about, part, rows.get(about, ()), style, alone=False)
        if its_facts := [fact for _, fact in ranked if fact.value != told]:
            found.append(Section(emoji, translated(heading), its_facts))
    return found


def facts(event: Event, style: ValueStyle, name: Any) -> list[Fact]:
    """What is known, in a row, but for the `name` of what it is about: what leads, the rest, what is wide.

    Where there may be only so many, what the heading says already is none of them, and what the event is about and why
    it happened come first.
    """
    family = event.type.partition(".")[0]
    rows = layout_of(event.type, whole=style.whole)
    said = {style.formats.brief(name)}
    if style.most is not None:
        said.add(headline(event, style))
    ranked = [
        (rank + (_precedence(about, family) if style.most is not None else 0), fact)
        for about, part in _parts(event.data)
        for rank, fact in _ranked(about, part, rows.get(about, ()), style, alone=True)
    ]
    return [fact for _, fact in sorted(ranked, key=itemgetter(0)) if fact.value not in said][: style.most]


def headline(event: Event, style: ValueStyle) -> Any:
    """The one fact that matters most, None where the title says it all."""
    formats = style.formats
    usage, expiry, payment, reseller, billing, device = (
        object_at(event.data, key) for key in ("usage", "expiry", "payment", "reseller", "billing", "device")
    )
    match event.type:
        case _ if style.ended:
            return formats.after(style.ended[1])
        case "user.usage_threshold" | "user.usage_abnormal" | "node.usage_threshold" | "admin.usage_threshold":
            return formats.percent(usage.get("percent") or object_at(event.data, "node").get("percent"))
        case "user.not_connected":
            return formats.hours(object_at(event.data, "user").get("not_connected_hours"))
        case "user.expiring" | "user.expired_reminder":
            return time_left(expiry, style) or formats.until(expiry.get("at"), style.now)
        case "node.payment_due" | "node.payment_overdue":
            return left(billing.get("hours"), HOUR, formats) or formats.until(billing.get("due_at"), style.now)
        case "reseller.credit_added" | "reseller.credit_deducted":
            return formats.signed(reseller.get("amount"), "+" if event.type.endswith("added") else "−")
        case "user.action":
            return formats.brief(formats.words(event.data.get("action")), 80)
        case type_ if type_.startswith("device."):
            return formats.brief(device.get("name") or device.get("model"), 80)
        case _:
            return formats.money(payment.get("amount"), payment.get("currency"))


def _parts(data: Data) -> Iterator[tuple[str, Data]]:
    """The parts of the data in the order of LAYOUT; what belongs together though it came apart is put together."""
    user, expiry, usage = (object_at(data, key) for key in ("user", "expiry", "usage"))
    ends = user.get("expires_at") or expiry.get("at")
    forever = given(user.get("used_bytes")) and user.get("status") in ("active", "limited", "disabled")
    term = {"expires_at": ends, "never": forever, **{key: user.get(key) for key in TERM}, **expiry}
    node = object_at(data, "node")
    for about in LAYOUT:
        match about:
            case "profile":
                yield about, user
            case "subscription":
                yield about, {**term, **object_at(data, about)}
            case "usage":
                yield about, {**user, **usage}
            case "node":
                if node:
                    yield about, {**node, "provider": None} if "billing" in data else node
            case "thing":
                yield from (("thing", thing) for key in THINGS if (thing := object_at(data, key)))
            case "event":
                yield about, data
            case "abuse":
                yield about, _without(object_at(data, about), username=user.get("username"), node=node.get("name"))
            case _ if part := object_at(data, about):
                yield about, part


def _without(part: Data, **told: Any) -> Data:
    """The part without what another one tells as well."""
    return {key: value for key, value in part.items() if key not in told or value != told[key]}


def _ranked(
    about: str, part: Data, rows: Iterable[FactRow], style: ValueStyle, *, alone: bool
) -> Iterator[tuple[float, Fact]]:
    """The facts of a part, each with where it comes when no heading orders them."""
    formats = style.formats
    for row in rows:
        value = row.write(part, style)
        if value is not None and given(value):
            label_ = formats.translated((alone and row.alone) or row.label)
            rank = WHY if row.vital and style.most is not None else row.rank
            yield rank, Fact(label_, formats.brief(value), row.wide)
    for words, value in _unlisted(about, part, style):
        yield 1, Fact(words, formats.brief(value))


def _precedence(about: str, family: str) -> float:
    """By how much the facts of a part come earlier where there may be few."""
    own = {"security": ("security", "abuse"), **dict.fromkeys(THINGS, ("thing",))}.get(family, (family,))
    return 0 if about not in own else OWN_USER if family == "user" else OWN


def _unlisted(about: str, part: Data, style: ValueStyle) -> Iterable[tuple[str, Any]]:
    """What a panel says in words of its own, and what nobody has described, each with its label."""
    if about == "thing":
        return ((str(key), value) for key, value in object_at(part, "details").items() if given(value))
    if about == "event":
        others = {key: value for key, value in part.items() if key not in BESIDE or not _fits(key, value)}
        return leaves(others, written=style.truth)
    return ()


def _fits(key: str, value: Any) -> bool:
    """Whether a part that we know is what it should be: an object, or for some a text."""
    return isinstance(value, dict) or (key in KEYS and KEYS[key].kind is ValueKind.TEXT)
