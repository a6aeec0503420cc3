"""A program behind a URL: it wants the events as they are, and signed, or in the dialect of a panel that it reads."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from bridge.event import Event
from bridge.panels.base import Hook
from bridge.panels.marzban.emit import ACTIONS
from bridge.sinks.http import Request
from tests.fakes import START
from tests.panels.hearing import heard, opened
from tests.services.known import SECRET, SIGNING, Faults, House, Known, Way
from tests.services.receiver import Receiver
from tests.services.service import parsed

URL = "https://x.example"
PANEL_SECRET = "RemnawaveTestSecret0123456789abcdefXYZ"


def signed(request: Request, events: Sequence[Event]) -> Iterator[str]:
    """The events, whole, and signed as they are sent."""
    said = parsed(request.body)
    told = [one["id"] for one in (said if isinstance(said, list) else [said])] if said else []
    if told != [event.id for event in events]:
        yield "not the events"
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    if request.headers["webhook-signature"] != Webhook(SIGNING).sign(
        request.headers["webhook-id"], at, request.body.decode()
    ):
        yield "the signature"


def spoken_to(panel: str) -> Faults:
    """That panel's own reader takes it, signature and all; Marzban has no word for what happens to no user."""
    source = opened(panel, secret=PANEL_SECRET)

    def faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
        token = PANEL_SECRET if panel == "orbvpn" else None  # it signs nothing
        hook = Hook(body=request.body, received_at=START, headers=request.headers, token=token)
        source.verify(hook)
        if parsed(request.body) is None:
            yield "not JSON"
        told = [event for event in events if panel != "marzban" or event.type in ACTIONS]
        if len(told) == len(events) and len(heard(source, hook)) != len(events):
            yield "not the events"

    return faults


KNOWN = Known(
    example={
        "url": f"{URL}/{SECRET}",
        "secret": SIGNING,
        "headers": {"Authorization": f"Bearer {SECRET}"},
    },
    ways={
        **{
            format_: Way(settings={"url": URL, "format": format_, "secret": SIGNING}, faults=signed)
            for format_ in ("event", "cloudevents")
        },
        **{
            panel: Way(settings={"url": URL, "format": panel, "secret": PANEL_SECRET}, faults=spoken_to(panel))
            for panel in ("marzban", "remnawave", "wgportal", "orbvpn")
        },
    },
    house=House(
        name="shop",
        stand_in=lambda _limited: Receiver(secret=SIGNING),
        sinks={"shop": {"url": "{base}/hook", "secret": SIGNING}},
        secrets=(SIGNING,),
    ),
    pace=None,
)
