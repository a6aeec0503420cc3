"""Brands: how an owner's customers see us.

Who speaks to a customer is decided when an event is routed, from the owner that it names and the directory as it is
then, and is kept with the delivery: whatever changes until it is sent, its sink and its words are one brand's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from bridge.intake import Destination
from bridge.settings import Folder, Settings
from bridge.terms import Terms
from bridge.value import Value, field, replace

MOST = 10_000  # owners with a brand, who are held in memory
LONGEST = 60  # signs of a name


def _is_seen(value: str) -> str:
    if not value or not value.isprintable() or len(value) > LONGEST:
        raise ValueError(f"should be a name that people can read, of at most {LONGEST} signs")
    return value


def _help_address(value: str) -> str:
    if not re.fullmatch(r"(https://|tg://|mailto:)\S{1,500}", value):
        raise ValueError("should begin with https://, tg:// or mailto:")
    return value


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https://\S{1,500}", value):
        raise ValueError("should begin with https://")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
HelpAddress = Annotated[str, AfterValidator(_help_address)]


class Speaker(Value):
    """Who speaks, as a customer's template is told; empty where nobody says so."""

    name: str = ""
    support: str = ""
    renew: str = ""


class Voice(Settings):
    """Whose name stands under what customers are told, and where they find help and renew."""

    name: Annotated[str, AfterValidator(_is_seen)] | None = Field(
        None, description="who speaks to customers; it stands under what they are told"
    )
    support: HelpAddress | None = Field(None, description="where who needs help is sent, as https://t.me/vpn_support")
    renew: WebAddress | None = Field(None, description="where customers renew, an address that begins with https://")

    def speaker(self) -> Speaker:
        """The same for a template."""
        return Speaker(self.name or "", self.support or "", self.renew or "")


class Brand(Voice):
    """`brands:` how an owner's customers are spoken to, where the owner's record has `brand`."""

    example: ClassVar[str] = "name: Seven Net, sinks: {dm: seven-bot}"

    sinks: dict[str, str] = Field({}, description="a sink: the one that tells in its place, as dm: seven-bot")
    locale: str | None = Field(None, description="the language of customers who have none of their own")
    templates: Folder | None = Field(
        None, description="a folder with words of its own, as customers/fa.j2; they come before those of templates"
    )

    def told(self, to: Destination, name: str) -> Destination:
        """The destination as it is where this brand speaks, which is called so: by its own sinks."""
        terms = to.terms or Terms()
        fallback = tuple(self.sink(one) for one in terms.fallback)
        return replace(
            to, sink=self.sink(to.sink), terms=terms.model_copy(update={"brand": name, "fallback": fallback})
        )

    def sink(self, name: str) -> str:
        """The sink that tells in place of another one."""
        return self.sinks.get(name, name)


#: Nobody: who speaks where a delivery's brand is not in the file any more.
NO_BRAND = Brand()


class Brands(Value):
    """
    known   the file's, by their names
    owners  owners' keys → their brands, as the directory says
    """

    known: Mapping[str, Brand] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)

    def of(self, owner: str | None) -> str | None:
        """The name of an owner's brand, by the owner's key."""
        name = None if owner is None else self.owners.get(owner)
        return name if name in self.known else None

    def called(self, name: str | None) -> Brand:
        """The brand of that name; nobody where it is none."""
        return self.known.get(name or "", NO_BRAND)

    def spoken(self, sinks: Iterable[str], name: str | None) -> Sequence[str]:
        """Of these sinks, those by which a brand speaks, or, where it is None, the file's own."""
        replaced = self.called(name).sinks
        return [one for one in sinks if self.alone_at(one) in (None, name) and one not in replaced]

    def alone_at(self, sink: str) -> str | None:
        """The name of the brand that alone speaks by a sink; None where that is for everybody."""
        return next((name for name, one in self.known.items() if sink in one.sinks.values()), None)


def templates_of(brands: Mapping[str, Brand]) -> tuple[Path, ...]:
    """The folders of brands that have words of their own."""
    return tuple(one.templates for one in brands.values() if one.templates is not None)
