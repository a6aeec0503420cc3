"""A Zapier catch hook; unlike the real one it refuses what is not in the documented format.

Source   tests/contracts/orbvpn.zapier.schema.json; zapier.com/help/webhooks
"""

from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, Known, Pace, Way
from tests.services.service import Service, breaches, contract, parsed

HOOK = "/hooks/catch/1234567/abcdef0/"


class Zapier(Service):
    """`runs`: the payloads, one for each run that was started. `limited`: 30 a second, 10,000 in 5 minutes."""

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.runs: list[Any] = []
        self.removed = False

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self.removed or request.path != HOOK:
            self.refuse("410")
            return web.json_response({"status": "error", "message": "hook is gone"}, status=410)
        if self._limited and max(self.over("hook", 30, 1.0), self.over("account", 10_000, 300.0)) > 0:
            return web.json_response({"status": "error"}, status=429)
        value = parsed(body)
        runs = value if isinstance(value, list) and value else [value]
        if faults := [fault for run in runs for fault in breaches(contract("orbvpn.zapier"), run)]:
            self.refuse(str(faults))
            return web.json_response({"status": "error", "message": faults}, status=400)
        self.take(request, value)
        self.runs += runs
        said = {"attempt": f"a-{len(self.taken)}", "id": f"z-{len(self.taken)}", "request_id": "r", "status": "success"}
        return web.json_response(said)


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    said = parsed(request.body)
    runs = said if isinstance(said, list) else [said]
    yield from (fault for run in runs for fault in breaches(contract("orbvpn.zapier"), run))
    if len(runs) != len(events):
        yield "not a run for each event"


KNOWN = Known(
    example={"url": f"https://hooks.zapier.example/hooks/catch/1/{SECRET}/", "api_key": SECRET},
    secretive=({"url": f"https://hooks.zapier.com/hooks/catch/123456/{SECRET}/"},),
    ways={
        "hook": Way(settings={"url": f"https://hooks.zapier.com{HOOK}"}, faults=_faults),
        "documented": Way(
            settings={
                "url": f"https://hooks.zapier.com{HOOK}",
                "source_name": "OrbVPN",
                "version": "1.0",
                "api_key": "k-1",
            },
            faults=_faults,
        ),
    },
    house=House(
        stand_in=lambda limited: Zapier(limited=limited),
        sinks={"zapier": {"url": f"{{base}}{HOOK}"}},
    ),
    pace=Pace(stand_in=lambda: Zapier(limited=True), path=HOOK, body={}, count=30),
)
