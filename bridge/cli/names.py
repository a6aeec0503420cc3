"""Names in a command: one that neither the file nor the store has is a slip, and no reason for an empty table."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bridge.cli.console import printable
from bridge.errors import UnknownName

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger
    from bridge.store.records import DeliveryQuery


def known_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The name, if it is one of these; UnknownName with the nearest otherwise."""
    from bridge.config.errors import suggestion

    words = list(known)
    if name not in words:
        raise UnknownName(f'no {kind} "{printable(name)}": {suggestion(name, words)}')
    return name


def check_locale(locale: str | None) -> None:
    from bridge.messages.catalog import LOCALES, language_of

    if locale is not None and language_of(locale) not in LOCALES:
        known_name("language is called", locale, LOCALES)


def check_filters(ledger: "Ledger", settings: "Config", query: "DeliveryQuery") -> None:
    """Raise UnknownName for what a query asks for that is neither in the file nor anywhere in the store.

    What the file names no more may still be in the store, and be asked for.
    """
    from bridge.panels import CONFIGS, OPEN_ENDED
    from bridge.store.records import DeliveryQuery
    from bridge.vocabulary import OWN_SOURCE, TYPES

    panels = {word for config in CONFIGS for word in config.words()}
    sinks, sources = settings.all_sinks(), settings.sources
    if (
        (sink := query.sink) is not None
        and sink not in sinks
        and not _is_stored(ledger, DeliveryQuery(sink=sink, limit=1))
    ):
        known_name("sink is called", sink, sinks)
    if (source := query.source) is not None and source not in sources and source != OWN_SOURCE:
        _check(ledger, DeliveryQuery(source=source, limit=1), lambda: known_name("source is called", source, sources))
    any_type = any(one.panel in OPEN_ENDED for one in sources.values())
    if (type_ := query.type) is not None and not _may_be_a_type(type_, panels, any_type=any_type):
        _check(ledger, DeliveryQuery(type=type_, limit=1), lambda: known_name("event has the type", type_, TYPES))
    if (subject := query.subject) is not None and subject.partition(":")[::2].count(""):
        _check(ledger, DeliveryQuery(subject=subject, limit=1), lambda: _no_subject(subject))


def _may_be_a_type(name: str, panels: set[str], *, any_type: bool) -> bool:
    """Whether an event may have it: a known one, one of a panel's own, and any where a source gives its own."""
    from bridge.vocabulary import TYPES

    if name in TYPES or name.partition(".")[0] in panels:
        return True
    return any_type and not get_close_matches(name, TYPES, n=1, cutoff=0.85)


def _check(ledger: "Ledger", query: "DeliveryQuery", refuse: Callable[[], object]) -> None:
    if not _is_stored(ledger, query):
        refuse()


def _no_subject(subject: str) -> None:
    raise UnknownName(f'no event is about "{printable(subject)}": write what it is too, as in user:alice')


def _is_stored(ledger: "Ledger", query: "DeliveryQuery") -> bool:
    from bridge.store.queries.events import walked_events
    from bridge.store.queries.series import has_come_from
    from bridge.store.queries.walk import walked_deliveries

    if query.source is not None and ledger.read(has_come_from, query.source):
        return True
    if query.sink is not None:
        return bool(ledger.read(walked_deliveries, query).deliveries)
    return bool(ledger.read(walked_events, query).events)
