"""Announcements: customers are told what the operator says, each of them once.

Why what is put goes by a place in line: the next ones are those behind it, in the commit that makes their deliveries.
Whoever is killed, stopped or begun twice finds in the store how far it is, and makes nobody's a second time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bridge.admin.trials.dry_run import DryRun
from bridge.errors import BridgeError
from bridge.intake import NO_TABLE, Decision, Destination, Intake, Routed
from bridge.people.address import Address
from bridge.people.announcement import announcement, place_in_line
from bridge.people.brand import Brands
from bridge.people.person import an_event_about
from bridge.people.recipient import Audience, is_customer, is_owner
from bridge.people.wants import place_scope
from bridge.sinks.base import Sink
from bridge.store.ledger import Ledger
from bridge.store.queries import announcements
from bridge.store.queries.directory import records_after
from bridge.store.queries.links import linked_to
from bridge.store.queries.wishes import locales_chosen
from bridge.store.records import AnnouncementRecord
from bridge.terms import Terms
from bridge.value import Value

EVERYBODY, OF_REALM, OF_OWNER = "all", "realm:", f"{Audience.OWNER.kind}:"
AT_ONCE = 200  # deliveries that one commit makes
WINDOW = 2000  # records that one look reads


class AnnouncementRecipient(Value):
    """Somebody who can be told.

    locale  the language that they have chosen, or else their record's, or their brand's; None for the sink's
    brand   who speaks to them, None for the file's own
    sink    the brand's, by which they are told; None for the announcement's
    """

    key: str
    locale: str | None = None
    brand: str | None = None
    sink: str | None = None

    @property
    def name(self) -> str:
        return self.key.partition("/")[2].partition(":")[2]


class ReaderGroup(NamedTuple):
    """Those who read the same: in one language, from one brand or, where that is None, from the file's own."""

    locale: str
    brand: str | None = None


class AnnouncementAudience(Value):
    """Whom an announcement would reach, in their line, and how many of those who are meant have no address."""

    reached: Sequence[AnnouncementRecipient]
    unreached: int

    def readers(self, default: str) -> Mapping[ReaderGroup, int]:
        """How many read what, the most first."""
        found = Counter(ReaderGroup(one.locale or default, one.brand) for one in self.reached)
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def customers_sink(ready: DryRun, name: str) -> Sink:
    """The sink of that name, if customers are told there in words, whosever they are."""
    sink, brand = ready.sink(name), ready.brands.alone_at(name)
    if brand is not None:
        raise BridgeError(f'announce: "{name}" is that of brand "{brand}" alone: name the sink that it stands in for')
    if sink.addressing is None or sink.addressing.audience is not Audience.PERSON or sink.look.service is None:
        raise BridgeError(f'announce: "{name}" is no sink of customers: its address should speak of person')
    return sink


def counted(ledger: Ledger, chosen: Sequence[str], ready: DryRun, sink: str) -> AnnouncementAudience:
    """Whom of the people that the directory knows, and of those who have linked a chat, an announcement would reach."""
    records, spoken_to = _users(ledger), _spoken_to(ledger, ready.brands)
    locales = ledger.read(locales_chosen)
    ways = {brand: _BrandSender(ledger, ready, sink, brand, locales) for brand in (None, *ready.brands.known)}
    linked = {key for way in ways.values() for key in way.linked}  # who knows another one's bot alone is not reached
    owned = {one: _owned_by(ledger, one) for one in chosen if is_owner(one)}
    reached, unreached = [], 0
    for key in sorted(records.keys() | linked, key=place_in_line):
        if not _is_meant(key, chosen, owned):
            continue
        found = ways[spoken_to.get(key)].to(key, records.get(key, {}))
        if found is not None:
            reached.append(found)
        else:
            unreached += 1
    return AnnouncementAudience(reached, unreached)


