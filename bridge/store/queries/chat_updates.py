"""What a bot has heard, and all that follows from it: in the commit that also moves on behind it.

A kill before that commit loses nothing, for the service tells it again; a kill after it doubles nothing, for it is
behind. What is to be answered is kept in the same commit, until it is said.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.people.chat import UNDO, UNLINK, BotAnswer, BotReply, ChatAction, ChatUpdate, button_key, with_left
from bridge.people.link import hash_of, is_token
from bridge.people.wants import CATEGORIES, all_of, away_scope, chat_scope
from bridge.polled import PollResult
from bridge.store.queries.addresses import address_state, put_states
from bridge.store.queries.audit import add_audit
from bridge.store.queries.directory import placed_in
from bridge.store.queries.links import PERSONS, link_of, persons_of, put_link, take_unlinked, use_token, wants_nothing
from bridge.store.queries.moves import give_up, note_moved, proofs_stopped_at, right_of, take_back
from bridge.store.queries.polled import keep_turn
from bridge.store.queries.proofs import BY_PROOF, chat_elsewhere, known_chats, whose
from bridge.store.queries.put import lock_next_id
from bridge.store.queries.wishes import Wish, is_away, set_stopped, set_wants, wishes_of
from bridge.store.standing import AddressState
from bridge.value import Value, replace

THEMSELVES = "themselves"
UNDONE = "link undone"  # what the audit calls it
BLOCKED = "has blocked the bot"
BLOCKED_FOR = 30 * 86400.0  # seconds after which one who has blocked the bot is asked again, if they do not come back
GREETED = 5  # customers of one chat that are named when it is heard first
PRESSED = {"on": True, "off": False}
#: Chats that are told at once that they are somebody's no more, and answers that may wait beside: many users may be
#: deleted at once, and who writes is answered all the same.
UNLINKED_AT_ONCE, WAITING = 20, 50


def keep_heard(
    connection: sa.Connection, turns: Sequence[tuple[Sequence[ChatUpdate], PollResult, datetime]]
) -> list[list[BotAnswer] | None]:
    """Keep what turns have heard, and when; what is to be answered, None of a turn that is over."""
    lock_next_id(connection)  # first of all, as whoever puts does: or two replicas would wait for each other
    return [_keep(connection, heard, result, now) for heard, result, now in turns]


def _keep(
    connection: sa.Connection, heard: Sequence[ChatUpdate], result: PollResult, now: datetime
) -> list[BotAnswer] | None:
    if not keep_turn(connection, result):
        return None
    answers = [
        answer
        for one in heard
        for answer in _PrivateChat(connection, result.turn.key.source, one, now).answers()
        if not one.silent
    ]
    state = result.state or {}
    answers += _farewells(connection, result.turn.key.source, now, waiting=len(state.get("answers", ())))
    if answers:
        keep_turn(connection, replace(result, state={**state, "answers": with_left(state, answers)}))
    return answers


def _farewells(connection: sa.Connection, sender: str, now: datetime, *, waiting: int) -> Iterator[BotAnswer]:
    """What is to be said in chats that are somebody's no more, as long as not much else waits to be said."""
    if waiting < WAITING:
        for one in take_unlinked(connection, sender, most=UNLINKED_AT_ONCE):
            if one.chat.isdecimal():
                there = _PrivateChat(connection, sender, ChatUpdate(said=ChatAction.OTHER, chat=int(one.chat)), now)
                yield replace(there._answer(BotReply.REVOKED if one.revoked else BotReply.UNLINKED), about=one.key)


