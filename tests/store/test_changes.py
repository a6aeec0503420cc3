"""Whatever changes what lanes look up moves the version that they ask for, in the commit that changes it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bridge.store
from bridge.mute import MuteKind
from bridge.people.person import Person
from bridge.store import open_ledger, open_outbox
from bridge.store.base import AddressState
from bridge.store.ledger import Ledger
from bridge.store.moments import micros
from bridge.store.outbox import SqlOutbox
from bridge.store.people_file import Line
from bridge.store.queries.addresses import ask_again, put_states
from bridge.store.queries.directory import forget_others, put_in_force, put_records
from bridge.store.queries.links import close_links, put_link, unlink
from bridge.store.queries.moves import give_up
from bridge.store.queries.mutes import add_mute, end_mute
from bridge.store.queries.people_file import import_people
from bridge.store.queries.told_steps import close_person
from bridge.store.queries.wishes import forget_away, set_stopped, set_wants
from bridge.store.schema import addresses, closed, directories, links, mutes, wishes
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after
from tests.store.forgetting import forget

ALICE, BOT = "marzban/user:alice", "a bot"
BLOCKED = AddressState(START, "blocked", START, after(60))
#: What lanes look up; of the directory the generation that is in force.
LOOKED_UP = {table.name for table in (addresses, closed, directories, links, mutes, wishes)}

Way = Callable[[Ledger], object]
#: The function that writes → how it is asked to.
WAYS: dict[str, Way] = {
    "wishes.set_stopped": lambda one: one.write(set_stopped, ALICE, stop=True, by="them", now=START),
    "wishes.set_wants": lambda one: one.write(set_wants, ALICE, {"news": False}, by="them", now=START),
    "wishes.forget_away": lambda one: one.write(forget_away, ALICE),
    "told_steps.close_person": lambda one: one.write(close_person, ALICE, START),
    "links.put_link": lambda one: one.write(put_link, ALICE, BOT, "7", how="token", now=START),
    "links.unlink": lambda one: one.write(unlink, ALICE, START),
    "moves.give_up": lambda one: one.write(give_up, ALICE, BOT, "6", now=START),
    "links.close_links": lambda one: one.write(close_links, ALICE, START),
    "directory.put_in_force": lambda one: one.write(put_in_force, [("another", 0)]),
    "addresses.put_states": lambda one: one.write(put_states, [(BOT, "7", BLOCKED)]),
    "addresses.ask_again": lambda one: one.write(ask_again, [BOT]),
    "mutes.add_mute": lambda one: one.write(add_mute, MuteKind.SINK, "ops", until=after(60), by="them", now=START),
    "mutes.end_mute": lambda one: one.write(end_mute, 1, now=START),
    "people_file._import": lambda one: one.write(import_people, [Line(links, _LINK)]),
}
_LINK = {"key": ALICE, "sender": BOT, "chat": "8", "how": "token", "at": micros(after(60))}
#: Those that are asked by `forget.erase` alone.
FORGETTING = {"forget._erase_events", "forget._delete", "forget._leave_stopped", "forget._erase_words"}
#: They take away what has not held any more for a month.
OVER = {"mutes.delete_over", "links.delete_over"}
NOTHING: dict[str, Way] = {
    "one that took a message takes another": lambda one: one.write(put_states, [(BOT, "5", AddressState(START))]),
    "records that nobody looks up": lambda one: one.write(put_records, [("another", [(ALICE, {})])]),
    "they are forgotten": lambda one: one.write(forget_others, [None]),
}


def before(ledger: Ledger) -> None:
    """What there is to be changed."""
    ledger.write(add_mute, MuteKind.SUBJECT, "user:alice", until=after(60), by="them", now=START)
    ledger.write(put_link, ALICE, BOT, "6", how="token", now=START)
    ledger.write(put_states, [(BOT, "5", AddressState(START)), (BOT, "9", BLOCKED)])
    ledger.write(put_in_force, [("one", 0)])


@pytest.mark.parametrize("name", WAYS)
async def test_what_changes_for_lanes_moves_the_version_and_is_known_here_at_once(outbox: SqlOutbox, name: str) -> None:
    await outbox.operate(before)
    version, moves = await outbox.version(), outbox.moves
    await outbox.operate(WAYS[name])
    assert (await outbox.version(), outbox.moves) == (version + 1, moves + 1)


@pytest.mark.parametrize("name", WAYS)
async def test_what_another_process_changes_moves_the_version(outbox: SqlOutbox, any_store_url: str, name: str) -> None:
    with open_ledger(any_store_url) as ledger:
        before(ledger)
        version = await outbox.version()
        WAYS[name](ledger)
    assert await outbox.version() == version + 1


async def test_who_is_forgotten_moves_the_version(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.operate(before)
    version = await outbox.version()
    forget(any_store_url, Person("marzban", "alice", frozenset({"marzban"}), frozenset()))
    assert await outbox.version() > version


@pytest.mark.parametrize("name", NOTHING)
async def test_what_changes_nothing_for_lanes_moves_nothing(outbox: SqlOutbox, name: str) -> None:
    await outbox.operate(before)
    version, moves = await outbox.version(), outbox.moves
    await outbox.operate(NOTHING[name])
    await outbox.put(an_intake(an_event("user:bob")))
    assert (await outbox.version(), outbox.moves) == (version, moves)


async def test_an_address_that_takes_messages_again_moves_it(outbox: SqlOutbox) -> None:
    await outbox.operate(before)
    version = await outbox.version()
    await outbox.save_address_state(BOT, "9", AddressState(START))
    assert await outbox.version() == version + 1


async def test_several_that_share_a_commit_move_it_once_and_what_is_taken_back_not_at_all(outbox: SqlOutbox) -> None:
    def both(ledger: Ledger) -> None:
        before(ledger)
        for way in WAYS.values():
            way(ledger)

    def neither(ledger: Ledger) -> None:
        both(ledger)
        raise RuntimeError

    await outbox.operate(both)
    version = await outbox.version()
    assert version == 1
    with pytest.raises(Exception, match="RuntimeError"):
        await outbox.operate(neither)
    assert await outbox.version() == version


async def test_it_goes_on_from_process_to_process(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as first:
        assert await first.version() == 0
        await first.operate(WAYS["wishes.set_stopped"])
    async with open_outbox(any_store_url) as second:
        assert (await second.version(), second.moves) == (1, 0)


def test_every_function_that_writes_what_lanes_look_up_is_tried_here() -> None:
    """Beside these nobody writes to the tables: whoever adds a way says here that it moves the version."""
    assert set(_writers()) == {*WAYS, *FORGETTING, *OVER}


def _writers() -> Iterator[str]:
    """The functions of the store that write to these tables, or to one that they are given."""
    for file in Path(bridge.store.__file__).parent.rglob("*.py"):
        if "migrations" in file.parts or file.stem in ("copy", "backup"):  # into a store that nobody has opened yet
            continue
        tree = ast.parse(file.read_text())
        texts = {name for name, text in _constants(tree) if any(f" {one} " in text for one in LOOKED_UP)}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any(_writes(node, texts) for node in ast.walk(function)):
                yield f"{file.stem}.{function.name}"


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The statements in SQL that a module writes by, by their names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            words = [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
            text = "".join(str(one) for one in words)
            if text.startswith(("INSERT", "UPDATE", "DELETE")):
                yield node.targets[0].id, text


def _writes(node: ast.AST, texts: set[str]) -> bool:
    """Whether it is `sa.delete(wishes)`, `sa.update(wishes)`, `wishes.insert()`, or names a statement that writes."""
    if isinstance(node, ast.Name):
        return node.id in texts
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    table: Any = node.args[0] if node.args and node.func.attr in ("delete", "update") else node.func.value
    known = isinstance(table, ast.Name) and table.id in (LOOKED_UP | {"table"})
    of_found = isinstance(table, ast.Attribute) and table.attr == "table"
    return node.func.attr in ("delete", "update", "insert") and (known or of_found)
