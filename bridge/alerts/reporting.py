"""Reporting: tells what happened in a day, a week or a month when its time has come, once, whoever looks first.

due (`periods.py`) → what was counted, from the store → Report (`report.py`) → put for its sinks, carried like any event

What was due while nobody looked is told late, where it is not too old; of several the last alone.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.alerts.alert import Alert, stored_key
from bridge.alerts.periods import TOO_LATE, last_due
from bridge.alerts.report import DueReport, is_empty
from bridge.alerts.report_settings import ReportSettings
from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import StoreError, StoreRefused
from bridge.figures import OwnerFigures
from bridge.intake import NO_TABLE, Decision, Destination, Intake, Routed
from bridge.people.recipient import Audience, recipient_key
from bridge.routing import Router
from bridge.store.base import Delivery, Outbox
from bridge.telemetry import log
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.reports")
ROW = "reports"  # what the verdicts and the deliveries call it, with the report's name
ROUND = 15.0  # seconds between two looks at what is due


class ReportPlan(Value):
    """What a reload changes.

    sinks         the names of those that are enabled
    realms        of all sources: whose owners are told
    silent_after  source → seconds without an event that are told; None for as long as the whole period
    """

    reports: Mapping[str, ReportSettings]
    zone: ZoneInfo
    router: Router
    sinks: frozenset[str]
    silent_after: Mapping[str, float | None]
    realms: Sequence[str] = ()

    def due(self, name: str, now: datetime) -> DueReport | None:
        """What a report tells last; None where it has nothing to tell yet."""
        settings = self.reports[name]
        due = last_due(settings.rhythm(), self.zone, now)
        return None if due is None else DueReport(name, settings, self.zone, due, self.silent_after)

    def routed(self, report: DueReport, alert: Alert, now: datetime) -> Routed:
        """Its fate: the sinks that the report names, and those of rows that ask for it."""
        routed, row = self.router.route(alert.event(now)), f"{ROW}.{report.name}"
        named = self._named(report)
        rows = [one for one in routed.destinations if one.sink not in named]
        decision = replace(routed.decision, beside=_beside(row, named))
        to = (*(Destination(sink, row) for sink in named), *rows)
        return replace(routed, destinations=to, decision=decision, fingerprint=alert.fingerprint())

    def routed_to_owner(self, report: DueReport, of: OwnerFigures, now: datetime) -> Routed:
        """Its fate: the owner's address at the sinks that it names. No row is asked: it is the owner's alone."""
        alert, row, named = report.owner_alert(of, now), f"{ROW}.{report.name}", self._named(report)
        key = recipient_key(of.realm, Audience.OWNER, of.name)
        to = tuple(Destination(sink, row, recipient=key) for sink in named)
        decision = Decision(NO_TABLE, beside=_beside(row, named))
        return Routed(alert.event(now), to, decision, alert.fingerprint())

    def _named(self, report: DueReport) -> Sequence[str]:
        return [sink for sink in dict.fromkeys(report.settings.to) if sink in self.sinks]


def _beside(row: str, sinks: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((row, f"goes to {sink}") for sink in sinks)


class Reporter:
    """Tells reports when their time has come."""

    def __init__(self, outbox: Outbox, clock: Clock, *, announce: Callable[[Sequence[Delivery]], None]) -> None:
        """announce: is called with deliveries that were just made"""
        self._outbox = outbox
        self._clock = clock
        self._announce = announce
        self._plan: ReportPlan | None = None
        self._settled: dict[str, str] = {}  # report → the key of the last one that there is nothing more to do about

    def configure(self, plan: ReportPlan) -> None:
        """From now on, tell by this plan."""
        self._plan = plan

    async def run(self) -> None:
        """Tell, for ever."""
        while True:
            try:
                await self.tell()
            except StoreRefused as error:
                log(LOG, logging.ERROR, "report.refused_by_store", reason=str(error))
            except StoreError as error:  # it is told when the store takes it
                log(LOG, logging.DEBUG, "report.store_away", reason=str(error))
            except Exception as error:
                log(LOG, logging.ERROR, "report.bug", error=error)
            await self._clock.sleep(ROUND)

    async def tell(self) -> None:
        """Tell what is due and was not told; raise StoreError where the store does not take it: it is told later."""
        plan, now = self._plan, self._clock.now()
        for name in plan.reports if plan is not None else ():
            report = plan.due(name, now) if plan is not None else None
            if plan is None or report is None or self._settled.get(name) == report.key:
                continue
            if (now - report.due.at).total_seconds() <= TOO_LATE[report.settings.every]:
                await (self._tell if report.settings.each is None else self._tell_owners)(plan, report, now)
            self._settled[name] = report.key

    async def _tell_owners(self, plan: ReportPlan, report: DueReport, now: datetime) -> None:
        """Tell those owners who had something happen and were not told, a commit for those of a realm."""
        told: dict[str, list[Routed]] = {realm: [] for realm in plan.realms}
        for of in await self._outbox.of_owners(report.spans, plan.realms, report.parts):
            if not await self._outbox.is_remembered(stored_key(report.owner_key(of)), now=now):
                told[of.realm].append(plan.routed_to_owner(report, of, now))
        for realm, routed in told.items():
            if routed and routed[0].destinations:
                await self._put(report, Intake(routed, realm=realm))

    async def _tell(self, plan: ReportPlan, report: DueReport, now: datetime) -> None:
        if await self._outbox.is_remembered(stored_key(report.key), now=now):
            return
        found = await self._outbox.collected(report.spans, report.parts)
        if is_empty(found) and (report.settings.skip_empty or not found.figures[0].whole):
            return  # nothing happened, or there was no bridge yet
        routed = plan.routed(report, report.alert(found, now), now)
        if not routed.destinations:
            return
        await self._put(report, Intake([routed]))

    async def _put(self, report: DueReport, intake: Intake) -> None:
        put = await self._outbox.put(intake)
        self._announce(put.deliveries)
        if put.deliveries:
            first = intake.routed[0]
            COUNTERS.alerts[first.event.type] += len(intake.routed)
            sinks = [one.sink for one in first.destinations]
            log(
                LOG,
                logging.INFO,
                "report.told",
                report=report.name,
                first=report.due.period.first,
                sinks=sinks,
                owners=len(intake.routed) if report.settings.each else None,
            )
