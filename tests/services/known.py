"""What the tests have to know of a sink: how one is set up, and what its service has against a request."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yarl import URL

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.service import StandIn

SECRET = "Sup3r-s3cret-t0ken_0123456789"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Faults = Callable[[Request, Sequence[Event]], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to reach a service: the settings without `type`, and what it has against a request that tells of events."""

    settings: Mapping[str, Any]
    faults: Faults


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast the stand-in takes requests: `body` posted to `path` so often in a moment, and not once more.

    limited  the status of one too many
    send     gives the statuses of so many requests, for a service that speaks no HTTP
    """

    stand_in: Callable[[], StandIn]
    path: str
    body: Any
    count: int
    limited: int = 429
    send: Callable[[Any, str, Any, int], Awaitable[list[int]]] | None = None


@dataclass(frozen=True, kw_only=True)
class House:
    """Where its stand-in lives on the street (`tests/street.py`), and how a bridge that runs reaches it.

    stand_in  what serves there; `limited` as the real one's rates are
    sinks     the sinks that reach it: name → the settings without `type`, with `{base}` for the address, `{port}` in it
    name      of the house, where it is not the sink's type
    secrets   what the settings hold that nobody else may see
    """

    stand_in: Callable[[bool], StandIn]
    sinks: Mapping[str, Mapping[str, Any]]
    name: str = ""
    secrets: tuple[str, ...] = ()


def at(settings: Mapping[str, Any], base: str) -> dict[str, Any]:
    """A house's settings with the address at which it is."""
    port = str(URL(base).port)
    filled = {
        name: json.dumps(value).replace("{base}", base).replace("{port}", port) for name, value in settings.items()
    }
    return {name: json.loads(value) for name, value in filled.items()}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a sink.

    example    settings in which SECRET or SIGNING stands for every secret
    ways       the ways in which it is reached, by any name; none for what sends no request
    pace       what the service takes; None where the sink knows of no limit
    house      where it is reached by a bridge that runs; None for what sends no request
    secretive  further settings, whose secrets would show in a careless scope
    """

    example: Mapping[str, Any]
    ways: Mapping[str, Way]
    pace: Pace | None
    house: House | None
    secretive: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class KnownChat(Known):
    """What is known of a chat beside that.

    words     a text in its markup as people read it; fails where the service would not read it
    harmless  fails where a text in its markup pings anybody
    shown     all that a request's body shows, in the order in which people see it, in the service's markup
    seen      the same without any markup: the words as people see them
    pings     whom a request's body would wake beside those who read along
    silences  what a request's body has where nobody is to be woken by it; None where the service knows nothing of that
    """

    words: Callable[[str], str]
    harmless: Callable[[str], None]
    shown: Callable[[Any], str]
    seen: Callable[[Any], str]
    pings: Callable[[Any, Event], Iterable[str]]
    silences: tuple[str, Any] | None
