"""Brands: an owner's customers are told by that owner's brand, and by nobody else's, whatever changes meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.event import Event
from bridge.intake import Destination
from bridge.people.brand import NO_BRAND, Brand, Brands, Speaker
from bridge.people.directory import overview_of
from bridge.people.recipient import Audience, Recipients, recipient_key
from bridge.people.rules import CustomerRules
from bridge.routing import Route, Router
from bridge.store.queries.following import fallback_terms
from bridge.store.rows import terms_json, terms_of
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import Switch, an_event

SEVEN = Brand(name="Seven Net", sinks={"dm": "seven-bot", "mail": "seven-mail"}, support="https://t.me/seven_help")
NINE = Brand(name="Nine", sinks={"dm": "nine-bot"})
PLAIN = Brand(name="Plain")
BRANDS = {"seven": SEVEN, "nine": NINE, "plain": PLAIN}
OWN = Brand(name="Fra VPN", support="https://t.me/fravpn")
CUSTOMERS = ("dm", "mail", "seven-bot", "seven-mail", "nine-bot")
ROWS = (
    Route(match="user.*", to=("dm",), audience="user", fallback=("mail",)),
    Route(match="user.limited", to="mail", audience="user", critical=True),
    Route(to="ops"),
)


def recipients(owners: Mapping[str, str], known: Mapping[str, Brand] = BRANDS) -> Recipients:
    whose = dict.fromkeys(CUSTOMERS, Audience.PERSON)
    return Recipients(whose, {"berlin": "marzban"}, Brands(known, owners))


def table(owners: Mapping[str, str], *, off: tuple[str, ...] = (), known: Mapping[str, Brand] = BRANDS) -> Router:
    sinks = {name: Switch(enabled=name not in off) for name in ("ops", *CUSTOMERS)}
    rows = [(f"route {number}", route) for number, route in enumerate(ROWS, 1)]
    return Router(rows, sinks=sinks, recipients=recipients(owners, known))


def told(owner: str | None, source: str = "marzban", type_: str = "user.expired") -> Event:
    data = {"user": {"username": "alice"}} | ({} if owner is None else {"owner": owner})
    return replace(an_event(type_=type_), source=source, data=data)


def goes(router: Router, event: Event) -> dict[str, Destination]:
    return {one.sink: one for one in router.route(event).destinations}


DIRECTORY = {"marzban/owner:seven": "seven", "marzban/owner:nine": "nine", "marzban/owner:plain": "plain"}


@pytest.mark.parametrize(
    ("owner", "source", "sinks", "fallback", "brand"),
    [
        ("seven", "marzban", {"seven-bot", "ops"}, ("seven-mail",), "seven"),
        ("seven", "berlin", {"seven-bot", "ops"}, ("seven-mail",), "seven"),  # another source of the same realm
        ("seven", "wg", {"dm", "ops"}, ("mail",), None),  # reseller seven of another realm is somebody else
        ("nine", "marzban", {"nine-bot", "ops"}, ("mail",), "nine"),  # who has no mail of their own
        ("plain", "marzban", {"dm", "ops"}, ("mail",), "plain"),  # the file's bot, the brand's words
        ("unknown", "marzban", {"dm", "ops"}, ("mail",), None),
        ("Seven", "marzban", {"dm", "ops"}, ("mail",), None),
        (None, "marzban", {"dm", "ops"}, ("mail",), None),
    ],
)
def test_who_speaks_follows_from_the_owner_that_the_event_names(
    owner: str | None, source: str, sinks: set[str], fallback: tuple[str, ...], brand: str | None
) -> None:
    found = goes(table(DIRECTORY), told(owner, source))
    assert found.keys() == sinks
    [theirs] = [one for sink, one in found.items() if sink != "ops"]
    assert theirs.recipient == f"{'wg' if source == 'wg' else 'marzban'}/user:alice"
    assert theirs.terms is not None
    assert (theirs.terms.fallback, theirs.terms.brand) == (fallback, brand)
    assert found["ops"].terms is None


def test_what_a_row_asks_for_holds_whoever_speaks() -> None:
    found = goes(table(DIRECTORY), told("seven", type_="user.limited"))
    assert found.keys() == {"seven-bot", "seven-mail", "ops"}
    terms = found["seven-mail"].terms
    assert terms is not None
    assert (terms.critical, terms.fallback, terms.brand) == (True, (), "seven")


def test_where_a_brands_bot_is_disabled_nobody_else_speaks_in_its_place() -> None:
    assert goes(table(DIRECTORY, off=("seven-bot",)), told("seven")).keys() == {"ops"}
    assert goes(table(DIRECTORY, off=("seven-bot",)), told("nine")).keys() == {"nine-bot", "ops"}


def test_a_brand_that_the_file_does_not_have_is_none() -> None:
    assert goes(table(DIRECTORY, known={}), told("seven")).keys() == {"dm", "ops"}


def test_where_a_deliverys_brand_is_gone_nobody_elses_name_stands_under_it() -> None:
    rules = CustomerRules(own=OWN, brands={"nine": NINE})
    assert rules.speaker(Terms(brand="seven")) == NO_BRAND
    assert rules.speaker(Terms(brand="nine")) == NINE
    assert rules.speaker(Terms(critical=True)) == rules.speaker(None) == OWN


def test_a_template_is_told_who_speaks_and_nothing_else_of_a_brand() -> None:
    assert SEVEN.speaker() == Speaker("Seven Net", "https://t.me/seven_help", "")
    assert NO_BRAND.speaker() == Speaker()


def test_of_a_directory_no_more_is_held_in_memory_than_which_owner_has_which_brand() -> None:
    entries = [
        ("m/owner:seven", {"telegram": 7, "brand": "seven"}),
        ("m/owner:nine", {"telegram": 9}),
        ("m/user:owner:x", {"brand": "seven"}),  # no owner, whatever the name
    ]
    assert overview_of(entries).brands == {"m/owner:seven": "seven"}


@dataclass(frozen=True)
class Waiting:
    """A delivery, and whose customer it is for: the brand of that owner as it was when the event came in."""

    sink: str
    terms: str | None
    brand: str | None


OWNERS = st.sampled_from(("seven", "nine", "plain", "unknown", None))
DIRECTORIES = st.dictionaries(
    st.sampled_from([recipient_key(realm, Audience.OWNER, name) for realm in ("marzban", "wg") for name in BRANDS]),
    st.sampled_from((*BRANDS, "forgotten")),
)
FILES = st.dictionaries(st.sampled_from(tuple(BRANDS)), st.just(None)).map(lambda one: {n: BRANDS[n] for n in one})


@given(st.lists(st.one_of(
    st.tuples(st.just("event"), OWNERS, st.sampled_from(("marzban", "berlin", "wg"))),
    st.tuples(st.just("directory"), DIRECTORIES, FILES),
), min_size=1, max_size=30), FILES)  # fmt: skip
def test_nobodys_customer_is_ever_told_by_another_owners_brand(
    steps: list[tuple[str, ...]], last: Mapping[str, Brand]
) -> None:
    """Events, directories and files in any order; then all is sent, by whatever file stands at the end."""
    directory, known = dict[str, str](), dict(BRANDS)
    router, waiting = table(directory), list[Waiting]()
    for what, first, second in steps:
        if what == "directory":
            directory, known = dict(first), dict(second)
            router = table(directory, known=known)
            continue
        realm = "wg" if second == "wg" else "marzban"
        brand = directory.get(f"{realm}/owner:{first}")
        for one in goes(router, told(first, second)).values():
            if one.sink != "ops":
                waiting.append(Waiting(one.sink, terms_json(one.terms), brand if brand in known else None))
    rules = CustomerRules(own=OWN, brands=last)
    others = {name: set(one.sinks.values()) for name, one in BRANDS.items()}
    for one in waiting:
        sink, terms = one.sink, terms_of(one.terms)
        theirs = others.get(one.brand or "", set())
        while True:
            assert sink in theirs | {"dm", "mail"} - BRANDS.get(one.brand or "", NO_BRAND).sinks.keys()
            said = rules.speaker(terms)
            assert said in ([OWN] if one.brand is None else [BRANDS[one.brand], NO_BRAND])
            assert (said != NO_BRAND) is (one.brand is None or one.brand in last)
            if terms is None or not terms.fallback:
                break
            sink = terms.fallback[0]
            terms = terms_of(terms_json(fallback_terms(terms, sink)))
