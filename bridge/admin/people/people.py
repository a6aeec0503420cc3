"""People: how many are known, and what is known of one: where they are reached, what they want, what they were told."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bridge.admin.people.customers import Customers, parts_of
from bridge.admin.people.shapes import (
    BotHeard,
    BrandNow,
    LinkedChat,
    PeopleCounts,
    PeopleFound,
    PersonBrief,
    PersonNow,
    Reach,
    StepTold,
    Stop,
    ToldPerson,
)
from bridge.admin.trials.dry_run import DryRun
from bridge.people.address import Address
from bridge.people.brand import Brands
from bridge.people.person import an_event_about
from bridge.people.recipient import Audience, is_customer, recipient_key
from bridge.people.wants import away_scope, chat_scope, place_scope
from bridge.polled import Polling, PollKey
from bridge.sinks.base import Sink
from bridge.sinks.ears import Ears
from bridge.store.ledger import Ledger
from bridge.store.queries.addresses import address_state
from bridge.store.queries.directory import records_of
from bridge.store.queries.links import ChatLink, count_linked, links_of
from bridge.store.queries.moves import proofs_stopped_at
from bridge.store.queries.people import (
    PeopleFilter,
    ToldStep,
    count_given_away,
    owner_of,
    people_keys,
    steps_of,
    told_to,
)
from bridge.store.queries.polled import last_turn
from bridge.store.queries.wishes import count_records, count_stopped, wishes_of

LATEST = 30  # messages that are shown
UNHEARD = "was not listened to yet"
#: Of a record, what says where somebody is reached, and who does not have to see it.
SEEN_BY_ALL = ("locale", "zone", "quiet")
URLS = ("discord",)  # whoever has it can write there: it is shown to nobody


def count_people(ledger: Ledger, customers: Customers, brands: Brands) -> PeopleCounts:
    """How many the store knows, how the bot is heard that they write to, and who speaks to whose customers."""
    spoken_for = Counter(map(brands.of, brands.owners))
    return PeopleCounts(
        records=ledger.read(count_records),
        linked=ledger.read(count_linked),
        stopped=ledger.read(count_stopped),
        bot=_bot_state(ledger, customers.ears) if customers.ears is not None else None,
        brands=tuple(
            BrandNow(
                name=name,
                owners=spoken_for[name],
                bot=_bot_state(ledger, customers.brands[name]) if name in customers.brands else None,
            )
            for name in brands.known
        ),
    )


def _bot_state(ledger: Ledger, ears: Ears) -> BotHeard:
    turn = ledger.read(last_turn, PollKey(ears.sender, Polling.BOT))
    name = turn.state.get("name") if turn is not None and turn.state is not None else None
    reason = UNHEARD if turn is None else turn.health.reason
    return BotHeard(bot=ears.sender, name=None if name is None else f"@{name}", reason=reason)


def list_people(
    ledger: Ledger, customers: Customers, *, name: str, which: PeopleFilter, after: str | None, limit: int
) -> PeopleFound:
    """Those whose names begin so, by their keys; what is forgotten and what is a chat's is nobody."""
    beginnings = customers.keys_beginning(name)
    keys = ledger.read(people_keys, beginnings, which=which, after=after, limit=limit + 1)
    shown = keys[:limit]
    records, wishes = ledger.read(records_of, shown), ledger.read(wishes_of, shown)
    items = []
    for key in shown:
        realm, kind, its = parts_of(key)
        bots = tuple(one.sender for one in ledger.read(links_of, key))
        stopped_at = wishes[key].stopped_at if key in wishes else None
        items.append(
            PersonBrief(
                key=key, realm=realm, kind=kind, name=its, known=key in records, bots=bots, stopped_at=stopped_at
            )
        )
    return PeopleFound(items=tuple(items), next=shown[-1] if len(keys) > limit else None)


