"""How a field of the data is written in a message: `field("email")` by its kind, `traffic` from several of them."""

from collections.abc import Callable, Mapping
from typing import Any

from bridge.messages.filters import Formats
from bridge.messages.values import DAY, HOUR, figure, flat, given
from bridge.value import Value
from bridge.vocabulary import KINDS, ValueKind
from bridge.vocabulary.types import N_

Data = Mapping[str, Any]


class ValueStyle(Value):
    """How a service's templates want values written."""

    formats: Formats
    now: Any  # what "3 days left" is counted from
    long: bool  # as documented for Slack: times to the second, true and false in place of yes and no
    ended: tuple[str, float] | None = None  # the word of the good news, and for how many seconds the trouble lasted
    whole: bool = True  # all that is known, in place of what matters to the type
    most: int | None = None  # how many facts there may be, None for any

    def time(self, at: Any) -> Any:
        return self.formats.stamp(at) if self.long else self.formats.when(at)

    def end(self, at: Any) -> Any:
        """A time that something lasts until."""
        return self.formats.stamp(at) if self.long else self.formats.end(at, self.now)

    def truth(self, value: Any) -> Any:
        return self.formats.truth(value) if self.long else self.formats.yesno(value)


#: What is written of a part of the data; None, or nothing that is given, where there is nothing to say.
ValueWriter = Callable[[Data, ValueStyle], Any]


def field(key: str) -> ValueWriter:
    """What stands under `key`, as its kind is written."""
    match KINDS[key]:
        case ValueKind.STATE:
            return lambda data, style: style.formats.status(data.get(key))
        case ValueKind.BYTES:
            return lambda data, style: style.formats.size(data.get(key))
        case ValueKind.PERCENT:
            return lambda data, style: style.formats.percent(data.get(key))
        case ValueKind.HOURS:
            return lambda data, style: style.formats.hours(data.get(key))
        case ValueKind.DAYS:
            return lambda data, style: style.formats.days(data.get(key))
        case ValueKind.SECONDS:
            return lambda data, style: style.formats.lasted(data.get(key)) if data.get(key) else None
        case ValueKind.NUMBERS:
            return lambda data, style: style.formats.numbers(data.get(key))
        case ValueKind.AMOUNT:
            return lambda data, style: style.formats.money(data.get(key), data.get("currency"))
        case ValueKind.TIME:
            return lambda data, style: style.time(data.get(key))
        case ValueKind.DEADLINE:
            return lambda data, style: style.end(data.get(key))
        case ValueKind.TRUTH:
            return lambda data, style: style.truth(data.get(key))
        case _:
            return lambda data, style: data.get(key)


def only(worth: bool, key: str) -> ValueWriter:
    """Yes or no, where only one of them is worth saying."""
    return lambda data, style: style.truth(worth) if data.get(key) is worth else None


def joined(sign: str, *keys: str) -> ValueWriter:
    """The values that there are, with a sign between."""
    return lambda data, style: sign.join(str(data[key]) for key in keys if given(data.get(key)))


def listed(key: str) -> ValueWriter:
    """What an object holds, each under the name that it has there."""

    def write(data: Data, style: ValueStyle) -> Any:
        held = data.get(key)
        if not isinstance(held, Mapping):
            return None
        return ", ".join(f"{name}={flat(value, style.truth)}" for name, value in held.items())

    return write


def words(key: str) -> ValueWriter:
    """What a program calls something, as people would write it: `CHANGED_SERVER` as `Changed server`."""
    return lambda data, style: style.formats.words(data.get(key))


def factor(key: str) -> ValueWriter:
    """What traffic is multiplied by, where it is."""

    def write(data: Data, style: ValueStyle) -> Any:
        times = figure(data.get(key))
        return None if times is None or times == 1 else style.formats.text(f"×{style.formats.number(times)}")

    return write


def length(key: str) -> ValueWriter:
    """Seconds, as the time that they are."""
    return lambda data, style: style.formats.lasted(data.get(key))


def lasted(news: str) -> ValueWriter:
    """How long the trouble lasted that these good news end."""
    return lambda data, style: style.formats.lasted(style.ended[1]) if style.ended and style.ended[0] == news else None


def traffic(data: Data, style: ValueStyle) -> Any:
    return style.formats.of(data.get("used_bytes"), data.get("limit_bytes"))


def memory(data: Data, style: ValueStyle) -> Any:
    return style.formats.of(data.get("memory_used_bytes"), data.get("memory_bytes"))


def ip_addresses(data: Data, style: ValueStyle) -> Any:
    """A node's addresses, each with what it is there for."""
    listed = data.get("ips")
    known = (
        [one for one in listed if isinstance(one, dict) and given(one.get("ip"))] if isinstance(listed, list) else []
    )
    return style.formats.enumerated((one["ip"], style.formats.status(one.get("status"))) for one in known)


def part_used(data: Data, style: ValueStyle) -> Any:
    """The percentage, where no sizes tell it."""
    return None if figure(data.get("limit_bytes")) else style.formats.percent(data.get("percent"))


def all_time(data: Data, style: ValueStyle) -> Any:
    used = data.get("lifetime_used_bytes")
    return style.formats.size(used) if used != data.get("used_bytes") else None


def resets(data: Data, style: ValueStyle) -> Any:
    return style.formats.strategy(data.get("reset_strategy"))


def time_once_connected(data: Data, style: ValueStyle) -> Any:
    """What a user on hold will have; the panel keeps it long after."""
    return None if given(data.get("expires_at")) else style.formats.span(data.get("on_hold_seconds"))


def duration(data: Data, style: ValueStyle) -> Any:
    return None if given(data.get("expires_at")) else style.formats.days(data.get("duration_days"))


def expires(data: Data, style: ValueStyle) -> Any:
    """When, or never where the state is known and no time is."""
    at = data.get("expires_at")
    if given(at):
        return style.end(at)
    return style.formats.translated(N_("never")) if data.get("never") is True else None


def time_left(data: Data, style: ValueStyle) -> Any:
    """How long it is until the end, unless the end itself is shown with it."""
    if given(data.get("expires_at")) and not style.long:
        return None
    return left(data.get("hours"), HOUR, style.formats) or left(data.get("days_left") or None, DAY, style.formats)


def due(data: Data, style: ValueStyle) -> Any:
    at = data.get("due_at")
    return style.end(at) if given(at) else left(data.get("hours"), HOUR, style.formats)


def provider(data: Data, style: ValueStyle) -> Any:
    url = data.get("login_url")
    return style.formats.text.link(style.formats.brief(data.get("provider") or url), url)


def left(count: Any, unit: int, formats: Formats) -> Any:
    """So many days or hours that are left."""
    amount = figure(count)
    return None if amount is None else formats.left(amount * unit)
