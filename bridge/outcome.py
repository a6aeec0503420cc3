"""What came of one attempt: five words that the lane knows, whatever the service; and what follows from it.

A sink turns its service's answers into an Outcome; `delivery/policy.py` turns that into a Fate.
"""

from datetime import datetime
from typing import Literal

from bridge.value import Value

#: Seconds: no wait that follows from an answer is shorter, whatever the service asks for.
SHORTEST_WAIT = 1.0


class Delivered(Value):
    """The service took the message. `ref` is the service's own id of it, `note` what the operator should know."""

    ref: str | None = None
    note: str | None = None


class Limited(Value):
    """It asks us to wait `after` seconds, None where it does not say how long; costs no attempt.

    where  whether with everything, or with one of many addresses
    """

    after: float | None = None
    where: Literal["sink", "address"] = "sink"


class Away(Value):
    """It did not really answer: no connection, a timeout, 5xx.

    after   seconds it asks us to stay away
    counts  whether it costs an attempt; not where something in between answered in the service's place
    """

    reason: str
    after: float | None = None
    counts: bool = True


class Refused(Value):
    """It will never take this message."""

    reason: str


class Gone(Value):
    """It will take no message at all until someone repairs the address, or what may be done there.

    where  whether that is the sink itself, or one of the many addresses that it speaks to
    """

    reason: str
    where: Literal["sink", "address"] = "sink"


class Rate(Value):
    """At most `count` messages in any `period` seconds."""

    count: int
    period: float


class Spaced(Value):
    """At most `burst` messages at once, then one each `every` seconds; for each of many addresses by itself."""

    burst: int
    every: float

    @classmethod
    def within(cls, rate: Rate) -> "Spaced":
        """What never comes above a rate in any window of it: a quarter of it at once, then the rest over its period."""
        burst = max(1, rate.count // 4)
        return cls(burst, rate.period / max(1, rate.count - burst))


class Limit(Value):
    """A rate, and what it is kept over: all sinks that name the same `scope` share it.

    scope   empty for the sink alone; else service and place, as `discord channel 42` or `telegram bot 7`.
            One that begins with `ip ` is kept by each process for itself
    sends   whether every send counts; False for one that only counts where an attempt says so (`Attempt.scopes`)
    """

    scope: str
    rate: Rate
    sends: bool = True


Outcome = Delivered | Limited | Away | Refused | Gone


class Attempt(Value):
    """One try at a delivery: the outcome, and the evidence for whoever looks it up later."""

    outcome: Outcome
    status: int | None = None  # HTTP status, None when there was no response
    answer: str = ""  # the service's answer, secrets masked, cut at 4 kB
    pause: float = 0.0  # seconds this sink should stay quiet, from the service's rate limit headers
    scopes: tuple[str, ...] = ()  # limits that this answer counts against, beyond those of the sink itself
    learned: tuple[Limit, ...] = ()  # limits that the answer told of: the channel that a webhook belongs to
    requests: int = 1  # how many it took; each of them counts against the limits


class Done(Value):
    """Delivered; `note` is what the operator should know of it, `ref` the service's own id of the message."""

    note: str | None = None
    ref: str | None = None


class Again(Value):
    """To be tried again, not before `at` (aware UTC). `counts`: whether this was an attempt of ours."""

    at: datetime
    reason: str
    counts: bool = True


class Dead(Value):
    """Given up: listed, explained, and replayed when the operator says so."""

    reason: str


class HeldBack(Value):
    """Not sent, as the row's terms want it: it was taken back by its opposite, or fell into quiet hours; or because
    somebody muted it, which `note` says more of.

    unreached  whether that is because nobody can be reached, so that its fallback is told
    """

    reason: str
    note: str | None = None
    unreached: bool = False


Fate = Done | Again | Dead | HeldBack
