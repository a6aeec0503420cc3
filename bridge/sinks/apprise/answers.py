"""What an answer behind Apprise's yes or no is worth: a status is none, the service's own word is one.

Source   RFC 9110 §15.3 (202: "intentionally noncommittal", 204: no content); the services' in sinks/apprise/schemes.py
"""

from collections.abc import Sequence

from bridge.foreign import json_object
from bridge.outcome import Away, Delivered, Gone, Outcome, Refused
from bridge.sinks.apprise.schemes import Scheme
from bridge.sinks.http import Response
from bridge.sinks.responses import in_between, is_front, is_page, retry_after

#: Where what Apprise said stands beside the answer's own headers.
SAID = "apprise-said"
YES, NO = "yes", "no"
UNASKED = 0  # the status where Apprise asked nobody

NOTE = "the service took it, and does not say that it was told"


def is_told(response: Response, scheme: Scheme) -> bool:
    """Whether the service itself says that the message was told."""
    return response.status in (200, 201) and not is_page(response) and scheme.told(json_object(response.body))


def decisive(answers: Sequence[Response], scheme: Scheme) -> Response:
    """Of several answers the one that counts: that the message was told, whatever a login or logout beside it said;
    else the first that is no success, else the last; UNASKED where there is none."""
    told = [one for one in answers if is_told(one, scheme)]
    failed = [one for one in answers if not 200 <= one.status < 300]
    return next(iter((*told, *failed, *reversed(answers))), Response(UNASKED))


def taken(response: Response, scheme: Scheme, *, unconfirmed: bool) -> Outcome:
    """What follows from an answer below 300, or from none at all. `unconfirmed`: a mere receipt is enough."""
    status = response.status
    if status == UNASKED:
        return Refused("Apprise does not send this message, and says not why")
    if status == 204:
        return Gone("HTTP 204: nobody was told")
    answer = json_object(response.body)
    if fault := scheme.fault(answer):
        return Refused(f"HTTP {status}: {fault}")
    if is_told(response, scheme):
        said = response.headers.get(SAID) == YES
        return Delivered() if said else Away(f"HTTP {status}, which Apprise takes for a no", retry_after(response))
    if unconfirmed and not is_page(response) and not is_front(response):
        return Delivered(note=f"HTTP {status}: {NOTE}")
    return in_between(response) if status in (200, 201) else Refused(f"HTTP {status}: {NOTE}")


def refused(response: Response, scheme: Scheme) -> Outcome:
    """What follows from a 4xx that the service itself gave: what has not the shape of its own was said in between."""
    status, fault = response.status, scheme.fault(json_object(response.body))
    if not fault:
        return in_between(response)
    reason = f"HTTP {status}: {fault}"
    if status in (401, 403, 404, 410) or scheme.gone.search(fault):
        return Gone(reason)
    return Away(reason) if status == 424 else Refused(reason)
