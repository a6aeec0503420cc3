"""The poller: takes turns to ask, and keeps what has changed with the events that it is about, in one commit.

take a turn → ask, one question after the other → find what has changed → judge its health → route → put

Only who has the turn asks, whichever replica that is, and what it finds is kept once or not at all: after a kill the
next turn compares with the same state. A source that fails is asked ever less often.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from yarl import URL

from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import BadPayload, StoreError
from bridge.event import Event
from bridge.intake import Intake, Routed
from bridge.polled import PollKey, PollRequest, PollResponse, PollResult, SourceHealth, Turn
from bridge.polling.health import asked_again, judge
from bridge.polling.jobs import Findings, Job
from bridge.routing import Router
from bridge.sinks.http import Http, Request, Unanswered
from bridge.store.base import Delivery, Outbox
from bridge.telemetry import log
from bridge.value import replace

LOG = logging.getLogger("bridge.polling")
LOOK = 5.0  # seconds between two looks at whose turn it is, at the most
TIDIED = 3600.0  # seconds between two looks for what is kept of sources that are gone
#: What is kept of a source that the file does not name any more, seconds: it may come back, and another replica's file
#: may name it still.
REMEMBERED = 7 * 86400.0
LARGEST_ANSWER = 32 * 2**20  # bytes: 10,000 clients of 3x-ui are six million


class Poller:
    """Asks what its jobs say, each in a task of its own. Jobs and table are swapped whole on reload."""

    def __init__(
        self, outbox: Outbox, http: Http, clock: Clock, *, announce: Callable[[Sequence[Delivery]], None]
    ) -> None:
        self._outbox = outbox
        self._http = http
        self._clock = clock
        self._announce = announce
        self._jobs: Mapping[PollKey, Job] = {}
        self._router: Router
        self._changed = asyncio.Event()

    def configure(self, jobs: Sequence[Job], router: Router) -> None:
        """From now on ask this, and route by this table."""
        self._jobs, self._router = {job.key: job for job in jobs}, router
        self._changed.set()

    async def run(self) -> None:
        """Ask, for ever."""
        running: dict[PollKey, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            await self._changed.wait()  # before there is a file, every source would be gone from it
            tasks.create_task(self._tidy_forever(), name="poll tidying")
            while True:
                await self._changed.wait()
                self._changed.clear()
                running = {key: task for key, task in running.items() if not task.done()}
                for key in self._jobs.keys() - running.keys():
                    running[key] = tasks.create_task(self._ask_forever(key), name=f"poll {key.source}")

    async def _ask_forever(self, key: PollKey) -> None:
        """For as long as there is a job of that key."""
        while (job := self._jobs.get(key)) is not None:
            wait = LOOK
            try:
                wait = await self.step(job)
            except StoreError as error:  # nothing was kept: it is asked again
                log(LOG, logging.WARNING, "polling.store_away", source=key.source, reason=str(error))
            except Exception as error:
                log(LOG, logging.ERROR, "polling.bug", source=key.source, error=error)
            await self._clock.sleep(min(wait, LOOK))

    async def _tidy_forever(self) -> None:
        while True:
            try:
                await self.tidy()
            except StoreError as error:
                log(LOG, logging.WARNING, "polling.store_away", reason=str(error))
            await self._clock.sleep(TIDIED)

    async def tidy(self) -> int:
        """Forget what is kept of sources that have been gone from the file for long; how many rows that was."""
        before = self._clock.now() - timedelta(seconds=REMEMBERED)
        return await self._outbox.forget_polled(others_than={key.source for key in self._jobs}, before=before)

    async def step(self, job: Job) -> float:
        """Ask if it is our turn; seconds until there may be another one."""
        turn = await self._outbox.take_turn(job.key, now=self._clock.now(), every=job.interval)
        if not isinstance(turn, Turn):
            return turn
        findings, reason = await self._found(job, turn)
        await self._keep(job, turn, findings, reason)
        return LOOK

    async def _found(self, job: Job, turn: Turn) -> tuple[Findings, str | None]:
        """What the answers say; or nothing, and why they say nothing."""
        try:
            answers = await self._answers(job)
            return await asyncio.to_thread(job.find, answers, turn.state, self._clock.now()), None
        except Unanswered as error:
            return Findings(), str(error)
        except BadPayload as error:
            return Findings(), error.reason

    async def _answers(self, job: Job) -> list[PollResponse | None]:
        """One for each question; none after one that was refused, for the others would be so too."""
        answers: list[PollResponse | None] = []
        until = self._clock.monotonic() + job.within
        for question in job.questions:
            answer = await self._answer(job, question, max(0.1, until - self._clock.monotonic()))
            unknown = question.optional and answer.status == 404
            answers.append(None if unknown else answer)
            if answer.status >= 400 and not unknown:
                break
        return answers + [None] * (len(job.questions) - len(answers))

    async def _answer(self, job: Job, question: PollRequest, within: float) -> PollResponse:
        request = Request("GET", URL(job.address + question.path), headers=question.headers)
        response = await self._http.send(request, within=within, most=LARGEST_ANSWER)
        if len(response.body) >= LARGEST_ANSWER:
            raise BadPayload(f"the answer is longer than {LARGEST_ANSWER // 2**20} MiB")
        return PollResponse(response.status, response.body)

    async def _keep(self, job: Job, turn: Turn, findings: Findings, reason: str | None) -> None:
        now = self._clock.now()
        judgement = judge(turn.health, reason, now, lost_after=job.lost_after)
        events = list(findings.events)
        if judgement.verdict is not None:
            told = judgement.health if judgement.verdict == "lost" else turn.health
            events.append(job.health_event(judgement.verdict, told, now))
        state = None if findings.state == turn.state else findings.state
        if events or findings.set_aside or state is not None or judgement.health != turn.health:
            due_at = asked_again(judgement.health, now, every=job.interval)
            result = PollResult(turn=turn, health=judgement.health, state=state, due_at=due_at)
            routed = [self._routed(job, event, findings) for event in events]
            await self._put(job, Intake(routed, findings.set_aside, job.realm), result)
        _log_health(job, turn.health, judgement.health)

    def _routed(self, job: Job, event: Event, findings: Findings) -> Routed:
        """Where it goes, what shows whose chat it is, and what of it is masked, sealed for those who may have it."""
        routed = replace(self._router.route(event), proofs=findings.proofs.get(event.id, ()))
        kept = findings.originals.get(event.id)
        return routed if job.unmasking is None or kept is None else routed.sealed(kept, job.unmasking.sealer.seal)

    async def _put(self, job: Job, intake: Intake, result: PollResult) -> None:
        put = await self._outbox.put_polled(intake, result)
        if put is None:
            log(LOG, logging.WARNING, "polling.turn_over", source=job.key.source)
            return
        COUNTERS.events_taken(job.key.source, intake, put.repeated)
        self._announce(put.deliveries)
        for aside in intake.set_aside:
            log(LOG, logging.WARNING, "polling.set_aside", source=aside.source, path=aside.path, reason=aside.reason)


def _log_health(job: Job, before: SourceHealth, now: SourceHealth) -> None:
    """Say where it begins to fail, for another reason, and where it does not any more."""
    if now.failing_since is not None and now.reason != before.reason:
        log(LOG, logging.WARNING, "polling.failing", source=job.key.source, reason=now.reason)
    elif now.failing_since is None and before.failing_since is not None:
        log(LOG, logging.INFO, "polling.works", source=job.key.source, since=before.failing_since.isoformat())
