"""What the log says of requests that the admin side does not take, before anybody was asked who they are."""

import logging

from bridge.counters import COUNTERS
from bridge.ingress.refusals import Refusals
from bridge.telemetry import log

LOG = logging.getLogger("bridge.admin")


class AdminRefusals(Refusals):
    """The same counting as at the panels' door, under names of its own."""

    def count(self, source: str | None, status: int) -> None:
        COUNTERS.admin_answered(None, status)

    def tell(self, **fields: object) -> None:
        about = {"status": fields.get("status"), "why": fields.get("reason"), "repeated": fields.get("repeated")}
        log(LOG, logging.WARNING, "admin.refused", error=None, **about)

    def tell_bug(self, error: Exception) -> None:
        log(LOG, logging.ERROR, "admin.bug", error=error)
