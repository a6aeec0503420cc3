"""What every stand-in for an outside service has: what it took, what it refused, and answers that a test puts in."""

import asyncio
import json
import ssl
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

#: Seconds by which a request may seem early, though half of a period at the most: on a busy machine the one before it
#: may have been late on its way. How exactly a limiter keeps a rate is tested with clocks that nobody holds up.
LEEWAY = 2.0
#: Seconds between two beats of a stand-in, and how many beats a request may lie before it is looked at.
BEAT, BEATS = 0.01, 10
#: Of the loop, in which whoever has connected, and says nothing, is taken up before the door closes.
ROUNDS = 10
CONTRACTS = Path(__file__).parent.parent / "contracts"


@dataclass(frozen=True, slots=True)
class Taken:
    """One request that the service accepted. Header names are lower case; `at` is monotonic seconds."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that a test puts in before the service's own; a body that is no text goes out as JSON."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


class StandIn(ABC):
    """A strict stand-in: it refuses exactly what the real one refuses, and says so in the same words.

    `limited`: it also keeps the rates of the real one; `broken` lists every request that came above one of them.
    `now` is its clock, `tls` its certificate, where it speaks HTTPS.
    """

    def __init__(self, *, limited: bool = False) -> None:
        self.taken: list[Taken] = []
        self.refused: list[str] = []
        self.broken: list[str] = []
        self.requests = 0
        self.now: Callable[[], float] = time.monotonic
        self.tls: ssl.SSLContext | None = None
        self._limited = limited
        self._windows: dict[str, deque[float]] = {}
        self._beats: deque[float] = deque(maxlen=BEATS)

    async def beat(self) -> None:
        """For as long as it serves; how far the beats are apart tells how late it looks at what has come."""
        while True:
            self._beats.append(time.monotonic())
            await asyncio.sleep(BEAT)

    @abstractmethod
    def listening(self, port: int) -> AbstractAsyncContextManager[str]:
        """It serves on 127.0.0.1 meanwhile; gives where, as `http://127.0.0.1:{port}`."""

    def over(self, what: str, count: int, period: float) -> float:
        """Count a request against `count` in `period` seconds; how long it should have waited, 0.0 where it need not.

        What was refused counts too. Each counts from when it may have come, which is before it is looked at.
        """
        now = self.now()
        window = self._windows.setdefault(f"{what} {count}/{period:g}", deque(maxlen=count))
        wait = window[0] + period - now if len(window) == count else 0.0
        window.append(now - self._late())
        if wait <= min(LEEWAY, period / 2):
            return 0.0
        self.broken.append(f"{what}: more than {count} in {period:g} s, {wait:.3f} s too early")
        return wait

    def _late(self) -> float:
        """Seconds that a request may have waited until it is looked at."""
        return time.monotonic() - self._beats[0] if self._beats else 0.0

    def refuse(self, fault: str) -> None:
        self.refused.append(fault)


class Service(StandIn):
    """One that speaks HTTP."""

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self._answers: deque[Answer] = deque()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[str]:
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=self.tls).start()
            yield f"{'https' if self.tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
            await runner.cleanup()

    def answer_next(self, *answers: Answer) -> None:
        """Answer the next requests so, before any is looked at."""
        self._answers.extend(answers)

    def let_through(self) -> None:
        """From now on answer as the service does."""
        self._answers.clear()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests += 1
        if self._answers:
            return self._answers.popleft().response()
        return await self.serve(request, body)

    @abstractmethod
    async def serve(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """The service's own answer; what is accepted goes through `take`."""

    def take(self, request: web.Request, body: Any) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Taken(request.path, dict(request.query), headers, body, self.now()))


@asynccontextmanager
async def serving(service: StandIn, port: int = 0) -> AsyncIterator[str]:
    """The service on 127.0.0.1; gives `http://127.0.0.1:{port}`, or whatever else it speaks."""
    beating = asyncio.ensure_future(service.beat())
    try:
        async with service.listening(port) as base:
            yield base
    finally:
        beating.cancel()


@cache
def contract(name: str, part: str = "") -> Draft202012Validator:
    """The validator of `tests/contracts/{name}.schema.json`, or of one of its definitions."""
    schema = json.loads((CONTRACTS / f"{name}.schema.json").read_text())
    if part:
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def breaches(validator: Draft202012Validator, body: Any) -> list[str]:
    """What the schema has against a body, `path: message` each."""
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in _errors(validator, body)]


def _errors(validator: Draft202012Validator, body: Any) -> list[ValidationError]:
    return sorted(validator.iter_errors(body), key=lambda error: [str(part) for part in error.absolute_path])


def parsed(body: bytes) -> Any:
    """The JSON value as a strict reader takes it: valid UTF-8, no NaN, no infinity; None where it is none."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except ValueError:
        return None


def _refuse(name: str) -> None:
    raise ValueError(name)