class _BrandSender:
    """How those are told to whom one brand speaks, or none: by its own sink, where it has one in place of `sink`.

    `locales`: the languages that people have chosen, for themselves or in a chat.
    """

    def __init__(self, ledger: Ledger, ready: DryRun, sink: str, brand: str | None, locales: Mapping[str, str]) -> None:
        speaker = ready.brands.called(brand)
        name = speaker.sink(sink)
        self._brand, self._own = brand, None if name == sink else name
        self._sink, self._is_there = ready.sink(name), ready.sinks[name].enabled or self._own is None
        self._locale, self._locales = speaker.locale, locales
        self.linked = ledger.read(linked_to, self._sink.sender)

    def to(self, key: str, record: Mapping[str, Any]) -> AnnouncementRecipient | None:
        """How somebody is reached; None where they are not."""
        address = self._address(key, record) if self._is_there else None
        if address is None:
            return None
        locale = self._chosen(key, address.place) or record.get("locale") or self._locale or self._sink.look.locale
        return AnnouncementRecipient(key, locale, self._brand, self._own)

    def _address(self, key: str, record: Mapping[str, Any]) -> Address | None:
        addressing = self._sink.addressing
        assert addressing is not None
        if key in self.linked and (linked := addressing.of_link(self.linked[key], record)) is not None:
            return linked
        found = addressing.resolve(an_event_about(AnnouncementRecipient(key).name), record)
        return found if isinstance(found, Address) else None

    def _chosen(self, key: str, place: str) -> str | None:
        """The language that was chosen there, or else by them."""
        service = self._sink.look.service
        by_mail = service is not None and service.mailboxes
        scope = place_scope(self._sink.sender, place, is_mailbox=by_mail)
        return self._locales.get(scope) or self._locales.get(key)


def _spoken_to(ledger: Ledger, brands: Brands) -> Mapping[str, str]:
    """The keys of users → the brand of whose they are, by their last event that names an owner."""
    theirs = {owner: name for owner in brands.owners if (name := brands.of(owner)) is not None}
    return {key: name for owner, name in theirs.items() for key in _owned_by(ledger, owner)}


def _users(ledger: Ledger) -> dict[str, Mapping[str, Any]]:
    """What the directory says of each user that it knows, in looks that are short each."""
    found: dict[str, Mapping[str, Any]] = {}
    after = ""
    while some := ledger.read(records_after, after, limit=WINDOW):
        found.update((key, record) for key, record in some if is_customer(key))
        after = some[-1][0]
    return found


def _owned_by(ledger: Ledger, owner: str) -> set[str]:
    realm, _, whose = owner.partition("/")
    subjects = ledger.read(announcements.subjects_owned_by, realm, whose.removeprefix(OF_OWNER))
    return {f"{realm}/{subject}" for subject in subjects}


def _is_meant(key: str, chosen: Sequence[str], owned: Mapping[str, set[str]]) -> bool:
    realm = f"{OF_REALM}{key.partition('/')[0]}"
    return any(one in (EVERYBODY, key, realm) or key in owned.get(one, ()) for one in chosen)


def put_all(
    ledger: Ledger, record: AnnouncementRecord, reached: Sequence[AnnouncementRecipient], now: datetime
) -> Iterator[int]:
    """Make the deliveries that are not made yet, a commit for each few; how many that were so far, after each.

    It ends early where it was stopped, and where somebody else goes on with it.
    """
    at, made = record.cursor, 0
    left = [one for one in reached if place_in_line(one.key) > at]
    for start in range(0, len(left), AT_ONCE):
        some = left[start : start + AT_ONCE]
        after = place_in_line(some[-1].key)
        if not ledger.write(announcements.put_some, record.id, _intakes(record, some, now), before=at, after=after):
            return
        at, made = after, made + len(some)
        yield made
    ledger.write(announcements.finish, record.id, before=at)


def _intakes(record: AnnouncementRecord, some: Sequence[AnnouncementRecipient], now: datetime) -> list[Intake]:
    """One for each realm."""
    realms: dict[str, list[Routed]] = {}
    for one in some:
        realms.setdefault(one.key.partition("/")[0], []).append(_routed(record, one, now))
    return [Intake(routed, realm=realm) for realm, routed in realms.items()]


def _routed(record: AnnouncementRecord, one: AnnouncementRecipient, now: datetime) -> Routed:
    terms = Terms(category=record.category, critical=record.critical, brand=one.brand)
    to = Destination(one.sink or record.sink, f"announcement {record.id}", terms=terms, recipient=one.key)
    return Routed(announcement(one.name, record.text, now), (to,), Decision(NO_TABLE))
