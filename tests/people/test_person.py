"""Who is meant by a name, and what only looks like it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.person import Person, forgotten_key
from bridge.people.recipient import is_name

ALICE = Person("marzban", "alice")
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(is_name)


@pytest.mark.parametrize(
    "text",
    ["alice", "user:alice", "marzban/user:alice>user:alice", "of alice.", '{"a": "alice"}', r"\nalice\n",
     r"\u2068alice\u2069", "https://x/in/alice?u=1", "a%2Falice%2f", "(alice)", "alice-2"],
)  # fmt: skip
def test_a_name_is_found_wherever_it_is_a_word(text: str) -> None:
    assert ALICE.is_named_in(text)
    assert not ALICE.is_named_in(ALICE.masked(text))


@pytest.mark.parametrize("text", ["malice", "alice2", "alice_", "Alice", "ali ce", "", None])
def test_a_name_within_another_word_is_somebody_elses(text: str | None) -> None:
    assert not ALICE.is_named_in(text)


@given(name=names)
def test_every_name_is_found_as_texts_json_html_and_urls_have_it(name: str) -> None:
    person = Person("marzban", name)
    for spelling in person.spellings:
        assert person.is_named_in(f" {spelling} ")
        assert not person.is_named_in(person.masked(f"« {spelling} »"))
    assert person.is_named_in(json.dumps({"to": name}))
    assert person.is_named_within([{"deep": [name]}])
    assert person.is_named_within({name: 1})


@given(name=names)
def test_what_is_left_of_a_key_says_nothing_of_it(name: str) -> None:
    key = Person("marzban", name).key
    assert name not in forgotten_key(key) or set(name) <= set("forgotten:0123456789abcdef")
    assert forgotten_key(key) == forgotten_key(key) != forgotten_key(key + "x")