class _PrivateChat(Value):
    """The private chat in which something was said to a bot."""

    connection: sa.Connection
    sender: str
    heard: ChatUpdate
    now: datetime

    @property
    def place(self) -> str:
        return str(self.heard.chat)

    def answers(self) -> Iterator[BotAnswer]:
        """Heed what was said."""
        match self.heard.said:
            case ChatAction.START if self.heard.token:
                yield from self._link()
            case ChatAction.SHOWN:
                yield from self._prove()
            case ChatAction.START:
                yield from self._start()
            case ChatAction.STOP:
                self._stop(stop=True)
                yield self._answer(BotReply.STOPPED)
            case ChatAction.SETTINGS:
                yield self._answer(BotReply.SETTINGS)
            case ChatAction.PRESSED:
                yield from self._press()
            case ChatAction.BLOCKED:
                self._set_blocked()
            case ChatAction.UNBLOCKED:
                self._unblock()
            case _:
                yield self._answer(BotReply.HELLO)

    def _start(self) -> Iterator[BotAnswer]:
        """Tell them again; whom the directory has placed here, and who was told nothing yet, as who has linked it."""
        if self._comes_back():
            yield self._answer(BotReply.BACK)
            return
        placed = self._placed()
        for key in placed[:GREETED]:
            yield replace(self._answer(BotReply.LINKED), about=key)
        if not placed:
            yield self._answer(BotReply.HELLO)

    def _link(self) -> Iterator[BotAnswer]:
        token, place = self.heard.token, self.place
        key = use_token(self.connection, hash_of(token), self.sender, place, now=self.now) if is_token(token) else None
        if key is None:
            yield self._answer(BotReply.EXPIRED)
            return
        before = link_of(self.connection, self.sender, key)
        left = [before] if before is not None else self._chats_before(key)
        left = [one for one in left if one != place]
        if left:
            note_moved(self.connection, key, self.sender, now=self.now, placed=left)
        put_link(self.connection, key, self.sender, place, how="token", now=self.now)
        self._comes_back()
        yield replace(self._answer(BotReply.LINKED), about=key)
        for chat in left:
            yield from self._elsewhere(BotReply.MOVED, chat, key)

    def _chats_before(self, key: str) -> list[str]:
        """The chats that no link has made theirs, and in which they were told."""
        known = dict.fromkeys(known_chats(self.connection, key))
        return [one for one in known if self._is_reached(one) and not is_away(self.connection, key, self.sender, one)]

    def _is_reached(self, chat: str) -> bool:
        state = address_state(self.connection, self.sender, chat)
        return state is not None and state.reached_at is not None

    def _prove(self) -> Iterator[BotAnswer]:
        """Link whose proof it is, but for who has a chat elsewhere: what is shown may have been seen by others, too."""
        keys = whose(self.connection, self.heard.hashes)
        if not keys:
            yield self._answer(BotReply.UNKNOWN)
        for number, key in enumerate(keys):
            told = BotReply.HAS_CHAT
            if not chat_elsewhere(self.connection, key, self.sender, self.place):
                told = self._link_shown(key)
            secret = self.heard.secret if number == 0 else None
            yield replace(self._answer(told), about=key, secret=secret)

    def _link_shown(self, key: str) -> BotReply:
        """Link one who has no chat elsewhere by what is shown, unless nothing of the kind does."""
        if link_of(self.connection, self.sender, key) is None:
            if proofs_stopped_at(self.connection, key) is not None:
                return BotReply.NO_PROOF
            put_link(self.connection, key, self.sender, self.place, how=BY_PROOF, now=self.now)
        self._comes_back()
        return BotReply.LINKED

    def _undo(self, button: str) -> Iterator[BotAnswer]:
        """Have the link back that was moved away from here. Who may, the store says: the button only which it is."""
        right = right_of(self.connection, self.sender, self.place, button, now=self.now)
        if right is None:
            yield self._answer(BotReply.TOO_LATE)
            return
        key, before = right.key, None
        if link_of(self.connection, self.sender, key) != self.place:
            before = take_back(self.connection, right, by=THEMSELVES, now=self.now)
            self._unblock()
            add_audit(self.connection, UNDONE, {"key": key}, who=THEMSELVES, now=self.now)
        silent = wants_nothing(self.connection, key, self.sender, self.place)
        yield replace(self._answer(BotReply.UNDONE_STOPPED if silent else BotReply.UNDONE), about=key)
        if before is not None:
            yield from self._elsewhere(BotReply.UNLINKED, before, key)

    def _unlink(self, button: str) -> Iterator[BotAnswer]:
        """Be somebody's chat no more."""
        key = next((one for one in self._persons() if button_key(one) == button), None)
        if key is None:
            yield self._answer(BotReply.SETTINGS)
            return
        answer = replace(self._answer(BotReply.UNLINKED), about=key)
        give_up(self.connection, key, self.sender, self.place, now=self.now)
        if self.place in known_chats(self.connection, key):
            self._set_away(key, away=True)
        yield answer

    def _elsewhere(self, told: BotReply, chat: str, key: str) -> Iterator[BotAnswer]:
        """Say of somebody in another chat that it is theirs no more; not where that wants to be told nothing."""
        if chat.isdecimal() and not wants_nothing(self.connection, key, self.sender, chat):
            there = _PrivateChat(
                self.connection, self.sender, ChatUpdate(said=ChatAction.OTHER, chat=int(chat)), self.now
            )
            yield replace(there._answer(told), about=key, persons=(key,))

    def _comes_back(self) -> bool:
        """They want to be told again; whether anybody here was told before, has linked it, or wanted nothing."""
        stopped = any(one.wants.stopped for one in self._wishes().values())
        if stopped:
            self._stop(stop=False)
        return self._unblock() or stopped or bool(self._linked())

    def _set_away(self, key: str, *, away: bool) -> None:
        """Whether they are told nothing here, whatever else leads here."""
        scope = away_scope(self.sender, self.place, key)
        set_stopped(self.connection, scope, stop=away, by=THEMSELVES, now=self.now)

    def _stop(self, *, stop: bool) -> None:
        for scope in self._scopes():
            set_stopped(self.connection, scope, stop=stop, by=THEMSELVES, now=self.now)

    def _press(self) -> Iterator[BotAnswer]:
        """Do what a button stands for; nothing is said where it is none of ours."""
        name, _, value = self.heard.pressed.partition(":")
        if name == UNDO:
            yield from self._undo(value)
        elif name == UNLINK:
            yield from self._unlink(value)
        elif (wanted := PRESSED.get(value) if name in CATEGORIES else value if name == "locale" else None) is not None:
            for scope in self._scopes():
                set_wants(self.connection, scope, {name: wanted}, by=THEMSELVES, now=self.now)
            yield self._answer(BotReply.SETTINGS)

    def _set_blocked(self) -> None:
        state = address_state(self.connection, self.sender, self.place)
        if state is None and not self._persons():
            return  # a stranger: nobody would write to them
        until = self.now + timedelta(seconds=BLOCKED_FOR)
        gone = replace(state or AddressState(), reason=BLOCKED, since=self.now, until=until)
        put_states(self.connection, [(self.sender, self.place, gone)])

    def _unblock(self) -> bool:
        """The chat takes messages again; whether it was spoken to before."""
        state = address_state(self.connection, self.sender, self.place)
        if state is not None and state.reason is not None:
            put_states(self.connection, [(self.sender, self.place, AddressState(state.reached_at))])
        return state is not None

    def _answer(self, told: BotReply) -> BotAnswer:
        found = self._wishes().values()
        wants = all_of(one.wants for one in found)
        return BotAnswer(
            told=told,
            chat=self.heard.chat,
            locale=wants.chosen.get("locale") or self.heard.language,
            wants=wants.categories,
            persons=self._persons() if told is BotReply.SETTINGS else (),
            message=self.heard.message,
            secret=self.heard.secret,
            press=self.heard.press,
        )

    def _persons(self) -> list[str]:
        """The keys of those who are told here: they have linked it, or the directory has placed them here."""
        return sorted({*self._linked(), *self._placed()})

    def _linked(self) -> list[str]:
        return persons_of(self.connection, self.sender, self.place)

    def _placed(self) -> list[str]:
        placed = placed_in(self.connection, self.sender, self.place, limit=PERSONS)
        return [key for key in placed if not is_away(self.connection, key, self.sender, self.place)]

    def _scopes(self) -> list[str]:
        """What is said here is said by the chat, and by all whose it is."""
        return [chat_scope(self.sender, self.place), *self._persons()]

    def _wishes(self) -> dict[str, Wish]:
        return wishes_of(self.connection, self._scopes())
