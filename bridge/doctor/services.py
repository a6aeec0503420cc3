"""The services: each asked whether it would take a message, through its proxy, all of them at once; nothing is sent.

What is learned beside that: whether the certificates of their hosts will last, and whether this machine's clock is
right, by the time that their answers tell.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from statistics import median

from yarl import URL

from bridge.doctor.row import ExaminationRow, look, ok, unknown, wrong
from bridge.panels import DIALECTS
from bridge.sinks import SinkSettings
from bridge.sinks.base import Tools
from bridge.sinks.http import ANSWER_LIMIT, Http, OnSent, Request, Response, Unanswered
from bridge.sinks.reachability import Finding
from bridge.value import Value

ENDS_SOON = timedelta(days=14)
UNSURE, BROKEN = 5.0, 120.0  # seconds that a clock may be off


class Host(Value):
    """Where something was asked, through which proxy, and with which roots of its own."""

    origin: URL
    proxy: str | None
    ca: Path | None = None


class NotingHttp(Http):
    """The socket, which notes whom it asked and how far their clocks are from `now`."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.hosts: dict[Host, None] = {}
        #: Seconds that this machine is ahead, 0.0 where an answer's whole second allows for it.
        self.ahead: list[float] = []
        self._now = now

    async def send(
        self,
        request: Request,
        *,
        within: float,
        proxy: str | None = None,
        ca: Path | None = None,
        on_sent: OnSent = None,
        most: int = ANSWER_LIMIT,
    ) -> Response:
        self.hosts[Host(request.url.origin(), proxy, ca)] = None
        began = self._now()
        response = await super().send(request, within=within, proxy=proxy, ca=ca, on_sent=on_sent, most=most)
        told = _timestamp(response)
        if told is not None:
            self.ahead.append(clock_ahead(began, self._now(), told))
        return response

    async def reach(
        self, url: URL, *, within: float, proxy: str | None = None, ca: Path | None = None
    ) -> datetime | None:
        self.hosts[Host(url.origin(), proxy, ca)] = None
        return await super().reach(url, within=within, proxy=proxy, ca=ca)


async def asked_sinks(sinks: Mapping[str, SinkSettings], http: Http, *, within: float) -> dict[str, Finding]:
    """What came of asking each sink; `within`: seconds for each request."""
    found = await asyncio.gather(*(_asked(settings, http, within) for settings in sinks.values()))
    return dict(zip(sinks, found, strict=True))


async def _asked(settings: SinkSettings, http: Http, within: float) -> Finding:
    if not settings.enabled:
        return unknown("is disabled: nothing is kept for it")
    return await settings.open(Tools(http, DIALECTS)).asked(within=within)


async def certificate_rows(hosts: Sequence[Host], http: Http, *, now: datetime, within: float) -> list[ExaminationRow]:
    """Whether the certificate of each host that has one will last; those that could not be reached say so elsewhere."""
    secured = [host for host in hosts if host.origin.scheme == "https"]
    ends = await asyncio.gather(*(_end(host, http, within) for host in secured))
    dated = {host: end for host, end in zip(secured, ends, strict=True) if end is not None}
    if not dated:
        return []
    soon = [
        ExaminationRow("tls", str(host.origin.host), _ending(end, now))
        for host, end in dated.items()
        if end - now < ENDS_SOON
    ]
    first = min(dated.values())
    hosts_said = "1 host" if len(dated) == 1 else f"{len(dated)} hosts"
    return soon or [
        ExaminationRow("tls", "tls", ok(f"certificates of {hosts_said}; the first ends in {(first - now).days} days"))
    ]


async def _end(host: Host, http: Http, within: float) -> datetime | None:
    try:
        return await Http.reach(http, host.origin, within=within, proxy=host.proxy, ca=host.ca)
    except Unanswered:
        return None


def _ending(end: datetime, now: datetime) -> Finding:
    return look(f"its certificate ends in {(end - now).days} days", "Have it renewed by whoever runs the host.")


def clock_findings(ahead: Sequence[float]) -> Iterator[Finding]:
    """How right this machine's clock is, by those of the services: what most of them say."""
    if not ahead:
        yield unknown("nobody was asked who tells the time")
        return
    off = median(ahead)
    text = f"is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} what the services say"
    if abs(off) <= UNSURE:
        yield ok("as right as the services can tell")
    elif abs(off) <= BROKEN:
        yield look(text, "Let it be kept by NTP: `timedatectl set-ntp true`.")
    else:
        yield wrong(text, "Let it be kept by NTP: whoever checks signatures refuses those of another time.")


def clock_ahead(began: float, ended: float, told: float) -> float:
    """Seconds by which a clock is surely ahead that showed `began` and `ended` while a service told a whole second."""
    earliest, latest = began - (told + 1), ended - told
    return 0.0 if earliest <= 0.0 <= latest else min(earliest, latest, key=abs)


def _timestamp(response: Response) -> float | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except ValueError:
        return None
