"""Brands: which sinks can be one's own, so that nobody is told by another's, and whose records name them."""

from collections.abc import Iterator, Mapping

from bridge.config.document import Document, KeyPath
from bridge.config.errors import any_of, suggestion
from bridge.config.model import Config
from bridge.messages.catalog import LOCALES, language_of
from bridge.people.brand import MOST, Brand
from bridge.people.recipient import Audience
from bridge.people.record import DirectoryRecord
from bridge.redaction import redacted

BRANDS: KeyPath = ("people", "brands")


class Branded:
    """The brands as records name them. Whoever has looked at all records is told what is wrong with the whole."""

    def __init__(self, known: Mapping[str, Brand]) -> None:
        self._known = known
        self._named: set[str] = set()
        self._owners = 0

    def faults(self, record: DirectoryRecord, audience: Audience | None) -> Iterator[tuple[str, str]]:
        """A brand that there is not, or of somebody who has no customers; `audience` is None for the default record."""
        if record.brand is None:
            return
        if audience is not Audience.OWNER:
            yield "brand", "is for owners: whose customers they are follows from the event"
        elif record.brand not in self._known:
            yield "brand", f'no brand named "{redacted(record.brand)}": {suggestion(record.brand, list(self._known))}'
        else:
            self._named.add(record.brand)
            self._owners += 1

    def check(self, document: Document) -> None:
        """Report more owners with a brand than are held in memory, and warn of brands that nobody has."""
        if self._owners > MOST:
            document.report(("directory",), f"more than {MOST:,} owners have a brand")
        for name in self._known.keys() - self._named:
            path = (*BRANDS, name)
            document.warn(path, "no owner's record names it", document.key_position(path))


def check_brands(document: Document, config: Config) -> None:
    """Report what is wrong with brands, and what leads to their own sinks beside them."""
    owned: dict[str, str] = {}  # a brand's own sink → the brand
    for name, brand in config.brands().items():
        if brand.locale is not None and language_of(brand.locale) not in LOCALES:
            document.report((*BRANDS, name, "locale"), f"should be {any_of(LOCALES)}")
        for sink, own in brand.sinks.items():
            path: KeyPath = (*BRANDS, name, "sinks", sink)
            for one, position in ((sink, document.key_position(path)), (own, document.position(path))):
                if (wrong := _wrong(config, one)) is not None:
                    document.report(path, wrong, position)
            if _wrong(config, own) is None and (whose := owned.setdefault(own, name)) != name:
                document.report(path, f'sink "{own}" is that of brand "{whose}" already')
    _check_bots(document, config, owned)
    for path, sink in _named(document):
        if sink in owned:
            what = f'sink "{sink}" is that of brand "{owned[sink]}" alone: name the one that it stands in for'
            document.report(path[:2] if path[0] == "routes" else path, what, document.position(path))


def _check_bots(document: Document, config: Config, owned: Mapping[str, str]) -> None:
    """Report a sink of a brand's own whose bot is another sink's too: what people write there is heard for both."""
    bots: dict[str, str] = {}  # bot → the first sink of customers that speaks by it
    sinks = {name: one for name, one in config.sinks.items() if _wrong(config, name) is None}
    for name in sorted(sinks, key=lambda one: one in owned):
        ears = sinks[name].ears()
        first = name if ears is None else bots.setdefault(ears.sender, name)
        if name in owned and first != name:
            what = f'is the bot of sink "{first}" too: a brand has one of its own, or speaks by "{first}" in its name'
            document.report(("sinks", name, "token"), what)


def _named(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """What is said to lead to a sink for everybody, and where."""
    for index, _ in enumerate(document.entries("routes")):
        for key in ("to", "fallback"):
            yield from document.texts(("routes", index, key))
    yield from document.texts(("people", "bot"))
    brands = document.value(BRANDS)
    for name, brand in brands.items() if isinstance(brands, dict) else ():
        sinks = brand.get("sinks") if isinstance(brand, dict) else None
        for sink in sinks if isinstance(sinks, dict) else ():
            yield (*BRANDS, name, "sinks", sink), sink


def _wrong(config: Config, name: str) -> str | None:
    """Why no sink of customers is called so; None where one is."""
    sinks = config.all_sinks()
    if (sink := sinks.get(name)) is None:
        return f'no sink named "{redacted(name)}": {suggestion(name, list(sinks))}'
    if (addressing := sink.addressing()) is None or addressing.audience is not Audience.PERSON:
        return f'sink "{redacted(name)}" is not addressed to users: name one whose address speaks of person'
    return None
