"""What every value is: frozen, compared by what it holds, and silent about what is secret."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

import bridge.app
import bridge.doctor
import bridge.setup.making  # noqa: F401
from bridge.value import Value, replace

ROOT = Path(__file__).parent.parent


class Login(Value):
    HIDDEN: ClassVar = frozenset({"password"})

    name: str
    password: str
    tries: int = 0


ALICE = Login("alice", "s3cret")


def values(of: type[Value] = Value) -> Iterator[type[Value]]:
    """Those of the bridge: of its running, its setting up and its doctor."""
    for one in of.__subclasses__():
        if one.__module__.startswith("bridge."):
            yield one
        yield from values(one)


def test_it_shows_what_it_holds_but_for_what_is_hidden() -> None:
    assert repr(ALICE) == "Login(name='alice', tries=0)"
    assert repr([ALICE]) == str([ALICE]) == "[Login(name='alice', tries=0)]"


def test_it_is_compared_by_all_that_it_holds() -> None:
    assert Login("alice", "s3cret") == ALICE
    assert hash(Login("alice", "s3cret")) == hash(ALICE)
    assert Login("alice", "other") != ALICE


def test_it_changes_in_nothing_and_another_is_made_in_its_place() -> None:
    with pytest.raises(AttributeError):
        ALICE.tries = 1  # type: ignore[misc]
    assert replace(ALICE, tries=1) == Login("alice", "s3cret", 1)
    with pytest.raises(TypeError):
        replace(ALICE, trys=1)  # type: ignore[call-arg]


def test_what_is_hidden_is_a_field() -> None:
    assert len(found := [*values()]) > 100
    assert [one for one in found if not {*one.HIDDEN} <= {*one.__struct_fields__}] == []


def test_nothing_frozen_is_a_dataclass_but_what_remembers_what_it_has_worked_out() -> None:
    for file in (ROOT / "bridge").rglob("*.py"):
        text = file.read_text("utf-8")
        if re.search(r"^ *@dataclass\(.*frozen=True", text, re.M):
            assert "@cached_property" in text, file