def person(
    ledger: Ledger, customers: Customers, ready: DryRun, key: str, *, now: datetime, masked: bool = False
) -> PersonNow:
    """What the store knows of a recipient. `masked`: for who may not see where that is."""
    realm, kind, name = parts_of(key)
    record = ledger.read(records_of, [key]).get(key)
    links = ledger.read(links_of, key)
    wish = ledger.read(wishes_of, [key]).get(key)
    owner, brand = spoken_to(ledger, ready.brands, key)
    sinks = ready.brands.spoken(customers.sinks, brand) if is_customer(key) else ()
    found = _ReachedPlaces(ledger, sinks, ready, key, links, record, masked=masked)
    told = ledger.read(told_to, key, f"{kind}:{name}", limit=LATEST)
    return PersonNow(
        key=key,
        realm=realm,
        kind=kind,
        name=name,
        record=None if record is None else {one: _shown(one, value, masked) for one, value in record.items()},
        owner=owner,
        brand=brand,
        links=tuple(
            LinkedChat(bot=one.sender, chat=masked_address(one.chat) if masked else one.chat, how=one.how, at=one.at)
            for one in links
        ),
        given_away=ledger.read(count_given_away, key, now),
        stopped_at=wish.stopped_at if wish else None,
        by=wish.by if wish else None,
        wants=wish.wants.to_json() if wish else {},
        reach=found.reach,
        stops=found.stops,
        steps=tuple(
            StepTold(family=one.family, rank=one.rank, step=step_words(one), at=one.at)
            for one in ledger.read(steps_of, key)
        ),
        told=tuple(map(ToldPerson.model_validate, told)),
        no_proofs_since=ledger.read(proofs_stopped_at, key),
    )


def spoken_to(ledger: Ledger, brands: Brands, key: str) -> tuple[str | None, str | None]:
    """Whose customer somebody is, as far as an event has said so, and the brand that speaks to them, if any does."""
    realm, kind, name = parts_of(key)
    owner = ledger.read(owner_of, realm, f"{kind}:{name}") if is_customer(key) else None
    return owner, brands.of(None if owner is None else recipient_key(realm, Audience.OWNER, owner))


class _ReachedPlaces:
    """By which sinks somebody is reached, and where nothing is told: said in the chat, or by the link in a letter."""

    def __init__(
        self,
        ledger: Ledger,
        sinks: Iterable[str],
        ready: DryRun,
        key: str,
        links: list[ChatLink],
        record: Mapping[str, Any] | None,
        *,
        masked: bool,
    ) -> None:
        self._ledger, self._masked = ledger, masked
        scopes = {chat_scope(one.sender, one.chat): one.chat for one in links}
        reach = []
        for name in sinks:
            sink = ready.sink(name)
            reach.append(self._by(name, sink, key, links, record, scopes))
        self.reach = tuple(reach)
        said = ledger.read(wishes_of, list(scopes))
        self.stops = tuple(
            Stop(at=one.stopped_at, by=one.by, where=masked_address(scopes[scope]) if masked else scopes[scope])
            for scope, one in said.items()
            if one.stopped_at is not None
        )

    def _by(
        self,
        name: str,
        sink: Sink,
        key: str,
        links: list[ChatLink],
        record: Mapping[str, Any] | None,
        scopes: dict[str, str],
    ) -> Reach:
        """`scopes` is told by what that address's own wishes are kept."""
        assert sink.addressing is not None
        service = sink.look.service
        linked = next((one.chat for one in links if one.sender == sink.sender), None)
        found = sink.addressing.of_link(linked, record or {}) if linked is not None else None
        how = "link" if found is not None else "directory"
        to = found or sink.addressing.resolve(an_event_about(parts_of(key)[2]), record)
        kind = "" if service is None else service.name
        if not isinstance(to, Address):
            return Reach(sink=name, service=kind, how=None, address=None, why=to.reason, gone=None, until=None)
        shown = linked if found is not None and linked is not None else _written(to)
        by_mail = service is not None and service.mailboxes
        scopes[place_scope(sink.sender, to.place, is_mailbox=by_mail)] = shown
        scopes[away_scope(sink.sender, to.place, key)] = shown
        state = self._ledger.read(address_state, sink.sender, to.place)
        return Reach(
            sink=name,
            service=kind,
            how=how,
            address=masked_address(shown) if self._masked else shown,
            why=None,
            gone=state.reason if state is not None else None,
            until=state.until if state is not None else None,
        )


def _written(to: Address) -> str:
    """An address as it is shown: a mailbox is kept by a hash, its setting is what people know."""
    return " ".join(str(one) for one in to.settings.values() if one is not None) or to.place


def _shown(name: str, value: Any, masked: bool) -> Any:
    if name in URLS:
        return masked_address("")
    return value if not masked or name in SEEN_BY_ALL else masked_address(str(value))


def masked_address(text: str) -> str:
    """An address of which whoever knows it is reminded, and nobody else learns it: `700•••1`."""
    return f"{text[:3]}•••{text[-1]}" if len(text) > 6 else "•••"


def step_words(step: ToldStep) -> str:
    """A step in words: `80% used`, `3 days left`."""
    if step.family == "used":
        return f"{step.rank}% used"
    if step.rank == 0:
        return "over"
    days = abs(step.rank)
    return f"{days} day{'' if days == 1 else 's'} {'left' if step.rank < 0 else 'over'}"
