"""How a person names what is meant: the options that several commands share."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bridge.cli.completing import sink_names, source_names, subjects, type_names
from bridge.errors import BridgeError
from bridge.settings import UNITS
from bridge.value import INT64_MAX

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.store.records import DeliveryQuery


SinkOption = Annotated[str | None, typer.Option(help="Only to this sink.", autocompletion=sink_names)]
SourceOption = Annotated[str | None, typer.Option(help="Only from this source.", autocompletion=source_names)]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="Only of this type, as user.created.", autocompletion=type_names)
]
SubjectOption = Annotated[str | None, typer.Option(help="Only about this, as user:alice.", autocompletion=subjects)]
SinceOption = Annotated[str | None, typer.Option(help="Only of events taken in since: 2h, 3d, or 2026-11-21T06:00.")]
UntilOption = Annotated[str | None, typer.Option(help="Only of events taken in before: 2h, 3d, or 2026-11-21T06:00.")]
LimitOption = Annotated[int, typer.Option(min=1, max=INT64_MAX, help="At most this many, the newest.")]
BeforeEventOption = Annotated[str | None, typer.Option("--before", help="Go on behind this event, by its id.")]
BeforeDeliveryOption = Annotated[
    int | None, typer.Option("--before", min=1, max=INT64_MAX, help="Go on behind this delivery, by its number.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def selected(
    settings: "Config",
    *,
    sink: str | None,
    source: str | None,
    type_: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    **more: Any,
) -> "DeliveryQuery":
    """What the options name, as a query; `more` of it is the command's own."""
    from bridge.store.records import DeliveryQuery

    zone = settings.zone()
    return DeliveryQuery(
        sink=sink,
        source=source,
        type=type_,
        subject=subject,
        since=_parsed_time("--since", since, zone),
        until=_parsed_time("--until", until, zone),
        **more,
    )


def _parsed_time(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """That long ago, or that moment; in the file's time zone where it names none."""
    if text is None:
        return None
    try:
        if (match := re.fullmatch(r"(\d+)\s*([a-z]+)", text)) and match[2] in UNITS:
            return datetime.now(UTC) - timedelta(seconds=int(match[1]) * UNITS[match[2]])
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BridgeError(
            f"{option}: {text} is neither a duration such as 2h nor a time such as 2026-11-21T06:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


#: Those that do not just end on s.
_PLURALS = {
    "address": "addresses",
    "delivery": "deliveries",
    "directory": "directories",
    "element set aside": "elements set aside",
    "link given away": "links given away",
    "message to be updated": "messages to be updated",
    "record of the directory": "records of the directory",
    "wish": "wishes",
}


def counted(number: int, noun: str) -> str:
    """So many of them, as in `1 dead letter`, `2 dead letters`."""
    return f"{number} {noun if number == 1 else _PLURALS.get(noun, f'{noun}s')}"
