"""The shapes of what is known of people, and of what they are told at the operator's word."""

from datetime import datetime
from typing import Any

from bridge.admin.shapes import Shape
from bridge.admin.trials.shapes import Previewed
from bridge.store.base import State
from bridge.store.records import AnnouncementState


class BotHeard(Shape):
    """How the customers' bot is heard: its `name`, once it is known; `reason` null where all is well."""

    bot: str
    name: str | None
    reason: str | None


class BrandNow(Shape):
    """Who speaks beside the file's own: to the customers of how many owners. `bot`: the one that it has of its own, as
    far as it is heard; null where it has none.
    """

    name: str
    owners: int
    bot: BotHeard | None


class PeopleCounts(Shape):
    """How many the directory knows, how many have shown a bot their chat, and how many want nothing.

    bot  null where nobody listens
    """

    records: int
    linked: int
    stopped: int
    bot: BotHeard | None
    brands: tuple[BrandNow, ...]


class PersonBrief(Shape):
    """Somebody in a list. `known`: whether the directory has them; `bots`: those that know their chat."""

    key: str
    realm: str
    kind: str
    name: str
    known: bool
    bots: tuple[str, ...]
    stopped_at: datetime | None


class PeopleFound(Shape):
    """`next`: what `after` has to be for those that follow, null where there are none."""

    items: tuple[PersonBrief, ...]
    next: str | None


class LinkedChat(Shape):
    """A chat that somebody has shown to a bot to be theirs."""

    bot: str
    chat: str
    how: str
    at: datetime


class Stop(Shape):
    """That nothing is told at an address of theirs: `by` their link in a letter, or in the chat itself."""

    at: datetime
    by: str
    where: str


class Reach(Shape):
    """Whether somebody is reached by a sink, and where.

    how      link or directory; null where they are not, which `why` says
    address  masked for whom the token lets look alone
    gone     what the service said when it took nothing there, which is asked again at `until`
    """

    sink: str
    service: str
    how: str | None
    address: str | None
    why: str | None
    gone: str | None
    until: datetime | None


class StepTold(Shape):
    """The last threshold of a kind that they were told of, not told again until it was reset. `step`: `80% used`.

    family  used, of which `rank` is the percent, or left, of which it is the days: below 0 while there are any
    """

    family: str
    rank: int
    step: str
    at: datetime


class ToldPerson(Shape):
    """A message for them: delivered, waiting, given up, or held back, and why."""

    id: int
    event_id: str
    type: str
    sink: str
    state: State
    reason: str | None
    made_at: datetime
    settled_at: datetime | None


class PersonNow(Shape):
    """What is known of somebody.

    record      what the directory says of them, null where it does not know them
    owner       whose customer they are, null where no event about them says so
    brand       who speaks to them, null where the file's own does
    links       the chats that they have shown to be theirs
    given_away  links that can still be used
    stopped_at  since when they want nothing at all, by whose word, `by`
    wants       what they, or the operator for them, said: categories, locale, zone, quiet
    stops       addresses of theirs at which nothing is told, said there
    reach       by which sinks they are reached
    steps       what they were told once
    told        the newest messages for them
    no_proofs_since  when they said that somebody else had moved their link: since then nothing that is shown links
                     them; null where it does
    """

    key: str
    realm: str
    kind: str
    name: str
    record: dict[str, Any] | None
    owner: str | None
    brand: str | None
    links: tuple[LinkedChat, ...]
    given_away: int
    stopped_at: datetime | None
    by: str | None
    wants: dict[str, Any]
    stops: tuple[Stop, ...]
    reach: tuple[Reach, ...]
    steps: tuple[StepTold, ...]
    told: tuple[ToldPerson, ...]
    no_proofs_since: datetime | None

    @property
    def is_nobody(self) -> bool:
        """Whether nothing is known of anybody of that name."""
        return not (
            self.record
            or self.links
            or self.wants
            or self.stopped_at
            or self.steps
            or self.told
            or self.no_proofs_since
        )


class GivenLink(Shape):
    """A link that shows a chat to be theirs, once, until then. It is told this one time: what is kept is a hash."""

    key: str
    link: str
    until: datetime


class Revoked(Shape):
    """How many links that were given away, and not used, are void."""

    key: str
    revoked: int


class Unlinked(Shape):
    """How many chats are theirs no more."""

    key: str
    unlinked: int


class Freed(Shape):
    """Whether anything kept what they show from linking them; it does no more."""

    key: str
    freed: bool


class Forgotten(Shape):
    """What was erased of somebody, or would be.

    rows       table → rows about them
    words      texts about something else that lose the name
    mentions   what somebody else's is and names them, the first hundred of `mentioned`: it stays unless asked for
    beyond     table → rows that cannot be erased here: what the file or a panel says
    outside    where the operator has them written down
    done       false where it goes on still: ask again
    left       why bytes of it may be left in the store's file, null where none are
    """

    rows: dict[str, int]
    words: int
    mentions: tuple[str, ...]
    mentioned: int
    beyond: dict[str, int]
    outside: tuple[str, ...]
    dry_run: bool
    done: bool
    left: str | None


class Imported(Shape):
    """How many rows of each table changed something, or would."""

    changed: dict[str, int]
    dry_run: bool


class Reading(Shape):
    """Those who read the same: how many, their words, and how the service draws them.

    brand    who speaks to them, null where the file's own does
    example  whose name stands in them
    """

    locale: str
    brand: str | None
    people: int
    example: str
    words: str
    preview: Previewed


class Draft(Shape):
    """Whom an announcement would reach, and what they would read. Nothing is sent, nothing is kept.

    unreached  how many are meant and have no address
    names      the first of them, in the order in which they would be told
    """

    sink: str
    chosen: tuple[str, ...]
    category: str
    critical: bool
    reached: int
    unreached: int
    names: tuple[str, ...]
    readings: tuple[Reading, ...]


class AnnouncementOutcome(Shape):
    """How many of them are in a state, and why."""

    state: State
    reason: str | None
    people: int


class AnnouncementNow(Shape):
    """What customers are told at the operator's word, and how far that is.

    chosen    whom: `all`, `realm:NAME`, or the keys of owners and users
    text      the template
    counted   how many they were when it was made
    made      how many deliveries are
    settled   how many of these are on their way no more
    state     putting: deliveries are being made; put: all are; stopped_putting, stopped
    going_on  whether this process is making deliveries
    outcomes  null in a list
    """

    id: int
    at: datetime
    by: str
    sink: str
    chosen: tuple[str, ...]
    text: str
    category: str
    critical: bool
    counted: int
    made: int
    settled: int
    delivered: int
    state: AnnouncementState
    going_on: bool
    outcomes: tuple[AnnouncementOutcome, ...]


class AnnouncedPerson(Shape):
    """One who was told, or was to be. `uncertain`: they may have got it; to replay `delivery` sends it once more."""

    delivery: int
    key: str
    state: State
    reason: str | None
    settled_at: datetime | None
    uncertain: bool


class AnnouncedFound(Shape):
    """`next`: what `after` has to be for those that follow, null where there are none."""

    items: tuple[AnnouncedPerson, ...]
    next: int | None


class Changed(Shape):
    """How many deliveries that changed."""

    id: int
    deliveries: int
