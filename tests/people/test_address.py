"""Where a message goes follows from the event and one record, and from nothing that its text can do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.address import Address, Addressing, NoAddress
from bridge.people.recipient import Audience, Recipients
from bridge.sinks.telegram.sink import TelegramConfig
from bridge.value import replace
from tests.fakes import an_event

FORMS = TelegramConfig.address_forms
OWNER = Addressing({"chat_id": "{{ owner.telegram }}", "message_thread_id": "{{ owner.thread }}"}, FORMS)
NODE = Addressing({"chat_id": "{{ data.node.chat }}"}, FORMS)
HOSTILE = [
    *(
        "..",
        "%2e",
        "@evil",
        "-1001\r\nBcc: x",
        "1,2",
        "\u202e7",
        "\u200e7",
        "9" * 10**5,
        "{{ 7 }}",
        "1e3",
        "٧",
        "0",
        "-0",
    ),
    *("+7", "0x7", " 7 8", "None", 2**52, -(2**52), 10**400, 7.0, float("nan"), float("inf"), True, None, [], {}, [7]),
]


def an_owners(owner: Any = "reseller-7", **data: Any) -> Any:
    return replace(an_event(), data={"owner": owner, **data})


def test_a_record_gives_the_address() -> None:
    found = OWNER.resolve(an_owners(), {"telegram": -1007, "thread": 12, "locale": "fa"})
    assert found == Address("-1007", {"chat_id": -1007, "message_thread_id": 12}, "fa")


def test_a_topic_may_be_missing_and_is_no_place_of_its_own() -> None:
    found = OWNER.resolve(an_owners(), {"telegram": -1007})
    assert isinstance(found, Address)
    assert (found.place, found.settings) == ("-1007", {"chat_id": -1007, "message_thread_id": None})


@pytest.mark.parametrize(
    ("owner", "record", "reason"),
    [
        ("reseller-8", None, 'no owner "reseller-8" in the directory'),
        ("", None, "no owner in it"),
        (7, None, "no owner in it"),
        ("reseller-7\u200b", None, "no owner in it"),
        ("x" * 201, None, "no owner in it"),
        ("reseller-7", {"email": "a@b"}, "chat_id is empty"),
        ("reseller-7", {"telegram": -1007, "thread": "a"}, "message_thread_id should be the number of a topic"),
    ],
)
def test_what_is_missing_is_said(owner: Any, record: Any, reason: str) -> None:
    assert OWNER.resolve(an_owners(owner), record) == NoAddress(reason)


@pytest.mark.parametrize("value", HOSTILE)
def test_what_has_not_the_form_of_a_chat_is_no_address(value: Any) -> None:
    assert isinstance(NODE.resolve(an_owners(node={"chat": value}), None), NoAddress)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda x: st.lists(x) | x))
def test_whatever_a_panel_says_comes_out_as_a_number_or_not_at_all(value: Any) -> None:
    found = NODE.resolve(an_owners(node={"chat": value}), None)
    if isinstance(found, Address):
        chat = found.settings["chat_id"]
        assert isinstance(chat, int)
        assert 0 < abs(chat) < 2**52
        assert found.place == str(chat) == str(value).strip()


@pytest.mark.parametrize(
    ("written", "audience"),
    [
        ("{{ owner.telegram }}", Audience.OWNER),
        ("{{ data.owner }}", Audience.OWNER),
        ("{{ node.telegram }}", Audience.NODE),
        ("{{ data.node.chat }}", None),
        ("{{ person.telegram or data.user.telegram_id }}", Audience.PERSON),
        ("{{ data.peer.x }}", Audience.PERSON),
        ("{{ data.unheard_of }}", Audience.PERSON),
        ("{{ data.get('user').telegram_id }}", Audience.PERSON),
        ("{{ data['system'].chat }}", None),
    ],
)
def test_whose_a_sink_is_follows_from_what_its_address_speaks_of(written: str, audience: Audience | None) -> None:
    assert Addressing({"chat_id": written}, FORMS).audience is audience


def test_a_key_names_the_realm_so_that_one_name_in_two_panels_is_two() -> None:
    both = Recipients({"dm": Audience.OWNER}, {"a": "a", "b": "b", "c": "a"})
    a, b, c = (both.of("dm", replace(an_owners(), source=source)) for source in "abc")
    assert (a, b) == ("a/owner:reseller-7", "b/owner:reseller-7")
    assert c == a
    assert both.of("ops", an_owners()) is None
