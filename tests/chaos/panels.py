"""Panels: they post one event after the other, each until it is answered 200, at whichever replica answers."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from random import Random

import aiohttp

from tests.chaos.story import Promise, Story

SECRET = "s3cret-of-the-panel"
WAIT = 5.0  # seconds for an answer
#: What each kind of subject tells of, in turn, and the sinks that it is for.
KINDS = {
    "user": (("user.created", "user.updated"), ("shop", "fast", "flaky")),
    "node": (("node.connection_lost", "node.connection_restored", "node.updated"), ("nodes",)),
    "alert": (("alert.raised",), ("chat", "group")),
    "note": (("note.written",), ("night",)),
    "task": (("task.begun", "task.done"), ("board",)),
}
#: Seconds between two events of one panel, at the least and at the most.
PACE = {"user": (0.02, 0.15), "node": (0.1, 0.6), "alert": (0.4, 0.6), "note": (0.1, 0.5), "task": (1.5, 3.0)}
PANELS = (*["user"] * 6, "node", "alert", "note", "task")
SUBJECTS = 3  # of each panel


async def post_all(urls: Sequence[str], story: Story, now: Callable[[], float], *, seconds: float) -> None:
    """Every panel posts for so long, and ends when all it said is answered 200."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT)) as http, asyncio.TaskGroup() as tasks:
        for number, kind in enumerate(PANELS):
            panel = _Panel(kind, number, urls, story, now, http)
            tasks.create_task(panel.post(until, Random(f"{story.plan.seed} {number}")))


class _Panel:
    def __init__(
        self,
        kind: str,
        number: int,
        urls: Sequence[str],
        story: Story,
        now: Callable[[], float],
        http: aiohttp.ClientSession,
    ) -> None:
        self._kind, self._story, self._now, self._http = kind, story, now, http
        self._urls = cycle(urls)
        self._subjects = {f"{kind[0]}{number}{n}": self._told(n) for n in range(SUBJECTS)}

    async def post(self, until: float, chance: Random) -> None:
        types, sinks = KINDS[self._kind]
        while asyncio.get_running_loop().time() < until:
            subject = chance.choice(sorted(self._subjects))
            number, once = next(self._subjects[subject])
            mark = f"{subject}.{number}"
            if once:
                self._story.once.add(mark)
            body = {"kind": types[number % len(types)], "about": f"{self._kind}:{subject}", "mark": mark}
            asked = await self._until_taken(body, {"X-Webhook-Secret": SECRET} | ({"webhook-id": mark} if once else {}))
            self._story.promised.append(Promise(mark, sinks, asked, self._now()))
            await asyncio.sleep(chance.uniform(*PACE[self._kind]) * self._story.plan.slower)

    async def _until_taken(self, body: dict[str, str], headers: dict[str, str]) -> float:
        """As a load balancer would: the next replica where one fails. When the request began that was taken."""
        while True:
            asked = self._now()
            try:
                async with self._http.post(f"{next(self._urls)}/in/panel", json=body, headers=headers) as response:
                    self._story.answers[response.status] += 1
                    if response.status == 200:
                        return asked
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)

    @staticmethod
    def _told(subject: int) -> Iterator[tuple[int, bool]]:
        """The numbers of a subject's events, and whether their panel marks what it sends again."""
        return ((number, subject % 2 == 0) for number in count(1))
