"""A customers' bot: asks what people have written to it, keeps what follows from it, and answers them.

take a turn → say what is left to be said → ask → keep, with the number behind which is asked next → answer

Only who has the turn asks, whichever replica that is. What is asked for next confirms what came before, so nothing is
confirmed that was not kept. What is to be answered is kept with it: a kill repeats an answer, and loses none. Who ends
otherwise has said what was being said.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.event import JsonObject
from bridge.messages.bot import is_button, words_of
from bridge.people.chat import BotAnswer, BotUnavailable, ChatAction, ChatUpdate, ChatUpdates, with_left
from bridge.people.flood_control import PAUSE, Floods
from bridge.people.link import LinkMaker
from bridge.people.proof import ProofKey
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.polled import Polling, PollKey, PollResult, SourceHealth, Turn
from bridge.polling.health import asked_again
from bridge.sinks.ears import Ears
from bridge.sinks.http import Http, Request, Response, Unanswered
from bridge.store.base import Outbox
from bridge.telemetry import log
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.bot")
WAIT = 5  # seconds that a question is kept open where there is nothing
ANSWER = 8.0  # seconds for any answer beside that
SAYING = 8.0  # seconds in which a turn says what it has to say; what is left, the next one does
LAST = 3.0  # seconds for the answer that is being said when the bridge ends
TURN = WAIT + 2 * ANSWER + 2 * SAYING + 3.0  # seconds until another one may be taken, where this one came to no end
LOOK = 5.0  # seconds between two looks at whose turn it is
SOON = 1.0  # seconds until it is asked again after a failure, twice as many after each further one
TAKEN = 600.0  # seconds until it is asked again where somebody else reads its updates
SURE = 2  # times in a row that somebody else does: a question of ours that was cut off may still be open
LARGEST = 16 * 2**20  # bytes of an answer

T = TypeVar("T")


class BotPlan(Value):
    """Whose bot it is, and how it speaks. `locale`: for who has none that there is; `support`: where they can ask;
    `links`: what is told the bot's name; `proof_key`: what makes hashes of what customers of these `realms` show, None
    where nothing is taken that they show.
    """

    ears: Ears
    rules: CustomerRules = NO_RULES
    locale: str = "en"
    support: str | None = None
    links: LinkMaker | None = None
    proof_key: ProofKey | None = None
    realms: Sequence[str] = ()

    @property
    def key(self) -> PollKey:
        return PollKey(self.ears.sender, Polling.BOT)

    def meant(self, heard: ChatUpdate) -> ChatUpdate:
        """What was said, where nothing that is shown is taken, too."""
        shown_in_vain = heard.said is ChatAction.SHOWN and self.proof_key is None
        return replace(heard, said=ChatAction.OTHER, proofs=(), secret=None) if shown_in_vain else heard

    def hashed(self, heard: ChatUpdate) -> ChatUpdate:
        """What was said, without the secrets in it: what stands for these is all that goes on from here."""
        if self.proof_key is None or not heard.proofs:
            return heard
        return replace(heard, proofs=(), hashes=self.proof_key.hashes(self.realms, heard.proofs))


class Bots:
    """The bots whose people are heard, each in turns of its own. Which they are, is swapped whole on reload."""

    def __init__(self, outbox: Outbox, http: Http, clock: Clock) -> None:
        self._make = partial(BotListener, outbox, http, clock)
        self._bots: dict[
            str, BotListener
        ] = {}  # by their senders; one that is not heard any more waits to be heard again
        self._changed = asyncio.Event()

    def configure(self, plans: Sequence[BotPlan]) -> None:
        """From now on hear these."""
        for plan in plans:
            self._bots.setdefault(plan.ears.sender, self._make())
        wanted = {plan.ears.sender: plan for plan in plans}
        for sender, bot in self._bots.items():
            bot.configure(wanted.get(sender))
        self._changed.set()

    async def run(self) -> None:
        """Listen, for ever."""
        heard = set[str]()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for sender in self._bots.keys() - heard:
                    tasks.create_task(self._bots[sender].run())
                heard.update(self._bots)
                await self._changed.wait()


class BotListener:
    """One bot whose people are heard, as long as there is a plan for it."""

    def __init__(self, outbox: Outbox, http: Http, clock: Clock) -> None:
        self._outbox = outbox
        self._http = http
        self._clock = clock
        self._floods = Floods()
        self._plan: BotPlan | None = None
        self._changed = asyncio.Event()
        self._named: str | None = None  # the sender whose name was asked after

    def configure(self, plan: BotPlan | None) -> None:
        """From now on hear this one; None: nobody."""
        self._plan = plan
        self._changed.set()

    async def run(self) -> None:
        """Listen, for ever."""
        while True:
            self._changed.clear()
            if (plan := self._plan) is None:
                await self._changed.wait()
                continue
            wait = LOOK
            try:
                wait = await self.step(plan)
            except StoreError as error:  # nothing was kept: it is told again
                log(LOG, logging.WARNING, "bot.store_away", reason=str(error))
            except Exception as error:
                log(LOG, logging.ERROR, "bot.bug", error=error)
            if wait > 0:
                await self._clock.sleep(min(wait, LOOK))

    async def step(self, plan: BotPlan) -> float:
        """Listen once if it is our turn; seconds until there may be another one."""
        turn = await self._outbox.take_turn(plan.key, now=self._clock.now(), every=TURN)
        if not isinstance(turn, Turn):
            await self._learn_name(plan)
            return turn
        state: JsonObject = dict(turn.state or {})
        try:
            return await self._listen(plan, turn, state)
        except asyncio.CancelledError:  # we end: whoever listens next need not wait for our turn to be over
            with suppress(StoreError):  # then they wait
                await self._store((), turn, state, health=turn.health, due_at=self._clock.now())
            raise

    async def _listen(self, plan: BotPlan, turn: Turn, state: JsonObject) -> float:
        """Listen once; seconds until it may be done again. `state` is as it is kept, or further by what was said."""
        began = self._clock.monotonic()
        try:
            await self._know_name(plan, state)
            unsaid = await self._say_left(plan, state)
            hearing = await self._hear(plan, state.get("after"))
        except BotUnavailable as error:
            await self._failed(turn, state, error)
            return LOOK
        if turn.health.failing_since is not None and unsaid is None:
            log(LOG, logging.INFO, "bot.heard_again", bot=state["name"])
        await self._keep(plan, turn, hearing, state, unsaid)
        return 0.0 if hearing.after is not None and unsaid is None else began + SOON - self._clock.monotonic()

    async def _keep(
        self, plan: BotPlan, turn: Turn, hearing: ChatUpdates, state: JsonObject, unsaid: BotUnavailable | None
    ) -> None:
        """Keep what was heard, then say what follows from it; the turn is over when both is done.

        `unsaid`: why what was left could not be said; then what follows is left as well.
        """
        said = (plan.meant(one) for one in hearing.heard)
        meant = [one for one in said if one.said is not ChatAction.PRESSED or is_button(one.pressed)]
        heard = [plan.hashed(one) for one in self._floods.heeded(meant, self._clock.monotonic())]
        after = state.get("after") if hearing.after is None else hearing.after
        if heard:
            answers = await _finished(self._store(heard, turn, state, after=after))
            if answers is None:
                log(LOG, logging.WARNING, "bot.turn_over", bot=state["name"])
                return
            if self._floods.learn(answers, self._clock.monotonic()):
                log(LOG, logging.WARNING, "bot.guessed", bot=state["name"], pause=PAUSE)
            unsaid = unsaid or await self._say_left(plan, state)
        state["after"] = after
        if unsaid is not None:
            await self._failed(turn, state, unsaid)
            return
        await _finished(self._store((), turn, state, due_at=self._clock.now()))

    async def _store(
        self,
        heard: Sequence[ChatUpdate],
        turn: Turn,
        state: JsonObject,
        *,
        after: int | None = None,
        health: SourceHealth | None = None,
        due_at: datetime | None = None,
    ) -> Sequence[BotAnswer] | None:
        """Keep how it stands, with what was heard up to `after`; what follows from it is then in the state, too."""
        kept = dict(state) if after is None else {**state, "after": after}
        result = PollResult(turn=turn, health=health or SourceHealth(), state=kept, due_at=due_at)
        answers = await self._outbox.keep_heard(heard, result, now=self._clock.now())
        if answers is not None:
            state.update(kept, answers=with_left(kept, answers))
        return answers

    async def _say_left(self, plan: BotPlan, state: JsonObject) -> BotUnavailable | None:
        """Say what is to be answered, as far as there is time; what was said is not in the state any more.

        Why the next one could not be said, where the service is away: people are heard all the same.
        """
        ends = self._clock.monotonic() + SAYING
        left = state["answers"] = list(state.get("answers", ()))
        while left and self._clock.monotonic() < ends:
            try:
                await _finished(self._say_first(plan, left, ends), within=LAST)
            except BotUnavailable as error:
                return error
        return None

    async def _say_first(self, plan: BotPlan, left: list[JsonObject], ends: float) -> None:
        await self._say(plan, BotAnswer.from_json(left[0]), ends)
        del left[0]

    async def _say(self, plan: BotPlan, answer: BotAnswer, ends: float) -> None:
        """Say one answer. What the service does not take is not said: whom it is for has gone, or pressed twice."""
        shows = plan.proof_key is not None
        words = words_of(answer, plan.rules, locale=plan.locale, support=plan.support, shows=shows)
        for request in plan.ears.requests(answer, words):
            response = await self._answered(plan, request, within=self._until(ends))
            wait = plan.ears.wait_in(response)
            if wait is not None and self._clock.monotonic() + wait < ends:
                await self._clock.sleep(wait)
                response = await self._answered(plan, request, within=self._until(ends))
                wait = plan.ears.wait_in(response)
            if wait is not None or response.status >= 500:
                raise BotUnavailable(f"HTTP {response.status}", after=wait)
            if response.status >= 400:
                log(LOG, logging.INFO, "bot.not_said", told=answer.told.value, status=response.status)

    def _until(self, ends: float) -> float:
        return min(ANSWER, max(1.0, ends - self._clock.monotonic()))

    async def _hear(self, plan: BotPlan, after: int | None) -> ChatUpdates:
        response = await self._answered(plan, plan.ears.question(after, wait=WAIT), within=WAIT + ANSWER)
        return plan.ears.hearing_in(response)

    async def _know_name(self, plan: BotPlan, state: JsonObject) -> None:
        """Ask after the bot's own name, once for each process: whoever makes links finds it in the store."""
        if "name" not in state or self._named != plan.ears.sender:
            await self._ask_name(plan, state)
        if plan.links is not None:
            plan.links.name = state["name"]

    async def _learn_name(self, plan: BotPlan) -> None:
        """From whoever listens."""
        if plan.links is not None and plan.links.name is None:
            turn = await self._outbox.last_turn(plan.key)
            plan.links.name = turn.state.get("name") if turn is not None and turn.state is not None else None

    async def _ask_name(self, plan: BotPlan, state: JsonObject) -> None:
        response = await self._answered(plan, plan.ears.name_question(), within=ANSWER)
        state["name"] = plan.ears.name_in(response)
        self._named = plan.ears.sender

    async def _answered(self, plan: BotPlan, request: Request, *, within: float) -> Response:
        try:
            return await self._http.send(request, within=within, proxy=plan.ears.proxy, most=LARGEST)
        except Unanswered as error:
            raise BotUnavailable(str(error)) from None

    async def _failed(self, turn: Turn, state: JsonObject, error: BotUnavailable) -> None:
        """It could not be asked: keep why, and ask again later."""
        now, before = self._clock.now(), turn.health
        health = SourceHealth(
            failing_since=before.failing_since or now, reason=str(error), failures=before.failures + 1
        )
        if before.reason != health.reason:
            log(LOG, logging.WARNING, "bot.unheard", bot=state.get("name"), reason=health.reason)
        await _finished(self._store((), turn, state, health=health, due_at=_asked_again(health, error, now)))


def _asked_again(health: SourceHealth, error: BotUnavailable, now: datetime) -> datetime | None:
    """When to ask again after a failure; ever later, and not soon where somebody else reads."""
    if error.taken and health.failures >= SURE:
        return now + timedelta(seconds=TAKEN)
    again = asked_again(health, now, every=SOON)
    asked = now + timedelta(seconds=error.after or 0.0)
    return asked if again is None else max(again, asked)


async def _finished(work: Coroutine[Any, Any, T], *, within: float | None = None) -> T:
    """What comes of it. Whoever is cancelled waits for its end first, so many seconds at the most: what is cut off on
    its way is told again.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=within)
        task.cancel()
        raise
