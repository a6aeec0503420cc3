"""How a sink's many addresses stand: one that is gone is asked once, then not again for a while.

A few that are gone are their own business. When nearly all are that took messages before, that is a mistake of ours, a
bot's new token or a wrong file: then the lane is parked, and what was learned of them is taken back.
"""

from collections import OrderedDict
from datetime import timedelta

from bridge.clock import Clock
from bridge.outcome import Attempt, Delivered, Gone
from bridge.store.base import ASKED_AGAIN, AddressState, Outbox
from bridge.value import replace

WATCHED = 200  # different addresses, the last that were spoken to
WITHIN = 600.0  # seconds
FEWEST, PART = 40, 0.4  # so many of them that are gone, and a larger part than this, are one mistake


class AddressBook:
    """The addresses of one sink."""

    def __init__(self, sender: str, outbox: Outbox, clock: Clock) -> None:
        self._sender = sender
        self._outbox = outbox
        self._clock = clock
        self._recent: OrderedDict[str, tuple[float, bool]] = OrderedDict()  # that took messages before: when, and gone

    async def judge(self, place: str, attempt: Attempt, known: AddressState | None = None) -> Attempt:
        """Keep what an attempt told of an address; the attempt, gone for all where nearly all are gone.

        `known`: how it stands, where that is known.
        """
        match attempt.outcome:
            case Delivered():
                if not takes_messages(known):
                    await self._keep_reached(place)
                self._watch(place, gone=False)
                return attempt
            case Gone(reason, "address"):
                return await self._gone(place, attempt, reason)
            case _:
                return attempt

    async def _keep_reached(self, place: str) -> None:
        state = await self._outbox.address_state(self._sender, place)
        if not takes_messages(state):
            reached = state.reached_at if state is not None and state.reached_at else self._clock.now()
            await self._outbox.save_address_state(self._sender, place, AddressState(reached))

    async def _gone(self, place: str, attempt: Attempt, reason: str) -> Attempt:
        state, now = await self._outbox.address_state(self._sender, place) or AddressState(), self._clock.now()
        until = now + timedelta(seconds=ASKED_AGAIN)
        gone = replace(state, reason=reason, since=state.since or now, until=until)
        await self._outbox.save_address_state(self._sender, place, gone)
        if state.reached_at is None:
            return attempt
        self._watch(place, gone=True)
        return await self._mass(attempt, reason)

    async def _mass(self, attempt: Attempt, reason: str) -> Attempt:
        """The attempt; where nearly all are gone, as one mistake of ours."""
        gone, of = sum(one for _, one in self._recent.values()), len(self._recent)
        if gone < FEWEST or gone <= PART * of:
            return attempt
        self._recent.clear()
        await self._outbox.ask_again(self._sender)
        what = f"nearly nobody can be reached: {gone} of the last {of} say {reason}"
        return replace(attempt, outcome=Gone(f"{what}. Is this the bot that they know, and the right directory?"))

    def _watch(self, place: str, *, gone: bool) -> None:
        now = self._clock.monotonic()
        self._recent.pop(place, None)
        self._recent[place] = now, gone
        while len(self._recent) > WATCHED or next(iter(self._recent.values()))[0] < now - WITHIN:
            self._recent.popitem(last=False)


def takes_messages(state: AddressState | None) -> bool:
    """Whether it took a message before, and nothing has been heard against it since."""
    return state is not None and state.reason is None and state.reached_at is not None
