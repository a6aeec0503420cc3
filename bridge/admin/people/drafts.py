"""Drafts of announcements: whom one would reach, and what they would read, as the service draws it. Nothing is sent."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.admin.people.announcing import (
    EVERYBODY,
    OF_REALM,
    AnnouncementAudience,
    AnnouncementRecipient,
    ReaderGroup,
    counted,
    customers_sink,
)
from bridge.admin.people.customers import Customers
from bridge.admin.people.shapes import Draft, Reading
from bridge.admin.trials.dry_run import DryRun
from bridge.admin.trials.preview import Preview, preview
from bridge.bidi import RLM
from bridge.errors import BridgeError, UnknownName, suggestion
from bridge.intake import Destination
from bridge.messages.catalog import LOCALES
from bridge.messages.customer import WORDS
from bridge.messages.errors import TemplateFault
from bridge.people.announcement import announcement
from bridge.people.wants import CATEGORIES
from bridge.store.ledger import Ledger
from bridge.store.queries.announcements import add_announcement, same_announcement
from bridge.store.records import AnnouncementRecord
from bridge.terms import Terms
from bridge.value import Value

WHOM = "all, user:NAME, owner:NAME, realm:NAME or source:NAME"
LONGEST = 16_384  # characters of a template
NAMES = 10  # of those who would be told, that are shown
LANGUAGES = 10  # in which the words are shown, those that the most read
PATIENCE = 10.0  # seconds for counting: it looks through everybody
SOON = timedelta(hours=1)  # in which the same is not announced twice by accident
GIST = 120  # characters
_BLOCK = re.compile(r"\{%-? *block (\w+) *-?%\}(.*?)\{%-? *endblock", re.DOTALL)
_PIECE = re.compile(r'\{\{ ("(?:[^"\\]|\\.)*") \}\}|\{%.*?%\}|\{#.*?#\}', re.DOTALL)  # a literal, or no words
_EXPRESSION = re.compile(r"(\{\{.*?\}\})", re.DOTALL)


class AnnouncementRequest(Value):
    """What is to be announced. `chosen`: whom, as it is kept; `text`: a template."""

    chosen: tuple[str, ...]
    sink: str
    text: str
    category: str = "news"
    critical: bool = False


class AnnouncementDraft(Value):
    """An announcement that could be made: whom it reaches, and how it looks to those who read the same."""

    wanted: AnnouncementRequest
    found: AnnouncementAudience
    default: str
    looks: Mapping[ReaderGroup, Preview]

    @property
    def shown(self) -> Sequence[ReaderGroup]:
        """Those who are shown what they read: it is tried for all."""
        return list(self.looks)[:LANGUAGES]

    def words(self, readers: ReaderGroup) -> str:
        """What they read, without what is around it."""
        return self.looks[readers].message.blocks[WORDS]

    def example(self, readers: ReaderGroup) -> str:
        """Who is one of them."""
        return _example(self.found, readers, self.default).name

    def shape(self, ready: DryRun) -> Draft:
        numbers = self.found.readers(self.default)
        return Draft(
            sink=self.wanted.sink,
            chosen=self.wanted.chosen,
            category=self.wanted.category,
            critical=self.wanted.critical,
            reached=len(self.found.reached),
            unreached=self.found.unreached,
            names=tuple(one.name for one in self.found.reached[:NAMES]),
            readings=tuple(
                Reading(
                    locale=readers.locale,
                    brand=readers.brand,
                    people=numbers[readers],
                    example=self.example(readers),
                    words=self.words(readers),
                    preview=self.looks[readers].shape(ready.zone),
                )
                for readers in self.shown
            ),
        )


def chosen(customers: Customers, who: str, realm: str | None) -> str:
    """Whom `all`, `owner:reseller-7` or `source:berlin` means, as it is kept; raise BridgeError where it is nobody."""
    realms = customers.realms
    if who == EVERYBODY:
        return who
    kind, _, name = who.partition(":")
    known = {"realm": sorted(set(realms.values())), "source": list(realms)}.get(kind)
    if known is not None:
        if name not in known:
            raise UnknownName(f'announce: no {kind} named "{name}": {suggestion(name, known)}')
        return f"{OF_REALM}{realms[name] if kind == 'source' else name}"
    its, slash, subject = who.partition("/")
    if slash and ":" not in its:
        kind, realm, who = subject.partition(":")[0], its, subject
    if kind not in ("user", "owner"):
        raise BridgeError(f'announce: "{who}" is nobody: say {WHOM}')
    return customers.key_of(who, realm)


def template_of(words: Mapping[str, str]) -> str:
    """The template that says these words, language → text, in which no sign but {{ … }} means anything."""
    blocks = [
        f"{{% block {locale} %}}{''.join(map(_literal, _EXPRESSION.split(text.strip())))}{{% endblock %}}"
        for locale, text in words.items()
        if locale in LOCALES and text.strip()
    ]
    if not blocks:
        raise BridgeError("announce: say something, in one language at least")
    return "\n".join(blocks)


def _literal(part: str) -> str:
    """A piece of words: what is no expression is one that says just that, so that it is escaped as all others are."""
    if not part or _EXPRESSION.fullmatch(part):
        return part
    return "{{ " + json.dumps(part.replace("\r\n", "\n"), ensure_ascii=False) + " }}"


def gist(text: str, locale: str) -> str:
    """What a template says to who reads that language, else in its first block, on one line; it is not run for that."""
    blocks = dict(reversed(_BLOCK.findall(text)))
    said = blocks.get(locale) or next(reversed(blocks.values()), text)
    said = _PIECE.sub(lambda one: _words(one[1]) if one[1] else " ", said)
    line = " ".join(said.split())
    return line if len(line) <= GIST else f"{line[:GIST]}…"


def _words(literal: str) -> str:
    """What a literal says, read as Jinja reads it; as it stands where that cannot read it either."""
    try:
        said = literal[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
    except UnicodeError:
        return literal
    return said.encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def draft(ledger: Ledger, ready: DryRun, wanted: AnnouncementRequest, *, now: datetime) -> AnnouncementDraft:
    """Count and render it; raise BridgeError where it cannot be made, UnknownName where the file has no such sink."""
    if wanted.category not in CATEGORIES:
        raise BridgeError(f"announce: category should be {', '.join(CATEGORIES)}")
    if len(wanted.text) > LONGEST:
        raise BridgeError(f"announce: the template has more than {LONGEST:,} characters")
    customers_sink(ready, wanted.sink)
    found = counted(ledger.patiently(PATIENCE), wanted.chosen, ready, wanted.sink)
    default = ready.locale
    looks = {
        readers: _look(ready, wanted, readers, _example(found, readers, default).name, now)
        for readers in found.readers(default)
    }
    return AnnouncementDraft(wanted, found, default, looks)


def drawn(ready: DryRun, record: AnnouncementRecord, name: str, *, now: datetime) -> list[Preview]:
    """How one that was made looks to somebody of that name, in each language that has words of its own; none where the
    file has not its sink any more, or the template fails now.
    """
    wanted = AnnouncementRequest(record.chosen, record.sink, record.text, record.category, record.critical)
    spoken = {ready.brands.of(one) for one in record.chosen}
    brand = spoken.pop() if len(spoken) == 1 else None
    try:
        customers_sink(ready, record.sink)
        own = sorted(LOCALES, key=lambda one: one != ready.locale)
        looks = [_look(ready, wanted, ReaderGroup(one, brand), name, now) for one in own]
    except BridgeError:
        return []
    found: dict[str, Preview] = {}
    for look in looks:
        found.setdefault(look.message.blocks[WORDS].strip(RLM), look)
    return list(found.values())


def _look(ready: DryRun, wanted: AnnouncementRequest, readers: ReaderGroup, name: str, now: datetime) -> Preview:
    locale, sink = readers.locale, ready.brands.called(readers.brand).sink(wanted.sink)
    to, event = (
        Destination(sink, "announcement", terms=Terms(brand=readers.brand)),
        announcement(name, wanted.text, now),
    )
    try:
        return preview(event, ready.sink(sink), ready.renderer, at=now, locale=locale, to=to, rules=ready.rules)
    except TemplateFault as error:
        raise BridgeError(f"announce: the template fails for {locale}: {error}") from None


def _example(found: AnnouncementAudience, readers: ReaderGroup, default: str) -> AnnouncementRecipient:
    return next(one for one in found.reached if (one.locale or default, one.brand) == readers)


def check_count(drafted: AnnouncementDraft, count: int | None = None) -> int:
    """How many it reaches; raise BridgeError where that is nobody, or not how many somebody has confirmed."""
    number = len(drafted.found.reached)
    if not number:
        raise BridgeError("announce: nobody is meant by that whom this sink reaches")
    if count is not None and count != number:
        raise BridgeError(f"announce: nothing is sent: it reaches {number} now, and not {count}")
    return number


def keep(ledger: Ledger, drafted: AnnouncementDraft, *, by: str, now: datetime, again: bool = False) -> int:
    """Keep that it is announced, of which nothing is put yet; its id. Raise BridgeError where the very same was
    announced a moment ago, unless it is to be told `again`.
    """
    wanted = drafted.wanted
    if not again:
        since = now - SOON
        id_ = ledger.read(same_announcement, sink=wanted.sink, chosen=wanted.chosen, text=wanted.text, since=since)
        if id_ is not None:
            raise BridgeError(f"announce: nothing is sent: the very same was announced as {id_} within the hour")
    record = AnnouncementRecord(
        at=now,
        by=by,
        sink=wanted.sink,
        chosen=wanted.chosen,
        text=wanted.text,
        category=wanted.category,
        critical=wanted.critical,
        counted=len(drafted.found.reached),
    )
    return ledger.write(add_announcement, record)


def wanted_of(
    customers: Customers, to: Sequence[str], *, sink: str, text: str, category: str, critical: bool, realm: str | None
) -> AnnouncementRequest:
    """What is to be announced, as it is kept: nobody is meant twice."""
    return AnnouncementRequest(
        tuple(dict.fromkeys(chosen(customers, one, realm) for one in to)), sink, text, category, critical
    )
