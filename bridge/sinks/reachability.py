"""Whether a service would take a message, found out without sending it one.

A sink's `ask` is as pure as its `flow`: it gives requests, is given their answers, and ends with a finding. What cannot
be asked without telling it something is only reached: a connection and its TLS, and not one byte of a request.
"""

from collections.abc import Callable, Generator
from enum import StrEnum

from yarl import URL

from bridge.outcome import Delivered, Gone, Limited, Outcome, Refused
from bridge.sinks.http import Request, Response
from bridge.sinks.responses import in_between
from bridge.value import Value


class FindingMark(StrEnum):
    """How something stands: as it should, worth a look, broken, or not to be found out."""

    OK = "ok"
    LOOK = "look"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Finding(Value):
    """What was found, in a line, and what to do about it where the sink's own words leave that open."""

    mark: FindingMark
    text: str
    todo: str = ""


class HostOnly(Value):
    """What cannot be asked, and why: only whether the host of `url` is there is found out."""

    url: URL
    why: str


#: Why nobody can be asked whose address a sink finds anew for each event.
ADDRESS_FROM_DATA = "whom it tells follows from each event"

#: The requests of one asking: each is given its response, and in the end there is the finding.
ReachabilityFlow = Generator[Request, Response, Finding]


def found(outcome: Outcome, text: str) -> Finding:
    """What an answer says of the place: `text` where all is well, else the service's own words."""
    match outcome:
        case Delivered():
            return Finding(FindingMark.OK, text)
        case Limited(after):
            wait = f" for {after:g} s" if after else ""
            return Finding(FindingMark.LOOK, f"it asks to wait{wait}", "Ask again later.")
        case Refused(reason) | Gone(reason):
            return Finding(FindingMark.WRONG, reason)
        case _:
            return Finding(FindingMark.WRONG, outcome.reason)


def refused(response: Response, classify: Callable[[Response], Outcome]) -> Finding:
    """What an answer says that is not the one asked for: the service's own no, else that another one answered."""
    return found(classify(response) if response.status >= 400 else in_between(response), "")


def is_taken(finding: Finding) -> bool:
    """Whether a first answer lets the next question be asked."""
    return finding.mark is FindingMark.OK
