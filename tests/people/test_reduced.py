"""An owner sees of an event what is theirs: a key that nobody has named is not told."""

from bridge.people.recipient import Audience
from bridge.people.reduced import CUSTOMERS, OWNERS, reduced
from bridge.value import replace
from bridge.vocabulary import KEYS
from tests.fakes import an_event

HIDDEN = {"actor", "node", "billing", "interface", "security", "abuse", "admin", "role", "api_key", "host", "group"}
HIDDEN |= {"ticket", "core", "template", "system", "alert", "lane", "source", "config", "command", "message"}


def test_every_key_of_data_is_an_owners_or_is_not() -> None:
    assert set(KEYS) == OWNERS | HIDDEN
    assert not OWNERS & HIDDEN


def test_a_customer_is_told_of_less_than_an_owner() -> None:
    assert CUSTOMERS < OWNERS
    told = reduced(replace(an_event(), data={key: key for key in KEYS}), Audience.PERSON)
    assert set(told.data) == set(CUSTOMERS)


def test_nothing_else_of_an_event_comes_through() -> None:
    told = reduced(replace(an_event(), data={key: key for key in (*KEYS, "unheard_of")}), Audience.OWNER)
    assert set(told.data) == set(OWNERS)
    assert told.native is None
