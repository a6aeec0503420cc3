"""What the file says of people: whose users sources speak of, by which sinks customers are told, and their bot."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from bridge.errors import BridgeError, UnknownName, suggestion
from bridge.people.address import Addressing
from bridge.people.recipient import Audience, is_name, recipient_key
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.sinks.ears import Ears
from bridge.value import Value, field


def _nowhere(key: str) -> Iterable[str]:
    return ()


class Customers(Value):
    """
    realms   source → whose users it speaks of
    ways     sink → how its address is found, of those that speak of people
    rules    what customers want until they say otherwise
    ears     how their bot is heard; None where nobody listens
    brands   how the bots are heard that brands have of their own, by the brands' names
    holds    seconds that a link can be used
    written  where the operator has somebody written down, by their key
    """

    realms: Mapping[str, str] = field(default_factory=dict)
    ways: Mapping[str, Addressing] = field(default_factory=dict)
    rules: CustomerRules = NO_RULES
    ears: Ears | None = None
    brands: Mapping[str, Ears] = field(default_factory=dict)
    holds: float = 0.0
    written: Callable[[str], Iterable[str]] = _nowhere

    @property
    def sinks(self) -> Sequence[str]:
        """The sinks by which customers are told."""
        return [name for name, way in self.ways.items() if way.audience is Audience.PERSON]

    def ears_of(self, brand: str | None) -> Ears | None:
        """How the bot is heard of whoever speaks: a brand's own, else the file's."""
        return self.brands.get(brand or "", self.ears)

    def key_of(self, who: str, realm: str | None) -> str:
        """The key of `user:alice`; without a realm of the only one. Raise BridgeError where that is nobody's."""
        kinds = {one.kind: one for one in Audience}
        kind, colon, name = who.partition(":")
        if not colon or kind not in kinds or not is_name(name):
            raise BridgeError(f"say whom, as {', '.join(f'{one}:NAME' for one in kinds)}")
        realms = sorted(set(self.realms.values()))
        if realm is not None and realm not in realms:
            raise UnknownName(f'no source has the realm "{realm}": {suggestion(realm, realms)}')
        if realm is None and len(realms) != 1:
            raise BridgeError(f"say of which realm: {', '.join(realms) or 'there are none'}")
        return recipient_key(realm or realms[0], kinds[kind], name)

    def keys_beginning(self, name: str) -> list[str]:
        """How the keys of those begin whose names do so: `ali`, or `user:ali`."""
        kind, colon, rest = name.partition(":")
        kinds = [one.kind for one in Audience]
        named = [f"{kind}:{rest}"] if colon and kind in kinds else [f"{one}:{name}" for one in kinds]
        return [f"{realm}/{one}" for realm in sorted(set(self.realms.values())) for one in named]


def person_path(key: str) -> str:
    """Where a recipient's page is."""
    realm, _, who = key.partition("/")
    return f"/people/{quote(realm, safe='')}/{quote(who, safe=':')}"


def parts_of(key: str) -> tuple[str, str, str]:
    """A recipient's realm, kind and name."""
    realm, _, subject = key.partition("/")
    kind, _, name = subject.partition(":")
    return realm, kind, name
